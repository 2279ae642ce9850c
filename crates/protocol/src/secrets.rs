//! Secrets: what they are for, who may have them opened, and how the contract shows them.
//!
//! An owner keeps *profiles* on the chain: each a named, sealed blob for one *accessor* (the code that may have it) under one
//! *access condition* (the callers for whom it is opened). The contract stores them, the keystore opens them, the command line
//! makes them: all three check names, accessors and conditions by the rules here.

pub mod accessor;
pub mod condition;
pub mod profile;
pub mod repo;
pub mod view;

pub use accessor::{Accessor, SystemSecret};
pub use condition::AccessCondition;
pub use profile::Profile;
pub use repo::{Branch, Repo};
pub use view::{SecretProfileView, UserSecretInfo};

/// The version of sealed secrets, their first byte. Source: interface page, 5.
pub const SEALED_VERSION: u8 = 1;

/// What a sealed blob has beside its ciphertext: version, ephemeral key, nonce, tag.
///
/// Unit: bytes. Source: interface page, 5.
pub const SEALED_OVERHEAD_BYTES: usize = 1 + 32 + 12 + 16;

/// Why a name, an accessor or a condition is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A repository's address that we cannot bring to its one form.
    #[error("the repository {0:?} is not host/owner/name")]
    Repo(String),
    /// A branch that git would refuse.
    #[error("{0:?} is not the name of a branch")]
    Branch(String),
    /// A profile's name.
    #[error(
        "a profile's name has 1 to 128 characters, none of them blank, a control character, \" or \\"
    )]
    Profile,
    /// The profile of a payment key is its nonce.
    #[error("the profile of a payment key is its nonce, a decimal number; {0:?} is none")]
    PaymentKeyProfile(String),
    /// A condition that is too large or malformed.
    #[error(transparent)]
    Condition(#[from] condition::Error),
}
