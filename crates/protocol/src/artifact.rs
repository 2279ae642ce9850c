//! What a worker says it built, signed, so that another worker need not trust the cache between them.

use serde::{Deserialize, Serialize};

use crate::id::{ArtifactHash, CommitHash};
use crate::source::BuildTarget;

/// A claim that a source builds to an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The repository, normalised: `github.com/owner/repo`.
    pub repo: String,
    /// The commit.
    pub commit: CommitHash,
    /// What it was built for.
    pub build_target: BuildTarget,
    /// What came out.
    pub artifact: ArtifactHash,
}

/// A [`Build`] with the signature of the worker that made it.
///
/// A reader checks that the key belongs to the operator's account before it believes the claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBuild {
    /// The claim.
    #[serde(flatten)]
    pub build: Build,
    /// The worker's key, `ed25519:…`.
    pub public_key: String,
    /// Over [`Build::to_be_signed`], `ed25519:…`.
    pub signature: String,
}

impl Build {
    /// The bytes that are signed: a domain, then each field with its length before it.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut bytes = b"outlayer:build:v1\n".to_vec();
        let fields: [&[u8]; 4] = [
            self.repo.as_bytes(),
            self.commit.as_str().as_bytes(),
            self.build_target.triple().as_bytes(),
            &self.artifact.0,
        ];
        for field in fields {
            let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
            bytes.extend(length.to_le_bytes());
            bytes.extend(field);
        }
        bytes
    }
}

/// Where a worker has published an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The URL; whoever fetches from it checks the hash.
    pub url: String,
}
