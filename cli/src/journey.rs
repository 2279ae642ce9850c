//! What became of a request, read from the outcome of the transaction that asked.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use clients::near::{At, Node, Outcome};
use protocol::NearToken;
use protocol::event::{Envelope, Event, ExecutionCompleted};

/// The money and the blocks of one request.
#[derive(Clone, Debug)]
pub(crate) struct Journey {
    /// How the contract settled.
    pub(crate) completed: ExecutionCompleted,
    /// The block of the transaction.
    pub(crate) first_block: u64,
    /// The block in which the contract settled and called back.
    pub(crate) callback_block: u64,
}

impl Journey {
    /// Blocks from the transaction to the callback.
    pub(crate) const fn blocks(&self) -> u64 {
        self.callback_block.saturating_sub(self.first_block)
    }

    /// Reads the outcome of a transaction that asked for one execution.
    pub(crate) async fn read(node: &Node, outcome: &Outcome) -> Result<Self> {
        let mut heights = BTreeSet::new();
        let mut settled = None;
        for receipt in &outcome.receipts {
            let completed = receipt.logs.iter().find_map(|log| completed(log));
            if heights.is_empty() || completed.is_some() {
                let header = node.block_header(At::Block(receipt.block_hash)).await?;
                heights.insert(header.height);
                settled = settled.or(completed.map(|completed| (completed, header.height)));
            }
        }
        let (completed, callback_block) =
            settled.context("the request has not ended, or was refused")?;
        Ok(Self {
            completed,
            first_block: heights.first().copied().unwrap_or(callback_block),
            callback_block,
        })
    }
}

fn completed(log: &str) -> Option<ExecutionCompleted> {
    match Envelope::from_log(log)?.event {
        Event::ExecutionCompleted([completed]) => Some(completed),
        Event::ExecutionRequested(_) => None,
    }
}

/// An amount as people read it, cut to a millionth.
pub(crate) fn near(amount: NearToken) -> String {
    const MICRO: u128 = 10u128.pow(18);
    let micro = amount.as_yoctonear().checked_div(MICRO).unwrap_or_default();
    let whole = micro.div_euclid(1_000_000);
    let rest = micro.rem_euclid(1_000_000);
    format!("{whole}.{rest:06} NEAR")
}
