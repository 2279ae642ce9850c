//! Projects: named, versioned code of an owner.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use near_account_id::AccountId;
use near_token::NearToken;
use serde::{Deserialize, Serialize};

use crate::id::serde_as_text;
use crate::source::CodeSource;

/// The longest name of a project.
///
/// Unit: bytes.
const MAX_NAME_BYTES: usize = 64;

/// Digits of a [`ProjectUuid`].
const UUID_DIGITS: usize = 16;

/// Why a text names no project.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A project's own name.
    #[error(
        "a project's name has 1 to {MAX_NAME_BYTES} of the characters a-z, A-Z, 0-9, -, _ and ., and begins with none of these three"
    )]
    Name,
    /// A project's whole name.
    #[error("a project is named owner/name")]
    Id,
    /// A project's unchanging name.
    #[error("a project's uuid is p and {UUID_DIGITS} lower-case hexadecimal digits")]
    Uuid,
}

/// A project's name: `owner/name`. It changes when the project changes hands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct ProjectId {
    owner: AccountId,
    name: String,
}

impl ProjectId {
    /// The project `name` of `owner`.
    pub fn new(owner: AccountId, name: &str) -> Result<Self, Error> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let begins = name
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        if begins && name.len() <= MAX_NAME_BYTES && name.bytes().all(plain) {
            let name = name.to_owned();
            return Ok(Self { owner, name });
        }
        Err(Error::Name)
    }

    /// Whose it is.
    pub const fn owner(&self) -> &AccountId {
        &self.owner
    }

    /// What its owner calls it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ProjectId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (owner, name) = text.split_once('/').ok_or(Error::Id)?;
        Self::new(owner.parse().map_err(|_| Error::Id)?, name)
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// A project's unchanging name: `p` and 16 hexadecimal digits. No two projects ever have the same.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct ProjectUuid(pub u64);

impl FromStr for ProjectUuid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix('p').ok_or(Error::Uuid)?;
        let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() != UUID_DIGITS || !digits.bytes().all(plain) {
            return Err(Error::Uuid);
        }
        u64::from_str_radix(digits, 16)
            .map(Self)
            .map_err(|_| Error::Uuid)
    }
}

impl fmt::Display for ProjectUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{:0UUID_DIGITS$x}", self.0)
    }
}

/// A project by either of its names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum ProjectRef {
    /// By the name it has now.
    Id(ProjectId),
    /// By the name it always has, which names it even when it is deleted.
    Uuid(ProjectUuid),
}

impl FromStr for ProjectRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.parse() {
            Ok(uuid) => Ok(Self::Uuid(uuid)),
            Err(_) => text.parse().map(Self::Id),
        }
    }
}

impl fmt::Display for ProjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Uuid(uuid) => uuid.fmt(f),
        }
    }
}

serde_as_text!(ProjectId, ProjectUuid, ProjectRef);

/// A project, as `get_project` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectView {
    /// Its unchanging name.
    pub uuid: ProjectUuid,
    /// Whose it is.
    pub owner: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// `owner/name`.
    pub project_id: ProjectId,
    /// The key of the version that runs when none is named.
    pub active_version: String,
    /// Nanoseconds since the Unix epoch.
    pub created_at: u64,
    /// What it and its versions took for their bytes, which comes back when they are deleted.
    pub storage_deposit: NearToken,
}

/// A version of a project, as `get_version` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// The version's key: the hash of a pinned module, `repo@commit` of a repository.
    pub wasm_hash: String,
    /// The code.
    pub source: CodeSource,
    /// Nanoseconds since the Unix epoch.
    pub added_at: u64,
    /// Whether it runs when no version is named.
    pub is_active: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_named_by_owner_and_name_or_by_its_uuid() {
        for text in [
            "alice.near/app",
            "a1/A-b_c.d",
            "p0123456789abcdef",
            "p0123456789abcdef/x",
        ] {
            let project: ProjectRef = text.parse().unwrap();

            assert_eq!(project.to_string(), text);
        }
        assert_eq!("p000000000000002a".parse(), Ok(ProjectUuid(42)));
    }

    #[test]
    fn what_names_no_project_is_refused() {
        for bad in [
            "",
            "alice.near",
            "alice.near/",
            "/app",
            "alice.near/a/b",
            "alice.near/a b",
            "alice.near/a\u{0}",
            "alice.near/..",
            "alice.near/-a",
            "Alice/app",
            "p0123456789ABCDEF",
            "p123",
            &format!("alice.near/{}", "a".repeat(65)),
        ] {
            assert!(bad.parse::<ProjectRef>().is_err(), "{bad:?}");
        }
    }
}
