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
    /// How it was made, for whoever wants to make it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
}

/// What an artifact was made with, and how. Nothing optimises it afterwards: it is what the compiler wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// What the compiler says it is.
    pub toolchain: String,
    /// The programs and libraries that built it, 64 hexadecimal digits: the sha256 of what `sha256sum` says of each, in the order of
    /// their names.
    pub toolchain_sha256: String,
    /// The lock file, 64 hexadecimal digits; a language without packages has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockfile_sha256: Option<String>,
    /// What was run, as a line for a shell.
    pub command: String,
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
    /// The bytes that are signed: a domain, then each field with its length before it; what is not there is empty.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut bytes = b"outlayer:build:v2\n".to_vec();
        let of = |field: fn(&Recipe) -> &str| self.recipe.as_ref().map_or("", field).as_bytes();
        let fields: [&[u8]; 8] = [
            self.repo.as_bytes(),
            self.commit.as_str().as_bytes(),
            self.build_target.triple().as_bytes(),
            &self.artifact.0,
            of(|recipe| &recipe.toolchain),
            of(|recipe| &recipe.toolchain_sha256),
            of(|recipe| recipe.lockfile_sha256.as_deref().unwrap_or_default()),
            of(|recipe| &recipe.command),
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
