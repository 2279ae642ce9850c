//! Making a block, and taking up blocks that were made before.

use super::{Block, Chain, MerkleTree};
use crate::genesis::{FAST_FORWARD_STEP, nanos};
use crate::persist::{BlockRecord, Record};
use crate::receipts::{Applied, Scene};
use crate::runtime::BlockContext;
use crate::state::{Change, State};
use crate::yields;
use near_primitives::block_header::BlockHeader;
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::Receipt;
use near_primitives::sharding::ShardChunkHeader;
use near_primitives::transaction::{ExecutionOutcomeWithId, SignedTransaction};
use near_primitives::types::{Balance, Gas, StateChangeCause};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How a block follows the one before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// At the next height, when it is time.
    Next,
    /// So many heights on, without waiting.
    Forward {
        /// At least one.
        heights: u64,
    },
}

impl Step {
    pub(super) const fn heights(self) -> u64 {
        match self {
            Self::Next => 1,
            Self::Forward { heights } => heights,
        }
    }

    /// How far the step puts the clock forward.
    pub(super) fn forward_ns(self) -> u64 {
        match self {
            Self::Next => 0,
            Self::Forward { heights } => nanos(FAST_FORWARD_STEP).saturating_mul(heights),
        }
    }
}

/// A block that is being made.
pub(super) struct Draft {
    pub(super) ctx: BlockContext,
    pub(super) incoming: Vec<Receipt>,
    pub(super) txs: Vec<(SignedTransaction, ExecutionOutcomeWithId)>,
    refused: Vec<(SignedTransaction, InvalidTxError)>,
    ran: Vec<(Receipt, ExecutionOutcomeWithId)>,
    origins: Vec<(CryptoHash, CryptoHash)>,
    state: State,
    changes: Vec<Change>,
    gas_used: Gas,
    burnt: Balance,
    minted: Balance,
    /// For this block.
    queue: VecDeque<Receipt>,
    /// For the next block.
    outgoing: Vec<Receipt>,
}

impl Chain {
    /// Makes one block: the transactions handed in, the receipts of the block before, and the yields that ran out.
    pub fn produce(&mut self) {
        self.produce_after(Step::Next);
    }

    pub(super) fn produce_after(&mut self, step: Step) {
        let mut draft = self.draft(step);
        self.take_transactions(&mut draft);
        let headers = self.seal(&draft);
        draft.queue.extend(draft.incoming.iter().cloned());
        self.run_receipts(&mut draft);
        let timed_out = yields::time_out(&mut draft.state, draft.ctx.height);
        draft.outgoing.extend(timed_out);
        // A node changes its queue of time-outs under the name of its other queue.
        let changes = draft
            .state
            .commit(&StateChangeCause::UpdatedDelayedReceipts);
        draft.changes.extend(changes);
        draft.changes.sort_by(|a, b| a.key.cmp(&b.key));
        self.forward_ns = self.forward_ns.saturating_add(step.forward_ns());
        self.total_supply = self
            .total_supply
            .saturating_sub(draft.burnt)
            .saturating_add(draft.minted);
        self.outgoing = std::mem::take(&mut draft.outgoing);
        let block = self.finish(draft, headers);
        if let Some(log) = &mut self.log {
            let record = BlockRecord::new(&block, &self.outgoing, self.forward_ns);
            log.append(&Record::Block(Box::new(record)));
        }
        self.push(block);
    }

    fn draft(&mut self, step: Step) -> Draft {
        // What was written between two blocks was a patch, which a node counts as a migration.
        let cause = if self.blocks.is_empty() {
            StateChangeCause::InitialState
        } else {
            StateChangeCause::Migration
        };
        Draft {
            ctx: self.next_context(step),
            incoming: std::mem::take(&mut self.outgoing),
            txs: Vec::new(),
            refused: Vec::new(),
            ran: Vec::new(),
            origins: Vec::new(),
            changes: self.state.commit(&cause),
            state: self.state.clone(),
            gas_used: Gas::ZERO,
            burnt: Balance::ZERO,
            minted: Balance::ZERO,
            queue: VecDeque::new(),
            outgoing: Vec::new(),
        }
    }

    fn finish(&self, draft: Draft, headers: (ShardChunkHeader, BlockHeader)) -> Block {
        let (chunk, header) = headers;
        Block {
            ctx: draft.ctx,
            hash: *header.hash(),
            prev_hash: *header.prev_hash(),
            header: Box::new(header),
            chunk: Box::new(chunk),
            state: draft.state,
            changes: draft.changes,
            outcome_tree: outcome_tree(&draft.txs, &draft.ran),
            txs: draft.txs,
            refused: draft.refused,
            ran: draft.ran,
            incoming: draft.incoming,
            origins: draft.origins,
            gas_used: draft.gas_used,
            burnt: draft.burnt,
            minted: draft.minted,
            total_supply: self.total_supply,
        }
    }

