//! The one validator of a localnet. Its epoch never ends.

use std::collections::HashMap;

use near_jsonrpc_primitives::types::maintenance::{
    RpcMaintenanceWindowsRequest, RpcMaintenanceWindowsResponse,
};
use near_jsonrpc_primitives::types::validator::{
    RpcValidatorError, RpcValidatorRequest, RpcValidatorsOrderedRequest,
    RpcValidatorsOrderedResponse,
};
use near_primitives::types::{EpochId, EpochReference, ShardId};
use near_primitives::views::validator_stake_view::{ValidatorStakeView, ValidatorStakeViewV1};
use near_primitives::views::{
    CurrentEpochValidatorInfo, EpochValidatorInfo, NextEpochValidatorInfo,
};
use serde_json::{Value, json};

use super::{Reader, RpcError, params};
use crate::chain::stake;

/// By epoch, by block, or the latest: all the same epoch.
pub(super) fn info(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let params = match params::one(params) {
        Ok(Value::Null) => json!({ "latest": null }),
        Ok(block_id) => json!({ "block_id": block_id }),
        Err(Value::String(latest)) => json!({ latest: null }),
        Err(params) => params,
    };
    let RpcValidatorRequest { epoch_reference } = params::parse(params)?;
    let known = match epoch_reference {
        EpochReference::Latest => true,
        EpochReference::EpochId(epoch) => epoch == EpochId::default(),
        EpochReference::BlockId(id) => reader.block_by_id(&id).is_some(),
    };
    if !known {
        return Err(RpcValidatorError::UnknownEpoch.into());
    }
    let one = validator();
    params::answer(EpochValidatorInfo {
        next_validators: vec![NextEpochValidatorInfo {
            account_id: one.account_id.clone(),
            public_key: one.public_key.clone(),
            stake: one.stake,
            shards: vec![ShardId::new(0)],
        }],
        current_validators: vec![current(reader, one)],
        current_fishermen: vec![],
        next_fishermen: vec![],
        current_proposals: vec![],
        prev_epoch_kickout: vec![],
        epoch_start_height: reader.chain.genesis().height(),
        epoch_height: crate::chain::EPOCH_HEIGHT,
        validator_reward_paid_prev_epoch: HashMap::new(),
    })
}

/// Who makes the blocks, in turn.
pub(super) fn ordered(_: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let _: RpcValidatorsOrderedRequest = params::parse(params::single(params, "block_id"))?;
    let all: RpcValidatorsOrderedResponse = vec![ValidatorStakeView::V1(validator())];
    params::answer(all)
}

/// When a validator is not needed: never, there being one.
pub(super) fn maintenance_windows(_: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let _: RpcMaintenanceWindowsRequest = params::parse(params)?;
    params::answer(RpcMaintenanceWindowsResponse::new())
}

fn validator() -> ValidatorStakeViewV1 {
    let ValidatorStakeView::V1(one) = stake().into();
    one
}

/// It has made every block and chunk there is.
fn current(reader: Reader<'_>, one: ValidatorStakeViewV1) -> CurrentEpochValidatorInfo {
    let blocks = reader.chain.head().header.block_ordinal();
    CurrentEpochValidatorInfo {
        account_id: one.account_id,
        public_key: one.public_key,
        is_slashed: false,
        stake: one.stake,
        shards_produced: vec![ShardId::new(0)],
        num_produced_blocks: blocks,
        num_expected_blocks: blocks,
        num_produced_chunks: blocks,
        num_expected_chunks: blocks,
        num_produced_chunks_per_shard: vec![blocks],
        num_expected_chunks_per_shard: vec![blocks],
        num_produced_endorsements: blocks,
        num_expected_endorsements: blocks,
        num_produced_endorsements_per_shard: vec![blocks],
        num_expected_endorsements_per_shard: vec![blocks],
        shards_endorsed: vec![ShardId::new(0)],
    }
}
