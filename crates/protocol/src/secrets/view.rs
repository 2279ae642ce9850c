//! Profiles as the contract shows them.

use near_token::NearToken;
use serde::{Deserialize, Serialize};

use super::{AccessCondition, Accessor, Profile};

/// A profile with its sealed secrets, as `get_secrets` shows it: what a keystore believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretProfileView {
    /// The sealed secrets, in base64.
    pub encrypted_secrets: String,
    /// The callers for whom they are opened.
    pub access: AccessCondition,
    /// Nanoseconds since the Unix epoch.
    pub created_at: u64,
    /// Nanoseconds since the Unix epoch.
    pub updated_at: u64,
    /// What its bytes took, which comes back when it is deleted.
    pub storage_deposit: NearToken,
    /// The code that may have it, as it is named now: the repository when a branch was asked for that has none of its own.
    pub accessor: Accessor,
    /// The accessor as it was named when the secrets were sealed: from it their key is derived. It differs from `accessor`
    /// when a project has changed hands since.
    pub sealed_for: Accessor,
}

/// A profile without its sealed secrets, as `list_user_secrets` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSecretInfo {
    /// The code that may have it, as it is named now.
    pub accessor: Accessor,
    /// Its name.
    pub profile: Profile,
    /// Nanoseconds since the Unix epoch.
    pub created_at: u64,
    /// Nanoseconds since the Unix epoch.
    pub updated_at: u64,
    /// What its bytes took, which comes back when it is deleted.
    pub storage_deposit: NearToken,
    /// The callers for whom it is opened.
    pub access: AccessCondition,
}
