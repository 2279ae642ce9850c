//! Blocks as a node shows them to clients and to indexers.

use super::{Block, Chain};
use crate::genesis::VALIDATOR;
use near_crypto::{KeyType, Signature};
use near_indexer_primitives::{
    IndexerChunkView, IndexerExecutionOutcomeWithOptionalReceipt,
    IndexerExecutionOutcomeWithReceipt, IndexerShard, IndexerTransactionWithOutcome,
    StreamerMessage,
};
use near_primitives::congestion_info::CongestionInfo;
use near_primitives::hash::{CryptoHash, hash};
use near_primitives::transaction::ExecutionOutcomeWithId;
use near_primitives::types::{AccountId, Balance, Gas, ShardId};
use near_primitives::version::PROTOCOL_VERSION;
use near_primitives::views::{
    BlockHeaderView, BlockView, ChunkHeaderView, ChunkView, ExecutionOutcomeWithIdView,
};

/// What a block may burn. Unit: gas. Source: mainnet's genesis; nothing here holds a block to it.
pub(crate) const GAS_LIMIT: Gas = Gas::from_teragas(1000);

impl Chain {
    /// Who made every block.
    #[expect(clippy::expect_used, reason = "the name is a constant")]
    pub fn author() -> AccountId {
        VALIDATOR
            .parse()
            .expect("the validator's name is an account's")
    }

    /// A block with its header and the header of its one chunk.
    pub fn block_view(&self, block: &Block) -> BlockView {
        BlockView {
            author: Self::author(),
            header: self.header(block),
            chunks: vec![chunk_header(block)],
        }
    }

    /// What a block's one chunk took in.
    pub fn chunk_view(&self, block: &Block) -> ChunkView {
        ChunkView {
            author: Self::author(),
            header: chunk_header(block),
            transactions: block.txs.iter().map(|(tx, _)| tx.clone().into()).collect(),
            receipts: block
                .incoming
                .iter()
                .map(|receipt| receipt.clone().into())
                .collect(),
        }
    }

    fn header(&self, block: &Block) -> BlockHeaderView {
        let below = |blocks: u64| {
            let height = block.height().saturating_sub(blocks);
            self.block_at(height)
                .map_or(CryptoHash::default(), |block| block.hash)
        };
        BlockHeaderView {
            height: block.height(),
            prev_height: block.height().checked_sub(1),
            hash: block.hash,
            prev_hash: block.prev_hash,
            timestamp: block.ctx.timestamp,
            timestamp_nanosec: block.ctx.timestamp,
            chunks_included: 1,
            chunk_mask: vec![true],
            gas_price: block.ctx.gas_price,
            total_supply: block.total_supply,
            last_final_block: below(self.finality_lag()),
            last_ds_final_block: below(self.finality_lag().min(1)),
            random_value: block.ctx.random_seed,
            block_ordinal: Some(block.height()),
            block_body_hash: Some(block.hash),
            approvals: vec![Some(Box::new(Signature::empty(KeyType::ED25519)))],
            chunk_endorsements: Some(vec![vec![1]]),
            latest_protocol_version: PROTOCOL_VERSION,
            ..Default::default()
        }
    }

    /// What an indexer is given for a block.
    pub fn streamer_message(&self, block: &Block) -> StreamerMessage {
        StreamerMessage {
            block: self.block_view(block),
            shards: vec![IndexerShard {
                shard_id: ShardId::new(0),
                chunk: Some(chunk(block)),
                receipt_execution_outcomes: block
                    .ran
                    .iter()
                    .map(|(receipt, outcome)| IndexerExecutionOutcomeWithReceipt {
                        execution_outcome: outcome_view(block, outcome),
                        receipt: receipt.clone().into(),
                    })
                    .collect(),
                state_changes: Vec::new(),
            }],
        }
    }

    /// The same, with each outcome's transaction, as neardata.xyz serves it.
    pub fn neardata(&self, block: &Block) -> serde_json::Value {
        let mut message = serde_json::to_value(self.streamer_message(block)).unwrap_or_default();
        let outcomes = message.pointer_mut("/shards/0/receipt_execution_outcomes");
        let outcomes = outcomes
            .and_then(serde_json::Value::as_array_mut)
            .into_iter()
            .flatten();
        for (outcome, (receipt, _)) in outcomes.zip(&block.ran) {
            if let Some(fields) = outcome.as_object_mut() {
                let tx_hash = self
                    .transaction_of(receipt.receipt_id())
                    .map(|hash| hash.to_string());
                fields.insert("tx_hash".to_owned(), tx_hash.into());
            }
        }
        message
    }
}

fn chunk(block: &Block) -> IndexerChunkView {
    IndexerChunkView {
        author: Chain::author(),
        header: chunk_header(block),
        transactions: block
            .txs
            .iter()
            .map(|(tx, outcome)| IndexerTransactionWithOutcome {
                transaction: tx.clone().into(),
                outcome: IndexerExecutionOutcomeWithOptionalReceipt {
                    execution_outcome: outcome_view(block, outcome),
                    receipt: None,
                },
            })
            .collect(),
        receipts: block
            .incoming
            .iter()
            .map(|receipt| receipt.clone().into())
            .collect(),
        local_receipts: Vec::new(),
        instant_receipts: Vec::new(),
    }
}

pub(super) fn outcome_view(
    block: &Block,
    outcome: &ExecutionOutcomeWithId,
) -> ExecutionOutcomeWithIdView {
    ExecutionOutcomeWithIdView {
        proof: Vec::new(),
        block_hash: block.hash,
        id: outcome.id,
        outcome: outcome.outcome.clone().into(),
    }
}

fn chunk_header(block: &Block) -> ChunkHeaderView {
    ChunkHeaderView {
        chunk_hash: hash(block.hash.as_ref()),
        prev_block_hash: block.prev_hash,
        outcome_root: CryptoHash::default(),
        prev_state_root: CryptoHash::default(),
        encoded_merkle_root: CryptoHash::default(),
        encoded_length: 0,
        height_created: block.height(),
        height_included: block.height(),
        shard_id: ShardId::new(0),
        gas_used: block.gas_used,
        gas_limit: GAS_LIMIT,
        rent_paid: Balance::ZERO,
        validator_reward: Balance::ZERO,
        balance_burnt: block.burnt,
        outgoing_receipts_root: CryptoHash::default(),
        tx_root: CryptoHash::default(),
        validator_proposals: Vec::new(),
        congestion_info: Some(CongestionInfo::default().into()),
        bandwidth_requests: None,
        proposed_split: None,
        signature: Signature::empty(KeyType::ED25519),
    }
}