    /// Turns transactions into receipts: those to their own signer run in this block, the others in the next.
    fn take_transactions(&mut self, block: &mut Draft) {
        for tx in in_nonce_order(std::mem::take(&mut self.pool)) {
            match self.runtime.accept(&mut block.state, &tx, &block.ctx) {
                Ok((outcome, receipt)) => {
                    block.gas_used = block.gas_used.saturating_add(outcome.outcome.gas_burnt);
                    block.burnt = block.burnt.saturating_add(outcome.outcome.tokens_burnt);
                    block.origins.push((*receipt.receipt_id(), tx.get_hash()));
                    self.index.set_origin(*receipt.receipt_id(), tx.get_hash());
                    let tx_hash = tx.get_hash();
                    let cause = StateChangeCause::TransactionProcessing { tx_hash };
                    block.changes.extend(block.state.commit(&cause));
                    block.txs.push((tx, outcome));
                    if receipt.predecessor_id() == receipt.receiver_id() {
                        block.queue.push_back(receipt);
                    } else {
                        block.outgoing.push(receipt);
                    }
                }
                Err(error) => block.refused.push((tx, error)),
            }
        }
    }

    fn run_receipts(&mut self, block: &mut Draft) {
        let base: State = block.state.clone();
        while let Some(receipt) = block.queue.pop_front() {
            let parent = *receipt.receipt_id();
            let scene = Scene {
                block: &block.ctx,
                base: &base,
            };
            let applied = self.runtime.process(&mut block.state, receipt, &scene);
            let Applied {
                ran,
                outgoing,
                instant,
                burnt,
                minted,
                changes,
            } = applied;
            block.changes.extend(changes);
            let parent = ran
                .as_ref()
                .map_or(parent, |(receipt, _)| *receipt.receipt_id());
            if let Some(tx) = self.index.origin(&parent) {
                for made in outgoing.iter().chain(&instant) {
                    block.origins.push((*made.receipt_id(), tx));
                    self.index.set_origin(*made.receipt_id(), tx);
                }
            }
            block.burnt = block.burnt.saturating_add(burnt);
            block.minted = block.minted.saturating_add(minted);
            if let Some((receipt, outcome)) = ran {
                block.gas_used = block.gas_used.saturating_add(outcome.outcome.gas_burnt);
                block.ran.push((receipt, outcome));
            }
            block.outgoing.extend(outgoing);
            instant
                .into_iter()
                .rev()
                .for_each(|receipt| block.queue.push_front(receipt));
        }
    }

    /// Makes a block the newest one, and lets go of the oldest.
    fn push(&mut self, block: Block) {
        self.state = block.state.clone();
        self.ancestors.add(block.hash);
        self.index.add(&block);
        self.blocks.push_back(Arc::new(block));
        while u64::try_from(self.blocks.len()).unwrap_or(u64::MAX) > self.keep_blocks {
            if let Some(oldest) = self.blocks.pop_front() {
                self.index.remove(&oldest);
            }
        }
    }

    /// Takes up what a log holds, in order.
    pub(super) fn take_up(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::Block(record) => {
                    let before = self
                        .blocks
                        .back()
                        .map(|last| last.state.clone())
                        .unwrap_or_default();
                    let incoming = std::mem::take(&mut self.outgoing);
                    let (block, outgoing, forward_ns) = record.restore(before, incoming);
                    self.outgoing = outgoing;
                    self.forward_ns = forward_ns;
                    self.total_supply = block.total_supply;
                    self.push(block);
                }
            }
        }
    }
}

/// The outcomes of a block as its light clients count them.
pub(crate) fn outcome_tree(
    txs: &[(SignedTransaction, ExecutionOutcomeWithId)],
    ran: &[(Receipt, ExecutionOutcomeWithId)],
) -> MerkleTree {
    let txs = txs.iter().map(|(_, outcome)| outcome);
    let ran = ran.iter().map(|(_, outcome)| outcome);
    MerkleTree::of(txs.chain(ran).map(ExecutionOutcomeWithId::to_hashes))
}

/// Transactions key by key, in the order in which the keys came; those of one key by their nonces, since clients that keep
/// several under way cannot make them arrive in order.
fn in_nonce_order(pool: VecDeque<SignedTransaction>) -> Vec<SignedTransaction> {
    let mut keys = HashMap::new();
    let mut ordered: Vec<_> = pool
        .into_iter()
        .map(|tx| {
            let key = (
                tx.transaction.signer_id().clone(),
                tx.transaction.public_key().clone(),
            );
            let next = keys.len();
            let rank: usize = *keys.entry(key).or_insert(next);
            (rank, tx.transaction.nonce().nonce(), tx)
        })
        .collect();
    ordered.sort_by_key(|(rank, nonce, _)| (*rank, *nonce));
    ordered.into_iter().map(|(_, _, tx)| tx).collect()
}
