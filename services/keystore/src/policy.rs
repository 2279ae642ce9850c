//! Whether a caller may have what an owner guards with a condition.
//!
//! What cannot be read is an error and is never taken for "no": under a `Not` it would grant.

mod dao;
mod pattern;
#[cfg(test)]
mod tests;

use clients::near::CryptoHash;
use futures::future::{BoxFuture, FutureExt as _};
use protocol::AccountId;
use protocol::secrets::AccessCondition;
use protocol::secrets::condition::{Amount, Connective};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::Error;
use crate::parts::ReadChain;

/// Decides conditions for one caller as of one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy<'a> {
    pub(crate) chain: &'a dyn ReadChain,
    pub(crate) block: CryptoHash,
    pub(crate) caller: &'a AccountId,
}

#[derive(Deserialize)]
struct Token {
    owner_id: AccountId,
}

impl Policy<'_> {
    /// Whether the condition holds.
    pub(crate) async fn grants(&self, condition: &AccessCondition) -> Result<bool, Error> {
        condition
            .check()
            .map_err(|error| Error::BadCondition(error.to_string()))?;
        self.holds(condition).await
    }

    /// Nests no deeper than a checked condition does.
    fn holds<'s>(&'s self, condition: &'s AccessCondition) -> BoxFuture<'s, Result<bool, Error>> {
        use AccessCondition as Of;
        async move {
            match condition {
                Of::AllowAll => Ok(true),
                Of::Whitelist { accounts } => Ok(accounts.contains(self.caller)),
                Of::AccountPattern { pattern } => pattern::matches(pattern, self.caller),
                Of::NearBalance { operator, value } => {
                    let balance = self.chain.balance(self.block, self.caller).await;
                    let balance = balance.map_err(Error::ConditionUnanswered)?;
                    Ok(operator.holds(balance.as_yoctonear(), value.0))
                }
                Of::FtBalance {
                    contract,
                    operator,
                    value,
                } => {
                    let args = json!({"account_id": self.caller});
                    let balance: Amount = self.view(contract, "ft_balance_of", args).await?;
                    Ok(operator.holds(balance.0, value.0))
                }
                Of::NftOwned { contract, token_id } => {
                    self.owns(contract, token_id.as_deref()).await
                }
                Of::DaoMember { dao_contract, role } => self.has_role(dao_contract, role).await,
                Of::Logic {
                    operator,
                    conditions,
                } => self.combined(*operator, conditions).await,
                Of::Not { condition } => Ok(!self.holds(condition).await?),
            }
        }
        .boxed()
    }

    /// One after the other, until it is decided: what comes after is not asked about.
    async fn combined(
        &self,
        operator: Connective,
        conditions: &[AccessCondition],
    ) -> Result<bool, Error> {
        let decided_by = match operator {
            Connective::And => false,
            Connective::Or => true,
        };
        for condition in conditions {
            if self.holds(condition).await? == decided_by {
                return Ok(decided_by);
            }
        }
        Ok(!decided_by)
    }

    async fn owns(&self, contract: &AccountId, token_id: Option<&str>) -> Result<bool, Error> {
        let tokens: Vec<Token> = if let Some(token_id) = token_id {
            let args = json!({"token_id": token_id});
            let token: Option<Token> = self.view(contract, "nft_token", args).await?;
            token.into_iter().collect()
        } else {
            let args = json!({"account_id": self.caller, "from_index": "0", "limit": 1});
            self.view(contract, "nft_tokens_for_owner", args).await?
        };
        Ok(tokens.iter().any(|token| token.owner_id == *self.caller))
    }

    async fn view<T: DeserializeOwned>(
        &self,
        contract: &AccountId,
        method: &str,
        args: Value,
    ) -> Result<T, Error> {
        let seen = self.chain.view(self.block, contract, method, args).await;
        let seen = seen.map_err(Error::ConditionUnanswered)?;
        serde_json::from_value(seen).map_err(|error| Error::ConditionUnanswered(error.into()))
    }
}
