//! The code that may have a profile.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::{Branch, Error, Profile, Repo};
use crate::id::ArtifactHash;
use crate::project::ProjectRef;

/// The code that may have a profile.
///
/// It is written as the contract writes it, `{"Repo":{"repo","branch"}}`, and read in that spelling and in the one of the HTTP
/// API, `{"type":"Repo","repo","branch"?}`; [`Accessor::typed`] writes the latter.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, BorshSerialize, BorshDeserialize,
)]
pub enum Accessor {
    /// What is built of a repository; of one branch, or of all that have no profile of their own.
    Repo {
        /// Which repository.
        repo: Repo,
        /// Which branch.
        branch: Option<Branch>,
    },
    /// One artifact, and nothing else.
    WasmHash {
        /// The artifact.
        hash: ArtifactHash,
    },
    /// Any version of a project.
    Project {
        /// The project.
        project_id: ProjectRef,
    },
    /// The platform itself.
    System(SystemSecret),
}

/// What the platform keeps for an owner.
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
pub enum SystemSecret {
    /// A payment key; its profile is its nonce.
    PaymentKey,
}

impl Accessor {
    /// A repository's accessor, from the arguments `repo` and `branch`.
    pub fn repo(repo: &str, branch: Option<&str>) -> Result<Self, Error> {
        Ok(Self::Repo {
            repo: repo.parse()?,
            branch: branch.map(str::parse).transpose()?,
        })
    }

    /// The accessor that is asked when this one has no profile of a name: a branch's falls back to its repository's.
    pub fn fallback(&self) -> Option<Self> {
        match self {
            Self::Repo {
                repo,
                branch: Some(_),
            } => Some(Self::Repo {
                repo: repo.clone(),
                branch: None,
            }),
            _ => None,
        }
    }

    /// Refuses a profile that this accessor cannot have.
    pub fn check_profile(&self, profile: &Profile) -> Result<(), Error> {
        match self {
            Self::System(SystemSecret::PaymentKey) => {
                let name = profile.as_str();
                let is_nonce = name
                    .parse::<u32>()
                    .is_ok_and(|nonce| nonce.to_string() == name);
                is_nonce
                    .then_some(())
                    .ok_or_else(|| Error::PaymentKeyProfile(name.to_owned()))
            }
            Self::Repo { .. } | Self::WasmHash { .. } | Self::Project { .. } => Ok(()),
        }
    }

    /// The accessor in the spelling of the HTTP API.
    pub fn typed(&self) -> Value {
        match self {
            Self::Repo { repo, branch: None } => json!({"type": "Repo", "repo": repo}),
            Self::Repo { repo, branch } => json!({"type": "Repo", "repo": repo, "branch": branch}),
            Self::WasmHash { hash } => json!({"type": "WasmHash", "hash": hash}),
            Self::Project { project_id } => json!({"type": "Project", "project_id": project_id}),
            Self::System(SystemSecret::PaymentKey) => json!({"type": "System", "PaymentKey": {}}),
        }
    }
}

impl fmt::Display for Accessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repo { repo, branch: None } => write!(f, "{repo}"),
            Self::Repo {
                repo,
                branch: Some(branch),
            } => write!(f, "{repo}, branch {branch}"),
            Self::WasmHash { hash } => write!(f, "wasm {hash}"),
            Self::Project { project_id } => write!(f, "project {project_id}"),
            Self::System(SystemSecret::PaymentKey) => f.write_str("payment key"),
        }
    }
}

/// Every spelling that is accepted, before it is known to name exactly one kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spelling {
    #[serde(rename = "Repo")]
    tagged_repo: Option<RepoFields>,
    #[serde(rename = "WasmHash")]
    tagged_hash: Option<HashFields>,
    #[serde(rename = "Project")]
    tagged_project: Option<ProjectFields>,
    #[serde(rename = "System")]
    tagged_system: Option<SystemSecret>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    repo: Option<Repo>,
    branch: Option<Branch>,
    hash: Option<ArtifactHash>,
    project_id: Option<ProjectRef>,
    #[serde(rename = "PaymentKey")]
    payment_key: Option<Empty>,
}

#[derive(Deserialize)]
struct RepoFields {
    repo: Repo,
    branch: Option<Branch>,
}

#[derive(Deserialize)]
struct HashFields {
    hash: ArtifactHash,
}

#[derive(Deserialize)]
struct ProjectFields {
    project_id: ProjectRef,
}

#[derive(Deserialize)]
struct Empty {}

#[derive(Clone, Copy, Deserialize)]
enum Kind {
    Repo,
    WasmHash,
    Project,
    System,
}

