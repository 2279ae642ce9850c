//! Blocks from any node, by more questions.
//!
//! A node does not say what ran in a block, but it says what was sent (`chunk`) and what became of a transaction
//! (`EXPERIMENTAL_tx_status`). So: every receipt for the contract that a chunk shows leads to its transaction, and every
//! transaction that touches the contract is asked about in each block until all of it is final. That finds the receipts that
//! no chunk shows as well: those to oneself, and the callbacks of yields.
//!
//! A yield may end long after it began, so the first block is read after a look back over the life of a yield.

mod heights;
mod origins;
mod status;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use near_primitives::hash::CryptoHash;
use protocol::AccountId;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

pub(super) use heights::{Found, Heights};
pub(super) use origins::Origins;
use status::{Placed, TransactionStatus};

use super::ReadBlocks;
use super::block::Block;
use super::error::Error;
use crate::near::{ChainLimits, Node};

/// Questions that are asked at a time.
const AT_ONCE: usize = 8;

/// What is added to the life of a yield for the look back: the blocks between a time-out and the end of its callback.
const MARGIN_BLOCKS: u64 = 50;

/// How long a transaction that is all final is remembered: several times the life of a yield, while reading far behind the
/// chain's head. Unit: blocks.
const OVER_BLOCKS: u64 = 1_000;

/// Blocks from any node, by more questions.
#[derive(Debug)]
pub struct Receipts {
    node: Node,
    contract_id: AccountId,
    look_back: u64,
    heights: Heights,
    origins: Origins,
    tracked: Mutex<Tracked>,
}

/// The transactions that touch the contract and are not all final.
#[derive(Debug, Default)]
struct Tracked {
    /// The last block that was read.
    height: Option<u64>,
    open: BTreeMap<CryptoHash, Open>,
    /// The blocks of the look back, which are not given.
    passed: HashSet<CryptoHash>,
    /// The transactions that are all final, so that chunks that are read later do not open them again, with the heights at
    /// which that was found.
    over: HashSet<CryptoHash>,
    over_since: VecDeque<(u64, CryptoHash)>,
    /// What ran in blocks that are still to be read, of transactions that are all final.
    ahead: HashMap<CryptoHash, Vec<Placed>>,
}

/// A transaction that touches the contract and is not all final.
#[derive(Debug)]
struct Open {
    signer_id: AccountId,
    /// Its receipts that were given with the blocks so far.
    given: HashSet<CryptoHash>,
}

#[derive(Deserialize)]
struct Chunk {
    transactions: Vec<SentTransaction>,
    receipts: Vec<SentReceipt>,
}

#[derive(Deserialize)]
struct SentTransaction {
    hash: CryptoHash,
    signer_id: String,
    receiver_id: String,
}

#[derive(Deserialize)]
struct SentReceipt {
    receipt_id: CryptoHash,
    predecessor_id: String,
    receiver_id: String,
    receipt: SentBody,
}

#[derive(Deserialize)]
struct SentBody {
    #[serde(rename = "Action", default)]
    action: Option<SentAction>,
}

#[derive(Deserialize)]
struct SentAction {
    signer_id: String,
}

impl Tracked {
    fn open(&mut self, transaction: CryptoHash, signer_id: AccountId) {
        if self.over.contains(&transaction) {
            return;
        }
        self.open.entry(transaction).or_insert_with(|| Open {
            signer_id,
            given: HashSet::new(),
        });
    }

    /// Puts what ran in `block` into `here`, and once the transaction is over, what is left of it where later blocks find it.
    fn sort_out(
        &mut self,
        status: TransactionStatus,
        block: CryptoHash,
        contract: &AccountId,
        here: &mut Vec<Placed>,
    ) -> Result<(), Error> {
        let (hash, is_over) = (status.hash, status.is_final);
        let placed = status.placed(contract)?;
        let Some(open) = self.open.get_mut(&hash) else {
            return Ok(());
        };
        for (at, placed) in placed {
            let receipt_id = placed.receipt.receipt_id;
            if at == block {
                open.given.insert(receipt_id);
                here.push(placed);
            } else if is_over && !open.given.contains(&receipt_id) && !self.passed.contains(&at) {
                self.ahead.entry(at).or_default().push(placed);
            }
        }
        if is_over {
            self.open.remove(&hash);
            self.over.insert(hash);
            self.over_since
                .push_back((self.height.unwrap_or_default(), hash));
        }
        Ok(())
    }

    /// Goes on to a block, and forgets what no chunk will name again.
    fn go_on_to(&mut self, height: u64) {
        self.height = Some(height);
        let oldest = height.saturating_sub(OVER_BLOCKS);
        while let Some((_, hash)) = self.over_since.pop_front_if(|(since, _)| *since < oldest) {
            self.over.remove(&hash);
        }
    }
}

impl Receipts {
    /// The node's blocks, for what concerns `contract_id`, with a look back over the life of a yield as `limits` has it.
    pub fn new(node: Node, contract_id: AccountId, limits: &ChainLimits) -> Self {
        Self {
            node,
            contract_id,
            look_back: limits.yield_timeout_blocks.saturating_add(MARGIN_BLOCKS),
            heights: Heights::default(),
            origins: Origins::default(),
            tracked: Mutex::default(),
        }
    }

