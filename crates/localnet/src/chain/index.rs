//! Where to find blocks, transactions, outcomes and receipts by their hashes.

use super::Block;
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::SignedTransaction;
use std::collections::HashMap;

/// Everything that has a hash, and the block it is in.
#[derive(Debug, Default)]
pub(super) struct Index {
    blocks: HashMap<CryptoHash, u64>,
    transactions: HashMap<CryptoHash, Known>,
    outcomes: HashMap<CryptoHash, Place>,
    origins: HashMap<CryptoHash, CryptoHash>,
}

/// What became of a transaction that was handed in.
#[derive(Debug)]
pub(super) enum Known {
    Pooled(Box<SignedTransaction>),
    Included,
    Refused(Box<(SignedTransaction, InvalidTxError)>),
}

/// Where an outcome is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The transaction of this number in the block of this height.
    Transaction(u64, usize),
    /// The receipt of this number.
    Receipt(u64, usize),
}

impl Index {
    pub(super) fn height(&self, block: &CryptoHash) -> Option<u64> {
        self.blocks.get(block).copied()
    }

    pub(super) fn transaction(&self, tx: &CryptoHash) -> Option<&Known> {
        self.transactions.get(tx)
    }

    pub(super) fn outcome(&self, id: &CryptoHash) -> Option<Place> {
        self.outcomes.get(id).copied()
    }

    /// The transaction a receipt comes from.
    pub(super) fn origin(&self, receipt: &CryptoHash) -> Option<CryptoHash> {
        self.origins.get(receipt).copied()
    }

    pub(super) fn set_origin(&mut self, receipt: CryptoHash, tx: CryptoHash) {
        self.origins.insert(receipt, tx);
    }

    pub(super) fn pool(&mut self, tx: SignedTransaction) {
        self.transactions
            .insert(tx.get_hash(), Known::Pooled(Box::new(tx)));
    }

    pub(super) fn add(&mut self, block: &Block) {
        let height = block.height();
        self.blocks.insert(block.hash, height);
        for (at, (tx, _)) in block.txs.iter().enumerate() {
            self.transactions.insert(tx.get_hash(), Known::Included);
            self.outcomes
                .insert(tx.get_hash(), Place::Transaction(height, at));
        }
        for (tx, error) in &block.refused {
            let refused = Known::Refused(Box::new((tx.clone(), error.clone())));
            self.transactions.insert(tx.get_hash(), refused);
        }
        for (at, (_, outcome)) in block.ran.iter().enumerate() {
            self.outcomes.insert(outcome.id, Place::Receipt(height, at));
        }
        self.origins.extend(block.origins.iter().copied());
    }

    /// Forgets what was in a block that is no longer kept.
    pub(super) fn remove(&mut self, block: &Block) {
        self.blocks.remove(&block.hash);
        let refused = block.refused.iter().map(|(tx, _)| tx.get_hash());
        for tx in block.txs.iter().map(|(tx, _)| tx.get_hash()).chain(refused) {
            self.transactions.remove(&tx);
            self.outcomes.remove(&tx);
        }
        for (_, outcome) in &block.ran {
            self.outcomes.remove(&outcome.id);
        }
        for (receipt, _) in &block.origins {
            self.origins.remove(receipt);
        }
    }
}
