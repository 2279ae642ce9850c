//! The chain, through a node.

use async_trait::async_trait;
use clients::near::{At, CryptoHash, Error, Node, PublicKey};
use clients::outlayer::Contract;
use near_primitives::views::AccessKeyPermissionView;
use protocol::request::ExecutionRequest;
use protocol::secrets::{Accessor, Profile, SecretProfileView};
use protocol::{AccountId, NearToken, RequestId};
use serde_json::{Value, json};

use crate::parts::{KnowWorkers, ReadChain, Sight, SourceError};

/// The chain as a node shows it.
#[derive(Clone, Debug)]
pub struct Chain(Contract);

impl Chain {
    /// The requests and secrets of `contract`, and everything else through its node.
    pub const fn new(contract: Contract) -> Self {
        Self(contract)
    }

    fn node(&self) -> &Node {
        self.0.node()
    }
}

#[async_trait]
impl ReadChain for Chain {
    async fn request(&self, id: RequestId) -> Result<Option<ExecutionRequest>, SourceError> {
        Ok(self.0.get_request(id).await?)
    }

    async fn profile(
        &self,
        accessor: &Accessor,
        profile: &Profile,
        owner: &AccountId,
    ) -> Result<Sight<Option<SecretProfileView>>, SourceError> {
        let args = json!({"accessor": accessor, "profile": profile, "owner": owner});
        let contract = self.0.contract_id();
        let seen = self
            .node()
            .view_at(At::Final, contract, "get_secrets", &args);
        let seen = seen.await?;
        Ok(Sight {
            value: seen.value,
            block_height: seen.block_height,
            block_hash: seen.block_hash,
        })
    }

    async fn has_full_key(
        &self,
        account: &AccountId,
        key: &PublicKey,
    ) -> Result<bool, SourceError> {
        let found = permission(self.node(), account, key).await?;
        Ok(matches!(found, Some(AccessKeyPermissionView::FullAccess)))
    }

    async fn view(
        &self,
        block: CryptoHash,
        contract: &AccountId,
        method: &str,
        args: Value,
    ) -> Result<Value, SourceError> {
        let seen = self
            .node()
            .view_at(At::Block(block), contract, method, &args);
        Ok(seen.await?.value)
    }

    async fn balance(
        &self,
        block: CryptoHash,
        account: &AccountId,
    ) -> Result<NearToken, SourceError> {
        let seen = self.node().view_account(At::Block(block), account).await?;
        Ok(seen.value.amount)
    }
}

/// The workers are those who have a key of the operator's account that may answer requests.
#[derive(Clone, Debug)]
pub struct OperatorKeys {
    node: Node,
    operator_id: AccountId,
    contract_id: AccountId,
}

impl OperatorKeys {
    /// The keys of `operator_id` that may do everything, or call `contract_id`.
    pub const fn new(node: Node, operator_id: AccountId, contract_id: AccountId) -> Self {
        Self {
            node,
            operator_id,
            contract_id,
        }
    }
}

#[async_trait]
impl KnowWorkers for OperatorKeys {
    async fn knows(&self, key: &PublicKey) -> Result<bool, SourceError> {
        Ok(
            match permission(&self.node, &self.operator_id, key).await? {
                Some(AccessKeyPermissionView::FullAccess) => true,
                Some(AccessKeyPermissionView::FunctionCall { receiver_id, .. }) => {
                    receiver_id == self.contract_id.as_str()
                }
                _ => false,
            },
        )
    }
}

/// What a key of an account may do, if it is one of its keys.
async fn permission(
    node: &Node,
    account: &AccountId,
    key: &PublicKey,
) -> Result<Option<AccessKeyPermissionView>, Error> {
    match node.view_access_key(At::Final, account, key).await {
        Ok(seen) => Ok(Some(seen.value.permission)),
        Err(Error::UnknownKey { .. } | Error::UnknownAccount { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
