//! Contracts that conditions ask about, on accounts of their own, and the people who own secrets.

use anyhow::{Context as _, Result, ensure};
use clients::near::outcome::Status;
use clients::near::{Gas, PublicKey};
use near_primitives::account::AccessKey;
use near_primitives::action::{
    Action, AddKeyAction, CreateAccountAction, DeployContractAction, FunctionCallAction,
    TransferAction,
};
use protocol::{AccountId, NearToken};
use serde_json::{Value, json};

use crate::Town;

/// `tests/contracts/token`: a token by NEP-141.
const TOKEN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/token.wasm"));

/// `tests/contracts/collectible`: a collection by NEP-171.
const COLLECTIBLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/collectible.wasm"));

/// `tests/contracts/dao`: a DAO with Sputnik's policy.
const DAO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/dao.wasm"));

/// What a new account gets: enough for the storage of a contract and for gas.
const POCKET: NearToken = NearToken::from_near(20);

impl Town {
    /// A token all of which alice has.
    pub async fn found_token(&self, supply: u128) -> Result<AccountId> {
        let init =
            json!({"owner_id": self.platform.accounts.alice, "total_supply": supply.to_string()});
        self.found("token", TOKEN, &init).await
    }

    /// A collection without tokens, into which alice puts some.
    pub async fn found_collection(&self) -> Result<AccountId> {
        let init = json!({"owner_id": self.platform.accounts.alice});
        self.found("collectible", COLLECTIBLE, &init).await
    }

    /// A DAO without roles, whose roles alice gives.
    pub async fn found_dao(&self) -> Result<AccountId> {
        let init = json!({"owner_id": self.platform.accounts.alice});
        self.found("dao", DAO, &init).await
    }

    /// Somebody new: `{name}.alice.test`, who has money and the key of that name.
    pub async fn settle(&self, name: &str) -> Result<AccountId> {
        let key = |account: &AccountId| localnet::secret_key(account).public_key();
        self.create(name, |account| vec![add_key(key(account))])
            .await
    }

    async fn found(&self, name: &str, wasm: &[u8], init: &Value) -> Result<AccountId> {
        let args = serde_json::to_vec(init)?;
        self.create(name, |_| {
            vec![
                Action::DeployContract(DeployContractAction {
                    code: wasm.to_vec(),
                }),
                Action::FunctionCall(Box::new(FunctionCallAction {
                    method_name: "new".into(),
                    args,
                    gas: Gas::from_teragas(50),
                    deposit: NearToken::from_yoctonear(0),
                })),
            ]
        })
        .await
    }

    async fn create(
        &self,
        name: &str,
        more: impl FnOnce(&AccountId) -> Vec<Action>,
    ) -> Result<AccountId> {
        let alice = &self.platform.accounts.alice;
        let account: AccountId = format!("{name}.{alice}").parse()?;
        let mut actions = vec![
            Action::CreateAccount(CreateAccountAction {}),
            Action::Transfer(TransferAction { deposit: POCKET }),
        ];
        actions.extend(more(&account));
        let outcome = self
            .alice
            .send(account.clone(), actions)
            .await
            .with_context(|| format!("create {account}"))?;
        ensure!(
            matches!(outcome.status, Status::Succeeded(_)),
            "creating {account} ended with {:?}",
            outcome.status
        );
        Ok(account)
    }
}

fn add_key(public_key: PublicKey) -> Action {
    Action::AddKey(Box::new(AddKeyAction {
        public_key,
        access_key: AccessKey::full_access(),
    }))
}