impl Spelling {
    /// Every accessor that is named with a tag.
    fn tagged(&mut self) -> Vec<Accessor> {
        let repo = self.tagged_repo.take().map(|fields| Accessor::Repo {
            repo: fields.repo,
            branch: fields.branch,
        });
        let hash = self.tagged_hash.take();
        let hash = hash.map(|fields| Accessor::WasmHash { hash: fields.hash });
        let project = self.tagged_project.take().map(|fields| Accessor::Project {
            project_id: fields.project_id,
        });
        let system = self.tagged_system.take().map(Accessor::System);
        [repo, hash, project, system]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The accessor that `kind` and the fields beside it name, and nothing but it.
    fn typed(self, kind: Kind) -> Option<Accessor> {
        match (
            kind,
            self.repo,
            self.branch,
            self.hash,
            self.project_id,
            self.payment_key,
        ) {
            (Kind::Repo, Some(repo), branch, None, None, None) => {
                Some(Accessor::Repo { repo, branch })
            }
            (Kind::WasmHash, None, None, Some(hash), None, None) => {
                Some(Accessor::WasmHash { hash })
            }
            (Kind::Project, None, None, None, Some(project_id), None) => {
                Some(Accessor::Project { project_id })
            }
            (Kind::System, None, None, None, None, Some(Empty {})) => {
                Some(Accessor::System(SystemSecret::PaymentKey))
            }
            _ => None,
        }
    }

    /// Whether a field stands beside the tags that belongs to the other spelling.
    const fn has_fields(&self) -> bool {
        self.repo.is_some()
            || self.branch.is_some()
            || self.hash.is_some()
            || self.project_id.is_some()
            || self.payment_key.is_some()
    }
}

impl<'de> Deserialize<'de> for Accessor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut spelling = Spelling::deserialize(deserializer)?;
        let mut tagged = spelling.tagged();
        let accessor = match (spelling.kind, tagged.pop()) {
            (None, Some(accessor)) if tagged.is_empty() && !spelling.has_fields() => Some(accessor),
            (Some(kind), None) => spelling.typed(kind),
            _ => None,
        };
        accessor.ok_or_else(|| {
            serde::de::Error::custom(
                "an accessor names one of Repo, WasmHash, Project and System, with just its fields",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn parse(json: &str) -> Result<Accessor, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn both_spellings_of_an_accessor_say_the_same_and_are_written_as_read() {
        let hash = format!(r#"{{"WasmHash":{{"hash":"{HASH}"}}}}"#);
        let typed_hash = format!(r#"{{"type":"WasmHash","hash":"{HASH}"}}"#);
        for (tagged, typed) in [
            (
                r#"{"Repo":{"repo":"github.com/a/b","branch":null}}"#,
                r#"{"repo":"github.com/a/b","type":"Repo"}"#,
            ),
            (
                r#"{"Repo":{"repo":"github.com/a/b","branch":"main"}}"#,
                r#"{"branch":"main","repo":"github.com/a/b","type":"Repo"}"#,
            ),
            (&hash, &typed_hash),
            (
                r#"{"Project":{"project_id":"alice.near/app"}}"#,
                r#"{"project_id":"alice.near/app","type":"Project"}"#,
            ),
            (
                r#"{"Project":{"project_id":"p000000000000002a"}}"#,
                r#"{"project_id":"p000000000000002a","type":"Project"}"#,
            ),
            (
                r#"{"System":"PaymentKey"}"#,
                r#"{"PaymentKey":{},"type":"System"}"#,
            ),
        ] {
            let accessor = parse(tagged).unwrap();

            assert_eq!(accessor, parse(typed).unwrap());
            assert_eq!(serde_json::to_string(&accessor).unwrap(), tagged);
            let typed: Value = serde_json::from_str(typed).unwrap();
            assert_eq!(accessor.typed(), typed);
        }
    }

    #[test]
    fn an_accessor_that_is_none_or_several_or_half_is_refused() {
        for bad in [
            "{}",
            "7",
            r#""PaymentKey""#,
            r#"{"Repo":{}}"#,
            r#"{"Repo":{"repo":"a"}}"#,
            r#"{"Repo":{"repo":"a/b","branch":""}}"#,
            r#"{"repo":"a/b"}"#,
            r#"{"WasmHash":{"hash":"ba78"}}"#,
            r#"{"Project":{"project_id":"app"}}"#,
            r#"{"Project":{"project_id":"alice.near/a b"}}"#,
            r#"{"System":"Other"}"#,
            r#"{"type":"System"}"#,
            r#"{"type":"Other","repo":"a/b"}"#,
            r#"{"type":"Repo","repo":"a/b","project_id":"a.near/b"}"#,
            r#"{"Repo":{"repo":"a/b"},"System":"PaymentKey"}"#,
            r#"{"System":"PaymentKey","repo":"a/b"}"#,
            r#"{"Repo":{"repo":"a/b"},"type":"Repo"}"#,
            r#"{"Repo":{"repo":"a/b"},"more":1}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_branch_falls_back_and_only_to_its_repository() {
        let branch = Accessor::repo("a/b", Some("main")).unwrap();
        let repo = Accessor::repo("https://github.com/a/b", None).unwrap();

        assert_eq!(branch.fallback(), Some(repo.clone()));
        assert_eq!(repo.fallback(), None);
        assert_eq!(Accessor::System(SystemSecret::PaymentKey).fallback(), None);
    }

    #[test]
    fn the_profile_of_a_payment_key_is_a_number() {
        let key = Accessor::System(SystemSecret::PaymentKey);
        let allows = |name: &str| key.check_profile(&name.parse().unwrap()).is_ok();

        assert!(allows("0") && allows("4294967295"));
        assert!(!allows("01") && !allows("+1") && !allows("4294967296") && !allows("main"));
    }
}
