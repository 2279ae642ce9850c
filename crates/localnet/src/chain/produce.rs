//! Making a block, and taking up blocks that were made before.

use super::{Block, Chain};
use crate::persist::{BlockRecord, Record};
use crate::receipts::{Applied, Scene};
use crate::runtime::BlockContext;
use crate::state::State;
use crate::yields;
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::Receipt;
use near_primitives::transaction::SignedTransaction;
use near_primitives::types::{Balance, Gas};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A block that is being made.
struct Draft {
    block: Block,
    outgoing: Vec<Receipt>,
    queue: VecDeque<Receipt>,
}

impl Chain {
    /// Makes one block: the transactions handed in, the receipts of the block before, and the yields that ran out.
    pub fn produce(&mut self) {
        self.produce_after(0);
    }

    /// The same, so long in chain time after the block before; zero leaves that to the chain's time.
    pub(super) fn produce_after(&mut self, forward_ns: u64) {
        let ctx = self.next_context(forward_ns);
        let before = self
            .blocks
            .back()
            .map(|last| last.state.clone())
            .unwrap_or_default();
        let mut draft = self.draft(ctx);
        self.take_transactions(&mut draft);
        let incoming = draft.block.incoming.clone();
        draft.queue.extend(incoming);
        self.run_receipts(&mut draft);
        let mut block = draft.block;
        let timed_out = yields::time_out(&mut block.state, block.ctx.height);
        self.outgoing = draft.outgoing;
        self.outgoing.extend(timed_out);
        self.forward_ns = self.forward_ns.saturating_add(forward_ns);
        self.total_supply = self
            .total_supply
            .saturating_sub(block.burnt)
            .saturating_add(block.minted);
        block.total_supply = self.total_supply;
        if let Some(log) = &mut self.log {
            let record = BlockRecord::new(&block, &before, &self.outgoing, self.forward_ns);
            log.append(&Record::Block(Box::new(record)));
        }
        self.push(block);
    }

    fn draft(&mut self, ctx: BlockContext) -> Draft {
        let prev_hash = self
            .blocks
            .back()
            .map_or(CryptoHash::default(), |last| last.hash);
        let hash = CryptoHash::hash_borsh((self.chain_id(), prev_hash, ctx.height, ctx.timestamp));
        let block = Block {
            ctx,
            hash,
            prev_hash,
            state: self.state.clone(),
            txs: Vec::new(),
            refused: Vec::new(),
            ran: Vec::new(),
            incoming: std::mem::take(&mut self.outgoing),
            origins: Vec::new(),
            gas_used: Gas::ZERO,
            burnt: Balance::ZERO,
            minted: Balance::ZERO,
            total_supply: self.total_supply,
        };
        Draft {
            block,
            outgoing: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// Turns transactions into receipts: those to their own signer run in this block, the others in the next.
    fn take_transactions(&mut self, draft: &mut Draft) {
        let block = &mut draft.block;
        for tx in in_nonce_order(std::mem::take(&mut self.pool)) {
            match self.runtime.accept(&mut block.state, &tx, &block.ctx) {
                Ok((outcome, receipt)) => {
                    block.gas_used = block.gas_used.saturating_add(outcome.outcome.gas_burnt);
                    block.burnt = block.burnt.saturating_add(outcome.outcome.tokens_burnt);
                    block.origins.push((*receipt.receipt_id(), tx.get_hash()));
                    self.index.set_origin(*receipt.receipt_id(), tx.get_hash());
                    block.txs.push((tx, outcome));
                    if receipt.predecessor_id() == receipt.receiver_id() {
                        draft.queue.push_back(receipt);
                    } else {
                        draft.outgoing.push(receipt);
                    }
                }
                Err(error) => block.refused.push((tx, error)),
            }
        }
    }

    fn run_receipts(&mut self, draft: &mut Draft) {
        let base: State = draft.block.state.clone();
        while let Some(receipt) = draft.queue.pop_front() {
            let block = &mut draft.block;
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
            } = applied;
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
            draft.outgoing.extend(outgoing);
            instant
                .into_iter()
                .rev()
                .for_each(|receipt| draft.queue.push_front(receipt));
        }
    }

    /// Makes a block the newest one, and lets go of the oldest.
    fn push(&mut self, block: Block) {
        self.state = block.state.clone();
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
