//! A final block, as far as it concerns one contract.

use near_primitives::hash::CryptoHash;
use protocol::AccountId;
use protocol::event::Envelope;
use protocol::job::Origin;

/// A final block, as far as it concerns one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: CryptoHash,
    /// The hash of the block before it.
    pub prev_hash: CryptoHash,
    /// The height of the block before it, where the source tells.
    pub prev_height: Option<u64>,
    /// Its time, in nanoseconds since the Unix epoch.
    pub timestamp_ns: u64,
    /// The contract's receipts that ran in it, succeeded and logged something, in order.
    pub receipts: Vec<Receipt>,
}

/// A receipt that ran on the contract, succeeded and logged something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its id.
    pub receipt_id: CryptoHash,
    /// The transaction it came from, where the source knows it.
    pub transaction_hash: Option<CryptoHash>,
    /// The contract.
    pub executor_id: AccountId,
    /// Who sent it.
    pub predecessor_id: AccountId,
    /// Who signed the transaction.
    pub signer_id: AccountId,
    /// With which key, `ed25519:…`.
    pub signer_public_key: String,
    /// Gas burnt by it.
    pub gas_burnt: u64,
    /// What it logged, in order.
    pub logs: Vec<String>,
}

impl Block {
    /// Every event of ours in the block, in order, with the receipt that logged it.
    pub fn events(&self) -> impl Iterator<Item = (&Receipt, Envelope)> {
        self.receipts.iter().flat_map(|receipt| {
            let events = receipt
                .logs
                .iter()
                .filter_map(|log| Envelope::from_log(log));
            events.map(move |event| (receipt, event))
        })
    }

    /// Where and when `receipt` of this block ran.
    pub fn origin(&self, receipt: &Receipt) -> Origin {
        Origin {
            block_height: self.height,
            block_timestamp: self.timestamp_ns,
            receipt_id: receipt.receipt_id.to_string(),
            transaction_hash: receipt.transaction_hash.map(|hash| hash.to_string()),
            signer_public_key: Some(receipt.signer_public_key.clone()),
            gas_burnt: receipt.gas_burnt,
        }
    }
}
