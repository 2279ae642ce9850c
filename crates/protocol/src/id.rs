//! Names of things: requests, jobs, artifacts and commits.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A request, as the contract counts them.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
#[serde(transparent)]
pub struct RequestId(pub u64);

/// A row of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An artifact is named by 64 hexadecimal digits.
    #[error("an artifact hash has 64 hexadecimal digits")]
    ArtifactHash,
    /// A commit is named by 40 hexadecimal digits.
    #[error("a commit has 40 hexadecimal digits")]
    CommitHash,
}

/// The sha256 of an artifact's bytes: an artifact's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct ArtifactHash(pub [u8; 32]);

impl ArtifactHash {
    /// The name of `wasm`.
    pub fn of(wasm: &[u8]) -> Self {
        Self(Sha256::digest(wasm).into())
    }
}

/// A git commit, 40 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitHash(String);

impl CommitHash {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArtifactHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Error::ArtifactHash)?;
        Ok(Self(bytes))
    }
}

impl FromStr for CommitHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let whole = text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        whole
            .then(|| Self(text.to_ascii_lowercase()))
            .ok_or(Error::CommitHash)
    }
}

impl fmt::Display for ArtifactHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ArtifactHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArtifactHash({self})")
    }
}

impl fmt::Display for CommitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitHash({self})")
    }
}

/// Writes and reads types as the text that they are parsed from.
macro_rules! serde_as_text {
    ($($name:ty),*) => { $(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )* };
}
pub(crate) use serde_as_text;

serde_as_text!(ArtifactHash, CommitHash);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_named_by_the_sha256_of_its_bytes() {
        let name = ArtifactHash::of(b"abc").to_string();

        assert_eq!(
            name,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(name.parse(), Ok(ArtifactHash::of(b"abc")));
        assert_eq!("ba78".parse::<ArtifactHash>(), Err(Error::ArtifactHash));
    }

    #[test]
    fn a_commit_is_forty_hexadecimal_digits_and_nothing_else() {
        let commit: Result<CommitHash, _> = "ABCDEF0123456789abcdef0123456789abcdef01".parse();

        assert_eq!(
            commit.unwrap().as_str(),
            "abcdef0123456789abcdef0123456789abcdef01"
        );
        assert_eq!("main".parse::<CommitHash>(), Err(Error::CommitHash));
        assert_eq!("g".repeat(40).parse::<CommitHash>(), Err(Error::CommitHash));
    }
}
