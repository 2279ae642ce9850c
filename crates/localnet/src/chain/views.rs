//! Blocks as a node shows them to clients and to indexers.

use super::{Block, Chain, SHARD};
use crate::genesis::VALIDATOR;
use near_indexer_primitives::{
    IndexerChunkView, IndexerExecutionOutcomeWithOptionalReceipt,
    IndexerExecutionOutcomeWithReceipt, IndexerShard, IndexerTransactionWithOutcome,
    StreamerMessage,
};
use near_primitives::sharding::ShardChunkHeader;
use near_primitives::transaction::ExecutionOutcomeWithId;
use near_primitives::types::AccountId;
use near_primitives::views::{
    BlockView, ChunkHeaderView, ChunkView, ExecutionOutcomeWithIdView, ReceiptView,
};

impl Chain {
    /// Who made every block.
    #[expect(clippy::expect_used, reason = "the name is a constant")]
    pub fn author() -> AccountId {
        VALIDATOR
            .parse()
            .expect("the validator's name is an account's")
    }

    /// A block with its header and the header of its one chunk.
    pub fn block_view(block: &Block) -> BlockView {
        BlockView {
            author: Self::author(),
            header: block.header.as_ref().into(),
            chunks: vec![block.chunk_header()],
        }
    }

    /// What a block's one chunk took in.
    pub fn chunk_view(block: &Block) -> ChunkView {
        ChunkView {
            author: Self::author(),
            header: block.chunk_header(),
            transactions: block.txs.iter().map(|(tx, _)| tx.clone().into()).collect(),
            receipts: block.incoming_views(),
        }
    }

    /// What an indexer is given for a block.
    pub fn streamer_message(block: &Block) -> StreamerMessage {
        StreamerMessage {
            block: Self::block_view(block),
            shards: vec![IndexerShard {
                shard_id: SHARD,
                chunk: Some(block.indexer_chunk()),
                receipt_execution_outcomes: block.indexer_outcomes(),
                state_changes: block.state_changes(),
            }],
        }
    }

    /// The same, with each outcome's transaction, as neardata.xyz serves it.
    pub fn neardata(&self, block: &Block) -> serde_json::Value {
        let mut message = serde_json::to_value(Self::streamer_message(block)).unwrap_or_default();
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

impl Block {
    fn chunk_header(&self) -> ChunkHeaderView {
        ShardChunkHeader::clone(&self.chunk).into()
    }

    fn incoming_views(&self) -> Vec<ReceiptView> {
        self.incoming.iter().cloned().map(Into::into).collect()
    }

    fn indexer_chunk(&self) -> IndexerChunkView {
        let transactions = self.txs.iter().enumerate();
        let transactions = transactions.map(|(at, (tx, outcome))| IndexerTransactionWithOutcome {
            transaction: tx.clone().into(),
            outcome: IndexerExecutionOutcomeWithOptionalReceipt {
                execution_outcome: self.outcome_view(at, outcome),
                receipt: None,
            },
        });
        IndexerChunkView {
            author: Chain::author(),
            header: self.chunk_header(),
            transactions: transactions.collect(),
            receipts: self.incoming_views(),
            local_receipts: Vec::new(),
            instant_receipts: Vec::new(),
        }
    }

    fn indexer_outcomes(&self) -> Vec<IndexerExecutionOutcomeWithReceipt> {
        let ran = (self.txs.len()..).zip(&self.ran);
        ran.map(
            |(leaf, (receipt, outcome))| IndexerExecutionOutcomeWithReceipt {
                execution_outcome: self.outcome_view(leaf, outcome),
                receipt: receipt.clone().into(),
            },
        )
        .collect()
    }

    /// An outcome with its path to the root that the next header has, given its place among the block's outcomes.
    pub(crate) fn outcome_view(
        &self,
        leaf: usize,
        outcome: &ExecutionOutcomeWithId,
    ) -> ExecutionOutcomeWithIdView {
        ExecutionOutcomeWithIdView {
            proof: self.outcome_tree.path(leaf),
            block_hash: self.hash,
            id: outcome.id,
            outcome: outcome.outcome.clone().into(),
        }
    }
}
