//! The names on a local chain. Every key is made from its account's name, so that nobody has to be told it.

use anyhow::Result;
use protocol::AccountId;

/// The accounts of a platform.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Holds the contract `outlayer`.
    pub outlayer: AccountId,
    /// May resolve.
    pub operator: AccountId,
    /// Holds the example client contract.
    pub client: AccountId,
    /// A user with money.
    pub alice: AccountId,
}

impl Accounts {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            outlayer: "outlayer.test".parse()?,
            operator: "operator.test".parse()?,
            client: "client.test".parse()?,
            alice: "alice.test".parse()?,
        })
    }

    /// All of them.
    pub fn all(&self) -> [&AccountId; 4] {
        [&self.outlayer, &self.operator, &self.client, &self.alice]
    }
}