    /// Learns which transactions touched the contract in the blocks up to `height` and may not have ended there.
    async fn look_back(&self, height: u64) -> Result<Tracked, Error> {
        let mut tracked = Tracked::default();
        let mut at = height.saturating_sub(self.look_back);
        while let Some(found) = self.heights.next_after(&self.node, at).await? {
            if found.header.height > height {
                break;
            }
            self.notice(&mut tracked, &found).await?;
            tracked.passed.insert(found.header.hash);
            at = found.header.height;
        }
        tracked.height = Some(height);
        Ok(tracked)
    }

    /// The chunks that came with a block.
    async fn chunks(&self, found: &Found) -> Result<Vec<Chunk>, Error> {
        let height = found.header.height;
        let new = found.chunks.iter().filter(|chunk| chunk.is_new(height));
        let asked: Vec<_> = new
            .map(|chunk| {
                let params = json!({"chunk_id": chunk.chunk_hash});
                async move { self.node.call("chunk", &params).await }
            })
            .collect();
        let chunks = stream::iter(asked).buffered(AT_ONCE).try_collect().await;
        Ok(chunks?)
    }

    /// Notes the transactions that a block shows to touch the contract.
    async fn notice(&self, tracked: &mut Tracked, found: &Found) -> Result<(), Error> {
        let chunks = self.chunks(found).await?;
        let contract = self.contract_id.as_str();
        for chunk in &chunks {
            for transaction in &chunk.transactions {
                self.origins
                    .remember(
                        transaction.hash,
                        &transaction.signer_id,
                        found.header.height,
                    )
                    .await;
                if transaction.receiver_id == contract {
                    let signer = account(&transaction.signer_id, transaction.hash)?;
                    tracked.open(transaction.hash, signer);
                }
            }
        }
        for receipt in chunks.iter().flat_map(|chunk| &chunk.receipts) {
            // Data has no outcome of its own, and a refund logs nothing.
            let Some(action) = &receipt.receipt.action else {
                continue;
            };
            if receipt.receiver_id == contract && receipt.predecessor_id != "system" {
                let origin = self
                    .origins
                    .of_sent(
                        &self.node,
                        receipt.receipt_id,
                        &action.signer_id,
                        found.header.height,
                    )
                    .await?;
                tracked.open(origin.transaction_hash, origin.signer_id);
            }
        }
        Ok(())
    }

    /// What ran on the contract in a block.
    async fn executed(
        &self,
        tracked: &mut Tracked,
        block: CryptoHash,
    ) -> Result<Vec<Placed>, Error> {
        let asked: Vec<_> = tracked
            .open
            .iter()
            .map(|(hash, open)| TransactionStatus::ask(&self.node, *hash, open.signer_id.clone()))
            .collect();
        let statuses: Vec<TransactionStatus> =
            stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let mut here = tracked.ahead.remove(&block).unwrap_or_default();
        for status in statuses {
            tracked.sort_out(status, block, &self.contract_id, &mut here)?;
        }
        // A receipt runs once; it may be known both from before and from a transaction that was opened again.
        let mut known = HashSet::new();
        here.retain(|placed| known.insert(placed.receipt.receipt_id));
        here.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(here)
    }

    async fn read(&self, tracked: &mut Tracked, found: Found) -> Result<Block, Error> {
        self.notice(tracked, &found).await?;
        let placed = self.executed(tracked, found.header.hash).await?;
        let header = found.header;
        Ok(Block {
            height: header.height,
            hash: header.hash,
            prev_hash: header.prev_hash,
            prev_height: header.prev_height,
            timestamp_ns: header.timestamp_ns,
            receipts: placed.into_iter().map(|placed| placed.receipt).collect(),
        })
    }
}

/// An account that a node wrote.
fn account(text: &str, of: CryptoHash) -> Result<AccountId, Error> {
    text.parse().map_err(|error| Error::Malformed {
        what: format!("what the node says of {of}"),
        reason: format!("{text:?} is no account: {error}"),
    })
}

#[async_trait]
impl ReadBlocks for Receipts {
    async fn final_height(&self) -> Result<u64, Error> {
        self.heights.final_height(&self.node).await
    }

    async fn next_after(&self, height: u64) -> Result<Option<Block>, Error> {
        let Some(found) = self.heights.next_after(&self.node, height).await? else {
            return Ok(None);
        };
        let mut kept = self.tracked.lock().await;
        // Taken out, so that a failure halfway leaves nothing behind that is half true.
        let tracked = std::mem::take(&mut *kept);
        let mut tracked = if tracked.height == Some(height) {
            tracked
        } else {
            self.look_back(height).await?
        };
        let block = self.read(&mut tracked, found).await?;
        tracked.go_on_to(block.height);
        *kept = tracked;
        drop(kept);
        Ok(Some(block))
    }
}
