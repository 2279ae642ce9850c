//! Proofs for light clients, true from end to end.
//!
//! An outcome's path leads to the root of its block's outcomes, which stands in the header of the next block; that header hashes
//! to its block's hash; a block's path leads to the root of all blocks before the client's head; and heads are signed by the
//! validator, of whom there is one, whose set never changes.

use std::sync::Arc;

use near_jsonrpc_primitives::types::light_client::{
    RpcLightClientBlockProofRequest, RpcLightClientBlockProofResponse,
    RpcLightClientExecutionProofRequest, RpcLightClientExecutionProofResponse,
    RpcLightClientNextBlockError, RpcLightClientNextBlockRequest, RpcLightClientNextBlockResponse,
    RpcLightClientProofError,
};
use near_primitives::block_header::BlockHeader;
use near_primitives::hash::CryptoHash;
use near_primitives::merkle::MerklePath;
use near_primitives::types::TransactionOrReceiptId;
use near_primitives::views::{LightClientBlockLiteView, LightClientBlockView};
use serde_json::Value;

use super::{Reader, RpcError, params};
use crate::chain::{Block, MerkleTree, stake};

/// Proves what came of a transaction or a receipt.
pub(super) fn execution_proof(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcLightClientExecutionProofRequest {
        id,
        light_client_head,
    } = params::parse(params)?;
    let id = match id {
        TransactionOrReceiptId::Transaction {
            transaction_hash, ..
        } => transaction_hash,
        TransactionOrReceiptId::Receipt { receipt_id, .. } => receipt_id,
    };
    let unknown = || RpcLightClientProofError::UnknownTransactionOrReceipt {
        transaction_or_receipt_id: id,
    };
    let block = reader.chain.outcome_block(&id).ok_or_else(unknown)?;
    let outcome_proof = reader.chain.outcome_view(&id).ok_or_else(unknown)?;
    let head = known(reader, &light_client_head)?;
    // The root of a block's outcomes stands in the header of the next one.
    let next = reader.after(block);
    let next = next.filter(|next| next.height() <= head.height());
    let next = next.ok_or(RpcLightClientProofError::NotConfirmed {
        transaction_or_receipt_id: id,
    })?;
    params::answer(RpcLightClientExecutionProofResponse {
        outcome_proof,
        outcome_root_proof: MerkleTree::of([block.outcome_tree.root()]).path(0),
        block_header_lite: lite(next),
        block_proof: prove_block(reader, next, head),
    })
}

/// Proves that a block is on the chain that a later block ends.
pub(super) fn block_proof(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcLightClientBlockProofRequest {
        block_hash,
        light_client_head,
    } = params::parse(params)?;
    let (block, head) = (
        known(reader, &block_hash)?,
        known(reader, &light_client_head)?,
    );
    params::answer(RpcLightClientBlockProofResponse {
        block_header_lite: lite(block),
        block_proof: prove_block(reader, block, head),
    })
}

/// The newest block after the one the client knows that it can be shown to be final; nothing when it knows that already.
pub(super) fn next_block(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcLightClientNextBlockRequest { last_block_hash } =
        params::parse(params::single(params, "last_block_hash"))?;
    let unknown = || RpcLightClientNextBlockError::UnknownBlock {
        error_message: last_block_hash.to_string(),
    };
    let last = reader.block_by_hash(&last_block_hash).ok_or_else(unknown)?;
    // What the head declares final has two more blocks on top of it, of which the second has the approvals of the first.
    let newest = reader.block_by_hash(reader.chain.head().header.last_final_block());
    let newest = newest.filter(|newest| newest.height() > last.height());
    match newest.and_then(|newest| signed(reader, newest)) {
        None => Ok(Value::Object(serde_json::Map::new())),
        some => params::answer(RpcLightClientNextBlockResponse {
            light_client_block: some.map(Arc::new),
        }),
    }
}

/// A block with what shows that it is final.
fn signed(reader: Reader<'_>, block: &Block) -> Option<LightClientBlockView> {
    let next = reader.after(block)?;
    let after_next = reader.after(next)?;
    let header = &next.header;
    let next_block_inner_hash =
        BlockHeader::compute_inner_hash(&header.inner_lite_bytes(), &header.inner_rest_bytes());
    let LightClientBlockLiteView {
        prev_block_hash,
        inner_rest_hash,
        inner_lite,
    } = lite(block);
    Some(LightClientBlockView {
        prev_block_hash,
        next_block_inner_hash,
        inner_lite,
        inner_rest_hash,
        next_bps: Some(vec![stake().into()]),
        approvals_after_next: after_next.header.approvals().to_vec(),
    })
}

fn known<'a>(reader: Reader<'a>, hash: &CryptoHash) -> Result<&'a Block, RpcLightClientProofError> {
    let unknown = || RpcLightClientProofError::UnknownBlock {
        error_message: hash.to_string(),
    };
    reader.block_by_hash(hash).ok_or_else(unknown)
}

/// The way from a block to the root of all blocks before the head, which stands in the head's header.
fn prove_block(reader: Reader<'_>, block: &Block, head: &Block) -> MerklePath {
    if block.height() >= head.height() {
        return MerklePath::new();
    }
    let ordinal = block.header.block_ordinal();
    let leaf = usize::try_from(ordinal.saturating_sub(1)).unwrap_or(usize::MAX);
    reader.chain.ancestors_of(head).path(leaf)
}

fn lite(block: &Block) -> LightClientBlockLiteView {
    BlockHeader::clone(&block.header).into()
}
