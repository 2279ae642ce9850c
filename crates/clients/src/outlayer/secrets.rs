//! Profiles of secrets on the contract: what anyone reads of them, and what their owner does.

use protocol::secrets::{AccessCondition, Accessor, Profile, SecretProfileView, UserSecretInfo};
use protocol::{AccountId, NearToken};
use serde::Serialize;
use serde_json::json;

use super::{Contract, Error, MOST};
use crate::near::{self, Call, Outcome, Sender};

/// Which profile of an owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Named<'a> {
    /// The code that may have it.
    pub accessor: &'a Accessor,
    /// Its name.
    pub profile: &'a Profile,
}

/// What is stored as a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Store<'a> {
    /// Which one.
    #[serde(flatten)]
    pub named: Named<'a>,
    /// The sealed secrets, in base64.
    pub encrypted_secrets_base64: &'a str,
    /// The callers for whom they are opened.
    pub access: &'a AccessCondition,
}

/// A profile's name or content, and its owner.
#[derive(Debug, Serialize)]
struct Owned<'a, T> {
    #[serde(flatten)]
    what: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a AccountId>,
}

impl Contract {
    /// A profile with its sealed secrets; a branch without one of its own has that of its repository.
    pub async fn get_secrets(
        &self,
        owner: &AccountId,
        named: &Named<'_>,
    ) -> Result<Option<SecretProfileView>, near::Error> {
        let args = Owned {
            what: named,
            owner: Some(owner),
        };
        self.view_of("get_secrets", &args).await
    }

    /// Profiles of an account without their sealed secrets, at most a hundred, in no order.
    pub async fn list_user_secrets(
        &self,
        account_id: &AccountId,
        from_index: u64,
        limit: u64,
    ) -> Result<Vec<UserSecretInfo>, near::Error> {
        let args = json!({"account_id": account_id, "from_index": from_index, "limit": limit});
        self.view_of("list_user_secrets", &args).await
    }

    /// What [`Contract::store_secrets`] takes: for a new profile, or for an owner who may have it already.
    pub async fn estimate_storage_cost(
        &self,
        owner: Option<&AccountId>,
        store: &Store<'_>,
    ) -> Result<NearToken, near::Error> {
        let args = Owned { what: store, owner };
        self.view_of("estimate_storage_cost", &args).await
    }

    /// Stores or replaces a profile of the sender's.
    pub async fn store_secrets(
        &self,
        sender: &Sender,
        store: &Store<'_>,
        deposit: NearToken,
    ) -> Result<Outcome, Error> {
        self.change(sender, "store_secrets", store, deposit).await
    }

    /// Changes for whom a profile of the sender's is opened.
    pub async fn update_access(
        &self,
        sender: &Sender,
        named: &Named<'_>,
        new_access: &AccessCondition,
        deposit: NearToken,
    ) -> Result<Outcome, Error> {
        let Named { accessor, profile } = named;
        let args = json!({"accessor": accessor, "profile": profile, "new_access": new_access});
        self.change(sender, "update_access", &args, deposit).await
    }

    /// Deletes a profile of the sender's; all that was held for it comes back.
    pub async fn delete_secrets(
        &self,
        sender: &Sender,
        named: &Named<'_>,
    ) -> Result<Outcome, Error> {
        let nothing = NearToken::default();
        self.change(sender, "delete_secrets", named, nothing).await
    }

    async fn view_of<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        args: &(impl Serialize + Sync),
    ) -> Result<T, near::Error> {
        self.node.view(&self.contract_id, method, args).await
    }

    /// Calls a method that returns nothing.
    async fn change(
        &self,
        sender: &Sender,
        method: &str,
        args: &impl Serialize,
        deposit: NearToken,
    ) -> Result<Outcome, Error> {
        let call = Call::new(&self.contract_id, method, args)?
            .with_gas(MOST)
            .with_deposit(deposit);
        let outcome = sender.call(call).await?;
        let done: Result<(), _> = outcome.value();
        done.map_err(|reason| Error::Failed {
            transaction_hash: outcome.transaction_hash,
            reason,
        })?;
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_those_of_the_contract() {
        let accessor = Accessor::repo("alice/app", Some("main")).unwrap();
        let profile = "default".parse().unwrap();
        let owner: AccountId = "alice.near".parse().unwrap();
        let named = Named {
            accessor: &accessor,
            profile: &profile,
        };
        let store = Store {
            named,
            encrypted_secrets_base64: "AQ==",
            access: &AccessCondition::AllowAll,
        };

        let written = |owner| {
            serde_json::to_value(Owned {
                what: &store,
                owner,
            })
            .unwrap()
        };

        let stored = json!({
            "accessor": {"Repo": {"repo": "github.com/alice/app", "branch": "main"}},
            "profile": "default",
            "encrypted_secrets_base64": "AQ==",
            "access": "AllowAll",
        });
        assert_eq!(written(None), stored);
        assert_eq!(written(Some(&owner))["owner"], "alice.near");
    }
}
