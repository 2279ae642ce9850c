//! Proofs for light clients.
//!
//! The paths are real: an outcome's path leads to the root of its block's outcomes, a block's path to the root of all
//! block hashes. What a localnet cannot give is a header that hashes to the block's hash and is signed by validators, so
//! that a client which verifies a whole chain of trust will not accept it.

use near_jsonrpc_primitives::types::light_client::{
    RpcLightClientBlockProofRequest, RpcLightClientBlockProofResponse,
    RpcLightClientExecutionProofRequest, RpcLightClientExecutionProofResponse,
    RpcLightClientNextBlockError, RpcLightClientNextBlockRequest, RpcLightClientNextBlockResponse,
    RpcLightClientProofError,
};
use near_primitives::hash::CryptoHash;
use near_primitives::merkle::{MerklePath, merklize};
use near_primitives::transaction::ExecutionOutcomeWithId;
use near_primitives::types::TransactionOrReceiptId;
use near_primitives::views::{
    BlockHeaderInnerLiteView, ExecutionOutcomeWithIdView, LightClientBlockLiteView,
    LightClientBlockView,
};
use serde_json::Value;

use super::{Reader, RpcError, params};
use crate::chain::Block;

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
    let unknown = RpcLightClientProofError::UnknownTransactionOrReceipt {
        transaction_or_receipt_id: id,
    };
    let block = reader.chain.outcome_block(&id).ok_or(unknown)?;
    let head = known(reader, &light_client_head)?;
    // The root of a block's outcomes stands in the header of the next one.
    let header = block
        .height()
        .checked_add(1)
        .and_then(|height| reader.block_at(height));
    let header = header.filter(|header| header.height() <= head.height());
    let header = header.ok_or(RpcLightClientProofError::NotConfirmed {
        transaction_or_receipt_id: id,
    })?;
    let (shard_root, proof, outcome) =
        prove_outcome(block, id).ok_or(RpcLightClientProofError::UnknownTransactionOrReceipt {
            transaction_or_receipt_id: id,
        })?;
    let (_, shards) = merklize(&[shard_root]);
    params::answer(RpcLightClientExecutionProofResponse {
        outcome_proof: ExecutionOutcomeWithIdView {
            proof,
            block_hash: block.hash,
            id,
            outcome: outcome.outcome.clone().into(),
        },
        outcome_root_proof: shards.into_iter().next().unwrap_or_default(),
        block_header_lite: lite(reader, header),
        block_proof: prove_block(reader, header, head),
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
        block_header_lite: lite(reader, block),
        block_proof: prove_block(reader, block, head),
    })
}

/// The newest final block after one that the client knows; nothing when it knows it already.
pub(super) fn next_block(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcLightClientNextBlockRequest { last_block_hash } =
        params::parse(params::single(params, "last_block_hash"))?;
    let unknown = || RpcLightClientNextBlockError::UnknownBlock {
        error_message: last_block_hash.to_string(),
    };
    let last = reader.block_by_hash(&last_block_hash).ok_or_else(unknown)?;
    let newest = reader.final_block();
    let light_client_block = (newest.height() > last.height()).then(|| {
        let LightClientBlockLiteView {
            prev_block_hash,
            inner_rest_hash,
            inner_lite,
        } = lite(reader, newest);
        std::sync::Arc::new(LightClientBlockView {
            prev_block_hash,
            next_block_inner_hash: CryptoHash::default(),
            inner_lite,
            inner_rest_hash,
            next_bps: None,
            approvals_after_next: vec![],
        })
    });
    match light_client_block {
        None => Ok(Value::Object(serde_json::Map::new())),
        some => params::answer(RpcLightClientNextBlockResponse {
            light_client_block: some,
        }),
    }
}

fn known<'a>(reader: Reader<'a>, hash: &CryptoHash) -> Result<&'a Block, RpcLightClientProofError> {
    let unknown = || RpcLightClientProofError::UnknownBlock {
        error_message: hash.to_string(),
    };
    reader.block_by_hash(hash).ok_or_else(unknown)
}

/// The root of a block's outcomes.
fn outcome_root(block: &Block) -> CryptoHash {
    let leaves: Vec<_> = outcomes(block)
        .map(ExecutionOutcomeWithId::to_hashes)
        .collect();
    merklize(&[merklize(&leaves).0]).0
}

/// One outcome with its path to the shard's root.
fn prove_outcome(
    block: &Block,
    id: CryptoHash,
) -> Option<(CryptoHash, MerklePath, &ExecutionOutcomeWithId)> {
    let at = outcomes(block).position(|outcome| outcome.id == id)?;
    let leaves: Vec<_> = outcomes(block)
        .map(ExecutionOutcomeWithId::to_hashes)
        .collect();
    let (root, mut paths) = merklize(&leaves);
    Some((root, paths.swap_remove(at), outcomes(block).nth(at)?))
}

fn outcomes(block: &Block) -> impl Iterator<Item = &ExecutionOutcomeWithId> {
    block
        .txs
        .iter()
        .map(|(_, outcome)| outcome)
        .chain(block.ran.iter().map(|(_, outcome)| outcome))
}

/// The hashes of all blocks before one, which its header's root covers.
fn hashes_before(reader: Reader<'_>, block: &Block) -> Vec<CryptoHash> {
    let first = reader.chain.genesis().height();
    (first..block.height())
        .filter_map(|height| reader.block_at(height))
        .map(|block| block.hash)
        .collect()
}

fn prove_block(reader: Reader<'_>, block: &Block, head: &Block) -> MerklePath {
    let hashes = hashes_before(reader, head);
    let at = hashes.iter().position(|hash| *hash == block.hash);
    at.map(|at| merklize(&hashes).1.swap_remove(at))
        .unwrap_or_default()
}

fn lite(reader: Reader<'_>, block: &Block) -> LightClientBlockLiteView {
    let header = reader.chain.block_view(block).header;
    let before = reader.before(block);
    LightClientBlockLiteView {
        prev_block_hash: block.prev_hash,
        inner_rest_hash: CryptoHash::default(),
        inner_lite: BlockHeaderInnerLiteView {
            height: header.height,
            epoch_id: header.epoch_id,
            next_epoch_id: header.next_epoch_id,
            prev_state_root: header.prev_state_root,
            outcome_root: before.map(outcome_root).unwrap_or_default(),
            timestamp: header.timestamp,
            timestamp_nanosec: header.timestamp_nanosec,
            next_bp_hash: header.next_bp_hash,
            block_merkle_root: merklize(&hashes_before(reader, block)).0,
            chunk_execution_root: None,
        },
    }
}
