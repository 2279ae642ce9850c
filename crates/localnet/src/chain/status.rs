//! Where a transaction stands.

use super::index::{Known, Place};
use super::{Block, Chain};
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::Receipt;
use near_primitives::transaction::{ExecutionOutcomeWithId, SignedTransaction};
use near_primitives::views::{
    ExecutionOutcomeWithIdView, ExecutionStatusView, FinalExecutionOutcomeView,
    FinalExecutionOutcomeWithReceiptView, FinalExecutionStatus, ReceiptView, TxExecutionStatus,
};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// What is known of a transaction, leaving finality aside.
#[derive(Clone, Debug)]
pub struct TxStatus {
    /// How far it has run: `Final` when its refunds have too.
    pub status: TxExecutionStatus,
    /// Its outcomes so far, once it is in a block.
    pub outcome: Option<FinalExecutionOutcomeWithReceiptView>,
    /// Why it was refused when its block was made.
    pub error: Option<InvalidTxError>,
}

impl TxStatus {
    const fn without_outcome(error: Option<InvalidTxError>) -> Self {
        Self {
            status: TxExecutionStatus::None,
            outcome: None,
            error,
        }
    }
}

/// The outcomes of a transaction's receipts, and how many are still to come.
#[derive(Default)]
struct Progress {
    outcomes: Vec<ExecutionOutcomeWithIdView>,
    receipts: Vec<ReceiptView>,
    waiting: bool,
    refunds_waiting: bool,
}

impl Chain {
    /// What is known of a transaction that was handed in; `None` if none with this hash was, or it is no longer kept.
    pub fn tx_status(&self, tx_hash: &CryptoHash) -> Option<TxStatus> {
        match self.index.transaction(tx_hash)? {
            Known::Pooled(_) => return Some(TxStatus::without_outcome(None)),
            Known::Refused(refused) => {
                return Some(TxStatus::without_outcome(Some(refused.1.clone())));
            }
            Known::Included => {}
        }
        let transaction_outcome = self.outcome_view(tx_hash)?;
        let progress = self.progress(&transaction_outcome);
        let status = match (progress.waiting, progress.refunds_waiting) {
            (false, false) => TxExecutionStatus::Final,
            (false, true) => TxExecutionStatus::Executed,
            (true, _) => TxExecutionStatus::IncludedFinal,
        };
        let final_outcome = FinalExecutionOutcomeView {
            status: self.last_status(&transaction_outcome),
            transaction: self.transaction(tx_hash)?.clone().into(),
            transaction_outcome,
            receipts_outcome: progress.outcomes,
        };
        let outcome = FinalExecutionOutcomeWithReceiptView {
            final_outcome,
            receipts: progress.receipts,
        };
        Some(TxStatus {
            status,
            outcome: Some(outcome),
            error: None,
        })
    }

    fn progress(&self, of: &ExecutionOutcomeWithIdView) -> Progress {
        let mut progress = Progress::default();
        let mut seen = HashSet::new();
        let mut queue: VecDeque<CryptoHash> = of.outcome.receipt_ids.clone().into();
        while let Some(id) = queue.pop_front() {
            if !seen.insert(id) {
                continue;
            }
            if let Some(outcome) = self.outcome_view(&id) {
                queue.extend(outcome.outcome.receipt_ids.iter().copied());
                progress
                    .receipts
                    .extend(self.receipt(&id).cloned().map(ReceiptView::from));
                progress.outcomes.push(outcome);
            } else if self
                .receipt(&id)
                .is_some_and(|receipt| receipt.predecessor_id().is_system())
            {
                progress.refunds_waiting = true;
            } else {
                progress.waiting = true;
            }
        }
        progress
    }

    /// The status of the receipt that makes a transaction's result.
    fn last_status(&self, of: &ExecutionOutcomeWithIdView) -> FinalExecutionStatus {
        let mut last = of.outcome.status.clone();
        while let ExecutionStatusView::SuccessReceiptId(id) = &last {
            match self.outcome_view(id) {
                Some(outcome) => last = outcome.outcome.status,
                None => break,
            }
        }
        match last {
            ExecutionStatusView::SuccessValue(value) => FinalExecutionStatus::SuccessValue(value),
            ExecutionStatusView::Failure(error) => FinalExecutionStatus::Failure(error),
            ExecutionStatusView::SuccessReceiptId(_) | ExecutionStatusView::Unknown => {
                FinalExecutionStatus::Started
            }
        }
    }

    /// The block in which a transaction or a receipt ran.
    pub fn outcome_block(&self, id: &CryptoHash) -> Option<&Arc<Block>> {
        let (Place::Transaction(height, _) | Place::Receipt(height, _)) = self.index.outcome(id)?;
        self.block_at(height)
    }

    /// What came of a transaction or a receipt.
    pub fn outcome(&self, id: &CryptoHash) -> Option<&ExecutionOutcomeWithId> {
        let block = self.outcome_block(id)?;
        match self.index.outcome(id)? {
            Place::Transaction(_, at) => block.txs.get(at).map(|(_, outcome)| outcome),
            Place::Receipt(_, at) => block.ran.get(at).map(|(_, outcome)| outcome),
        }
    }

    pub(crate) fn outcome_view(&self, id: &CryptoHash) -> Option<ExecutionOutcomeWithIdView> {
        let (block, outcome) = (self.outcome_block(id)?, self.outcome(id)?);
        Some(block.outcome_view(self.outcome_leaf(id)?, outcome))
    }

    /// Where in the tree of its block's outcomes an outcome is.
    pub(crate) fn outcome_leaf(&self, id: &CryptoHash) -> Option<usize> {
        match self.index.outcome(id)? {
            Place::Transaction(_, at) => Some(at),
            Place::Receipt(height, at) => Some(self.block_at(height)?.txs.len().saturating_add(at)),
        }
    }

    /// A transaction that was handed in, by its hash.
    pub fn transaction(&self, tx_hash: &CryptoHash) -> Option<&SignedTransaction> {
        match self.index.transaction(tx_hash)? {
            Known::Pooled(tx) => Some(tx),
            Known::Refused(refused) => Some(&refused.0),
            Known::Included => match self.index.outcome(tx_hash)? {
                Place::Transaction(height, at) => {
                    self.block_at(height)?.txs.get(at).map(|(tx, _)| tx)
                }
                Place::Receipt(..) => None,
            },
        }
    }

    /// A receipt that ran or will run in the next block, by its id.
    pub fn receipt(&self, id: &CryptoHash) -> Option<&Receipt> {
        match self.index.outcome(id) {
            Some(Place::Receipt(height, at)) => self
                .block_at(height)?
                .ran
                .get(at)
                .map(|(receipt, _)| receipt),
            _ => self
                .outgoing
                .iter()
                .find(|receipt| receipt.receipt_id() == id),
        }
    }

    /// The transaction a receipt comes from.
    pub fn transaction_of(&self, receipt_id: &CryptoHash) -> Option<CryptoHash> {
        self.index.origin(receipt_id)
    }
}
