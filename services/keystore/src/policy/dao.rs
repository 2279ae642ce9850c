//! Who has a role in a DAO of the Sputnik kind.

use protocol::AccountId;
use protocol::secrets::condition::Amount;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Policy;
use crate::error::Error;

/// What of a DAO's policy is needed.
#[derive(Deserialize)]
struct Rules {
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    name: String,
    /// Read only for the role that is asked about: another may be of a kind that we do not know.
    kind: Value,
}

/// Who has a role.
#[derive(Deserialize)]
enum Kind {
    Everyone,
    /// Whoever has had so many votes delegated to them.
    Member(Amount),
    Group(Vec<String>),
}

impl Policy<'_> {
    /// Whether the caller has a role of this name. A role that is not there nobody has.
    pub(super) async fn has_role(&self, dao: &AccountId, role: &str) -> Result<bool, Error> {
        let rules: Rules = self.view(dao, "get_policy", json!({})).await?;
        for role in rules.roles.into_iter().filter(|of| of.name == role) {
            let kind = serde_json::from_value(role.kind)
                .map_err(|error| Error::ConditionUnanswered(error.into()))?;
            let has = match kind {
                Kind::Everyone => true,
                Kind::Group(members) => members.iter().any(|member| self.caller == member),
                Kind::Member(least) => {
                    let args = json!({"account_id": self.caller});
                    let votes: Amount = self.view(dao, "delegation_balance_of", args).await?;
                    votes >= least
                }
            };
            if has {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
