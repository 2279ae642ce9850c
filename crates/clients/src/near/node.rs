//! What a node shows: contracts' views, accounts, keys and blocks.

use near_crypto::PublicKey;
use near_primitives::hash::CryptoHash;
use near_primitives::types::StorageUsage;
use near_primitives::views::AccessKeyPermissionView;
use protocol::{AccountId, NearToken};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Error;
use super::transport::Node;

/// As of which block to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The newest final block: what is seen there stays true.
    Final,
    /// The newest block, which may yet be undone: what is seen after one's own transaction.
    Latest,
    /// The block with this hash.
    Block(CryptoHash),
    /// The block at this height.
    Height(u64),
}

impl At {
    /// The parameter that means this block.
    pub(crate) fn to_param(self) -> (&'static str, Value) {
        match self {
            Self::Final => ("finality", json!("final")),
            Self::Latest => ("finality", json!("optimistic")),
            Self::Block(hash) => ("block_id", json!(hash)),
            Self::Height(height) => ("block_id", json!(height)),
        }
    }
}

/// An answer, and the block at which it is true.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Seen<T> {
    /// The answer.
    #[serde(flatten)]
    pub value: T,
    /// The block's height.
    pub block_height: u64,
    /// The block's hash.
    pub block_hash: CryptoHash,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The balance that is not staked.
    pub amount: NearToken,
    /// The balance that is staked.
    pub locked: NearToken,
    /// The sha256 of the contract's code; zeros without a contract.
    pub code_hash: CryptoHash,
    /// Bytes of storage.
    pub storage_usage: StorageUsage,
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccessKey {
    /// The nonce of its last transaction.
    pub nonce: u64,
    /// What it may do.
    pub permission: AccessKeyPermissionView,
}

/// An access key with its public key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedAccessKey {
    /// Its name.
    pub public_key: PublicKey,
    /// What it is.
    pub access_key: AccessKey,
}

/// What is needed of a block's header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockHeader {
    /// The block's height.
    pub height: u64,
    /// The block's hash.
    pub hash: CryptoHash,
    /// The hash of the block before it.
    pub prev_hash: CryptoHash,
    /// The height of the block before it, which newer nodes tell.
    #[serde(default)]
    pub prev_height: Option<u64>,
    /// Nanoseconds since the Unix epoch, as a decimal string.
    #[serde(rename = "timestamp_nanosec", deserialize_with = "decimal")]
    pub timestamp_ns: u64,
}

/// Reads a number that travels as a decimal string.
pub(crate) fn decimal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    use serde::de::Error as _;
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

/// A view's result, or what the node says instead of an error in the usual place.
#[derive(Deserialize)]
struct Queried {
    #[serde(default)]
    error: Option<String>,
    #[serde(flatten)]
    rest: Value,
}

#[derive(Deserialize)]
struct Returned {
    result: Vec<u8>,
}

impl Node {
    /// A contract's view at the newest final block.
    pub async fn view<A: Serialize + Sync, T: DeserializeOwned>(
        &self,
        contract: &AccountId,
        method: &str,
        args: &A,
    ) -> Result<T, Error> {
        let seen = self.view_at(At::Final, contract, method, args).await?;
        Ok(seen.value)
    }

    /// A contract's view at a block, and which block it was.
    pub async fn view_at<A: Serialize + Sync, T: DeserializeOwned>(
        &self,
        at: At,
        contract: &AccountId,
        method: &str,
        args: &A,
    ) -> Result<Seen<T>, Error> {
        use base64::Engine as _;
        let args = serde_json::to_vec(args).map_err(Error::Arguments)?;
        let query = json!({
            "request_type": "call_function",
            "account_id": contract,
            "method_name": method,
            "args_base64": base64::engine::general_purpose::STANDARD.encode(args),
        });
        let failed = |message| Error::View {
            contract: contract.clone(),
            method: method.to_owned(),
            message,
        };
        let seen: Seen<Returned> = match self.query(at, query, failed).await {
            Err(Error::Refused { cause, message, .. }) if is_view_failure(&cause) => {
                return Err(failed(message));
            }
            answered => answered?,
        };
        let value =
            serde_json::from_slice(&seen.value.result).map_err(|source| Error::Malformed {
                what: format!("{method} of {contract}"),
                source,
            })?;
        Ok(Seen {
            value,
            block_height: seen.block_height,
            block_hash: seen.block_hash,
        })
    }

    /// An account.
    pub async fn view_account(&self, at: At, account: &AccountId) -> Result<Seen<Account>, Error> {
        let query = json!({"request_type": "view_account", "account_id": account});
        self.query(at, query, |message| Error::UnknownAccount { message })
            .await
    }

    /// One access key of an account.
    pub async fn view_access_key(
        &self,
        at: At,
        account: &AccountId,
        key: &PublicKey,
    ) -> Result<Seen<AccessKey>, Error> {
        let query = access_key_query(account, key);
        self.query(at, query, |message| Error::UnknownKey { message })
            .await
    }

    /// All access keys of an account, as many as the node shows at once.
    pub async fn view_access_keys(
        &self,
        at: At,
        account: &AccountId,
    ) -> Result<Vec<NamedAccessKey>, Error> {
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<NamedAccessKey>,
        }
        let query = json!({"request_type": "view_access_key_list", "account_id": account});
        let seen: Seen<Keys> = self
            .query(at, query, |message| Error::UnknownAccount { message })
            .await?;
        Ok(seen.value.keys)
    }

    /// A block's header.
    pub async fn block_header(&self, at: At) -> Result<BlockHeader, Error> {
        #[derive(Deserialize)]
        struct Block {
            header: BlockHeader,
        }
        let (name, value) = at.to_param();
        let block: Block = self.call("block", &json!({name: value})).await?;
        Ok(block.header)
    }

    async fn query<T: DeserializeOwned>(
        &self,
        at: At,
        query: Value,
        error: impl FnOnce(String) -> Error,
    ) -> Result<T, Error> {
        let queried: Queried = self.call("query", &located(at, query)).await?;
        settle(queried, error)
    }

    /// One access key as one node and no other has it.
    pub(super) async fn access_key_of(
        &self,
        endpoint: usize,
        at: At,
        account: &AccountId,
        key: &PublicKey,
    ) -> Result<Seen<AccessKey>, Error> {
        let query = located(at, access_key_query(account, key));
        let queried: Queried = self.ask(endpoint, "query", &query).await?;
        settle(queried, |message| Error::UnknownKey { message })
    }
}

fn access_key_query(account: &AccountId, key: &PublicKey) -> Value {
    json!({"request_type": "view_access_key", "account_id": account, "public_key": key})
}

fn located(at: At, mut query: Value) -> Value {
    let (name, value) = at.to_param();
    if let Some(fields) = query.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    query
}

fn settle<T: DeserializeOwned>(
    queried: Queried,
    error: impl FnOnce(String) -> Error,
) -> Result<T, Error> {
    match queried.error {
        Some(message) => Err(error(message)),
        None => serde_json::from_value(queried.rest).map_err(|source| Error::Malformed {
            what: "query".to_owned(),
            source,
        }),
    }
}

fn is_view_failure(cause: &str) -> bool {
    matches!(cause, "CONTRACT_EXECUTION_ERROR" | "NO_CONTRACT_CODE")
}
