//! Blocks from a node that offers what its indexer sees (`EXPERIMENTAL_indexer_block`, nearcore 2.14 and later, by
//! `rpc.enable_indexer_rpc`).

use async_trait::async_trait;
use protocol::AccountId;
use serde_json::json;

use super::ReadBlocks;
use super::block::Block;
use super::error::Error;
use super::message::Message;
use super::receipts::{Heights, Origins};
use crate::near::Node;

/// Blocks from a node that offers what its indexer sees.
#[derive(Debug)]
pub struct Indexer {
    node: Node,
    contract_id: AccountId,
    heights: Heights,
    origins: Origins,
}

impl Indexer {
    /// The node's blocks, for what concerns `contract_id`.
    pub fn new(node: Node, contract_id: AccountId) -> Self {
        Self {
            node,
            contract_id,
            heights: Heights::default(),
            origins: Origins::default(),
        }
    }
}

#[async_trait]
impl ReadBlocks for Indexer {
    async fn final_height(&self) -> Result<u64, Error> {
        self.heights.final_height(&self.node).await
    }

    async fn next_after(&self, height: u64) -> Result<Option<Block>, Error> {
        let Some(found) = self.heights.next_after(&self.node, height).await? else {
            return Ok(None);
        };
        let params = json!({"block_hash": found.header.hash});
        let message: Message = self
            .node
            .call("EXPERIMENTAL_indexer_block", &params)
            .await?;
        let mut block = message.into_block(&self.contract_id)?;
        // The indexer's blocks do not name transactions.
        for receipt in &mut block.receipts {
            receipt.transaction_hash = self
                .origins
                .of_receipt(&self.node, receipt.receipt_id, block.height)
                .await?
                .map(|origin| origin.transaction_hash);
        }
        Ok(Some(block))
    }
}
