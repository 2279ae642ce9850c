//! Profiles of secrets as the contract keeps them.
//!
//! A profile is found by its accessor, its name and its owner. A project stands in the accessor by its uuid, so that profiles
//! follow a project to its next owner without being touched. The sealed bytes are kept beside the record: changing for whom
//! they are opened, or listing them, does not read them.

pub(crate) mod arguments;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use borsh::{BorshDeserialize, BorshSerialize};
use protocol::project::{ProjectId, ProjectRef};
use protocol::secrets::{AccessCondition, Accessor, Profile, SecretProfileView, UserSecretInfo};
use protocol::{AccountId, FailureCode, NearToken};

use crate::refusal::Refusal;
use crate::storage::{Digest, entry_bytes, record_bytes};

/// Every form in which a profile was ever stored; append only.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Record {
    /// The first.
    V1(Secret),
}

/// A profile; its sealed bytes are kept beside it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Secret {
    /// The code that may have it, a project by its uuid.
    pub(crate) accessor: Accessor,
    /// How the project was named when the secrets were sealed; their key is derived from that.
    pub(crate) sealed_for: Option<ProjectRef>,
    pub(crate) profile: Profile,
    pub(crate) access: AccessCondition,
    /// Nanoseconds since the Unix epoch.
    pub(crate) created_at: u64,
    /// Nanoseconds since the Unix epoch.
    pub(crate) updated_at: u64,
    /// How many sealed bytes are kept beside it.
    pub(crate) sealed_bytes: u32,
    /// What is held for all its bytes.
    pub(crate) deposit: NearToken,
    /// Where it stands in its owner's list.
    pub(crate) position: u32,
}

impl From<Record> for Secret {
    fn from(record: Record) -> Self {
        match record {
            Record::V1(secret) => secret,
        }
    }
}

impl Record {
    /// The record in the present form.
    pub(crate) const fn get(&self) -> &Secret {
        match self {
            Self::V1(secret) => secret,
        }
    }
}

/// The text by whose digest a profile is found. No two have the same, as each part tells its length.
pub(crate) fn key_of(accessor: &Accessor, profile: &Profile, owner: &AccountId) -> Vec<u8> {
    borsh::to_vec(&(accessor, profile, owner)).unwrap_or_default()
}

impl Secret {
    /// A profile that is still to be stored.
    pub(crate) fn new(
        arguments: arguments::Store,
        accessor: Accessor,
        now: u64,
    ) -> (Self, Vec<u8>) {
        let sealed_for = match arguments.named.accessor {
            Accessor::Project { project_id } => Some(project_id),
            Accessor::Repo { .. } | Accessor::WasmHash { .. } | Accessor::System(_) => None,
        };
        let secret = Self {
            accessor,
            sealed_for,
            profile: arguments.named.profile,
            access: arguments.access,
            created_at: now,
            updated_at: now,
            sealed_bytes: u32::try_from(arguments.sealed.len()).unwrap_or(u32::MAX),
            deposit: NearToken::default(),
            position: 0,
        };
        (secret, arguments.sealed)
    }

    /// What it takes of the account's storage, its sealed bytes and its place in its owner's list included.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let key: Digest = [0; 32];
        let sealed_length: u32 = 0;
        record_bytes(&key, self)
            .saturating_add(VERSION_BYTES)
            .saturating_add(record_bytes(&key, &sealed_length))
            .saturating_add(self.sealed_bytes.into())
            .saturating_add(entry_bytes(&key, &key))
    }

    /// The accessor as its owner names it now, given what its project is called if it is still there.
    pub(crate) fn accessor_now(&self, project: Option<ProjectId>) -> Accessor {
        project.map_or_else(
            || self.accessor.clone(),
            |id| Accessor::Project {
                project_id: ProjectRef::Id(id),
            },
        )
    }

    /// As `get_secrets` shows it.
    pub(crate) fn view(&self, sealed: &[u8], project: Option<ProjectId>) -> SecretProfileView {
        let sealed_for = match &self.sealed_for {
            Some(project_id) => Accessor::Project {
                project_id: project_id.clone(),
            },
            None => self.accessor.clone(),
        };
        SecretProfileView {
            encrypted_secrets: STANDARD.encode(sealed),
            access: self.access.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            storage_deposit: self.deposit,
            accessor: self.accessor_now(project),
            sealed_for,
        }
    }

    /// As `list_user_secrets` shows it.
    pub(crate) fn listed(&self, project: Option<ProjectId>) -> UserSecretInfo {
        UserSecretInfo {
            accessor: self.accessor_now(project),
            profile: self.profile.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            storage_deposit: self.deposit,
            access: self.access.clone(),
        }
    }
}

/// What [`Record`] adds: which form it is.
const VERSION_BYTES: u64 = 1;

/// There is no such profile.
pub(crate) fn not_found(named: &arguments::Named, owner: &AccountId) -> Refusal {
    Refusal::new(
        FailureCode::SecretsNotFound,
        format!(
            "{owner} has no profile {} for {}",
            named.profile, named.accessor
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(accessor: Accessor, sealed_for: Option<ProjectRef>) -> Secret {
        Secret {
            accessor,
            sealed_for,
            profile: "default".parse().unwrap(),
            access: AccessCondition::AllowAll,
            created_at: 1,
            updated_at: 2,
            sealed_bytes: 3,
            deposit: NearToken::from_yoctonear(4),
            position: 5,
        }
    }

    #[test]
    fn a_profile_that_followed_its_project_says_what_it_was_sealed_for() {
        let uuid: ProjectRef = "p0000000000000001".parse().unwrap();
        let sealed_for: ProjectRef = "alice.test/app".parse().unwrap();
        let project = |project_id| Accessor::Project { project_id };
        let secret = secret(project(uuid.clone()), Some(sealed_for.clone()));

        let there = secret.view(b"abc", Some("bob.test/app".parse().unwrap()));
        let gone = secret.view(b"abc", None);

        assert_eq!(there.accessor, project("bob.test/app".parse().unwrap()));
        assert_eq!(gone.accessor, project(uuid));
        assert_eq!(there.sealed_for, project(sealed_for));
        assert_eq!(there.encrypted_secrets, "YWJj");
    }

    #[test]
    fn no_two_profiles_are_found_by_the_same_key() {
        let key = |repo: &str, branch, profile: &str, owner: &str| {
            let accessor = Accessor::repo(repo, branch).unwrap();
            key_of(
                &accessor,
                &profile.parse().unwrap(),
                &owner.parse().unwrap(),
            )
        };

        let keys = [
            key("a/b", None, "c", "dd.test"),
            key("a/b", Some("c"), "c", "dd.test"),
            key("a/bc", None, "c", "dd.test"),
            key("a/b", None, "cd", "d.test"),
            key("a/b", None, "c", "d.test"),
        ];

        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(
            keys[0],
            key("https://github.com/a/b.git", None, "c", "dd.test")
        );
    }
}
