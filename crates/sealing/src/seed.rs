//! The text from which a key is derived: whose secrets these are, and for what. Source: interface page, 5.
//!
//! Two different owners or purposes never come to the same text: no account, repository, branch or project has a colon in it, and a
//! repository always has a slash, which the words before the other kinds have not.

use std::fmt;

use protocol::AccountId;
use protocol::project::ProjectUuid;
use protocol::secrets::{Accessor, Profile, SystemSecret};

use crate::error::Error;

/// The text from which a key is derived.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Seed(String);

impl Seed {
    /// Of `owner`'s secrets for `accessor`. All profiles of an accessor share a key, except that each payment key has its own.
    pub fn of(accessor: &Accessor, profile: &Profile, owner: &AccountId) -> Result<Self, Error> {
        accessor.check_profile(profile)?;
        Ok(Self(match accessor {
            Accessor::Repo { repo, branch: None } => format!("{repo}:{owner}"),
            Accessor::Repo {
                repo,
                branch: Some(branch),
            } => format!("{repo}:{owner}:{branch}"),
            Accessor::WasmHash { hash } => format!("wasm_hash:{hash}:{owner}"),
            Accessor::Project { project_id } => format!("project:{project_id}:{owner}"),
            Accessor::System(SystemSecret::PaymentKey) => {
                format!("system:payment_key:{owner}:{profile}")
            }
        }))
    }

    /// Of what a project keeps for an account.
    pub fn storage(project: ProjectUuid, account: &AccountId) -> Self {
        Self(format!("storage:{project}:{account}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({})", self.0)
    }
}
