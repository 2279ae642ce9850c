//! Blocks, chunks and the price of gas.

use near_jsonrpc_primitives::types::blocks::{RpcBlockError, RpcBlockRequest};
use near_jsonrpc_primitives::types::chunks::{ChunkReference, RpcChunkError, RpcChunkRequest};
use near_jsonrpc_primitives::types::congestion::RpcCongestionLevelResponse;
use near_jsonrpc_primitives::types::gas_price::{RpcGasPriceError, RpcGasPriceRequest};
use near_jsonrpc_primitives::types::indexer::{
    RpcIndexerBlockError, RpcIndexerBlockRequest, RpcIndexerBlockResponse,
};
use near_primitives::sharding::ChunkHash;
use near_primitives::types::BlockReference;
use near_primitives::views::GasPriceView;
use serde_json::{Value, json};

use super::reader::{missing, missing_reference};
use super::{Reader, RpcError, params};
use crate::chain::{Block, Chain, SHARD};

pub(super) fn block(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcBlockRequest { block_reference } = params::parse(params::single(params, "block_id"))?;
    let block = reader
        .block(&block_reference)
        .ok_or_else(|| RpcBlockError::UnknownBlock {
            error_message: missing_reference(&block_reference),
        })?;
    params::answer(Chain::block_view(block))
}

pub(super) fn chunk(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let block = block_of_chunk(reader, params)?;
    params::answer(Chain::chunk_view(block))
}

/// How full a chunk is; nothing is ever held back here, so it is never congested.
pub(super) fn congestion_level(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    block_of_chunk(reader, params)?;
    params::answer(RpcCongestionLevelResponse {
        congestion_level: 0.0,
    })
}

/// By chunk hash, or by block and shard; positionally `[hash]` or `[[block, shard]]`.
fn block_of_chunk(reader: Reader<'_>, params: Value) -> Result<&Block, RpcError> {
    let params = match params::one(params).map(params::two) {
        Ok(Ok((block_id, shard_id))) => json!({ "block_id": block_id, "shard_id": shard_id }),
        Ok(Err(chunk_id)) => json!({ "chunk_id": chunk_id }),
        Err(params) => params,
    };
    let RpcChunkRequest { chunk_reference } = params::parse(params)?;
    match chunk_reference {
        ChunkReference::BlockShardId { shard_id, .. } if shard_id != SHARD => {
            Err(RpcChunkError::InvalidShardId { shard_id }.into())
        }
        ChunkReference::BlockShardId { block_id, .. } => {
            reader.block_by_id(&block_id).ok_or_else(|| {
                RpcChunkError::UnknownBlock {
                    error_message: missing(&block_id),
                }
                .into()
            })
        }
        ChunkReference::ChunkHash { chunk_id } => {
            reader.block_by_chunk(&chunk_id).ok_or_else(|| {
                RpcChunkError::UnknownChunk {
                    chunk_hash: ChunkHash(chunk_id),
                }
                .into()
            })
        }
    }
}

/// The price of gas at a block, or now.
pub(super) fn gas_price(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcGasPriceRequest { block_id } = params::parse(params::single(params, "block_id"))?;
    let block = match block_id {
        None => reader.chain.head(),
        Some(id) => reader
            .block_by_id(&id)
            .ok_or_else(|| RpcGasPriceError::UnknownBlock {
                error_message: missing(&id),
            })?,
    };
    params::answer(GasPriceView {
        gas_price: block.ctx.gas_price,
    })
}

/// All that ran in a block, in the form indexers read.
pub(super) fn indexer_block(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcIndexerBlockRequest { block_hash } = params::parse(params)?;
    let reference = BlockReference::BlockId(near_primitives::types::BlockId::Hash(block_hash));
    let block = reader
        .block(&reference)
        .ok_or_else(|| RpcIndexerBlockError::DataUnavailable {
            error_message: missing_reference(&reference),
        })?;
    params::answer(RpcIndexerBlockResponse {
        message: Chain::streamer_message(block),
        tracked_shards: vec![SHARD],
    })
}
