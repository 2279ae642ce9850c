//! How a node says it is set up: its client's settings, and where it keeps its data.
//!
//! Few of a node's settings mean anything here. The others are shown as nearcore has them by default, since tools that read one
//! of them expect all.

use near_chain_configs::{
    ClientConfig, EpochSyncConfig, GCConfig, LogSummaryStyle, MutableConfigValue, ReshardingConfig,
    StateSyncConfig, TrackedShardsConfig, default_block_request_timeout,
    default_chunk_validation_threads, default_chunk_wait_mult, default_chunks_cache_height_horizon,
    default_enable_early_prepare_transactions, default_header_sync_expected_height_per_second,
    default_header_sync_initial_timeout, default_header_sync_progress_timeout,
    default_header_sync_stall_ban_timeout, default_log_summary_period,
    default_orphan_state_witness_max_size, default_orphan_state_witness_pool_size,
    default_produce_chunk_add_transactions_time_limit, default_state_request_server_threads,
    default_state_request_throttle_period, default_state_requests_per_throttle_period,
    default_state_sync_p2p_timeout, default_state_sync_retry_backoff, default_sync_check_period,
    default_sync_height_threshold, default_sync_max_block_requests, default_sync_step_period,
    default_transaction_pool_size_limit, default_transaction_pool_strict_nonce_ttl_blocks,
    default_tx_routing_height_horizon, default_view_access_keys_limit, default_view_client_threads,
};
use near_jsonrpc_primitives::types::client_config::RpcClientConfigResponse;
use near_jsonrpc_primitives::types::split_storage::{
    RpcSplitStorageInfoRequest, RpcSplitStorageInfoResponse,
};
use near_primitives::version::Version;
use near_primitives::views::SplitStorageInfoView;
use serde_json::Value;
use time::Duration;

use super::status::NEARCORE;
use super::{Node, Reader, RpcError, params};
use crate::chain::EPOCH_LENGTH;

/// What the node's client was told, and for what it was not told, nearcore's defaults.
pub(super) async fn client_config(node: &Node) -> Result<Value, RpcError> {
    let chain_id = node
        .read(|reader| reader.chain.chain_id().to_owned())
        .await?;
    let client_config = settings(node, chain_id);
    params::answer(RpcClientConfigResponse { client_config })
}

#[expect(
    clippy::too_many_lines,
    reason = "a node's settings are so many, and its type has no default"
)]
fn settings(node: &Node, chain_id: String) -> ClientConfig {
    let millis = Duration::milliseconds;
    let block = Duration::try_from(node.block_interval).unwrap_or(Duration::MAX);
    ClientConfig {
        version: Version {
            version: NEARCORE.to_owned(),
            build: "localnet".to_owned(),
            commit: "localnet".to_owned(),
            rustc_version: "unknown".to_owned(),
        },
        chain_id,
        rpc_addr: Some(node.addr.to_string()),
        expected_shutdown: MutableConfigValue::new(None, "expected_shutdown"),
        block_production_tracking_delay: delay(millis(10)),
        min_block_production_delay: delay(block),
        max_block_production_delay: delay(block),
        max_block_wait_delay: delay(millis(6_000)),
        chunk_wait_mult: MutableConfigValue::new(default_chunk_wait_mult(), "chunk_wait_mult"),
        skip_sync_wait: true,
        sync_check_period: default_sync_check_period(),
        sync_step_period: default_sync_step_period(),
        sync_height_threshold: default_sync_height_threshold(),
        sync_max_block_requests: default_sync_max_block_requests(),
        header_sync_initial_timeout: default_header_sync_initial_timeout(),
        header_sync_progress_timeout: default_header_sync_progress_timeout(),
        header_sync_stall_ban_timeout: default_header_sync_stall_ban_timeout(),
        header_sync_expected_height_per_second: default_header_sync_expected_height_per_second(),
        block_request_timeout: default_block_request_timeout(),
        state_sync_p2p_timeout: default_state_sync_p2p_timeout(),
        state_sync_retry_backoff: default_state_sync_retry_backoff(),
        min_num_peers: 0,
        log_summary_period: default_log_summary_period(),
        log_summary_style: LogSummaryStyle::Plain,
        produce_empty_blocks: true,
        epoch_length: EPOCH_LENGTH,
        num_block_producer_seats: 1,
        ttl_account_id_router: Duration::HOUR,
        catchup_step_period: millis(100),
        chunk_request_retry_period: millis(400),
        doomslug_step_period: delay(millis(100)),
        block_header_fetch_horizon: 50,
        gc: GCConfig::default(),
        tracked_shards_config: TrackedShardsConfig::AllShards,
        archive: false,
        cloud_archival_writer: None,
        save_trie_changes: true,
        save_tx_outcomes: true,
        save_receipt_to_tx: true,
        receipt_to_tx_max_hint_window: 20,
        receipt_to_tx_max_hop_distance: 20,
        receipt_to_tx_max_outcomes_per_request: 20_000,
        save_state_changes: true,
        save_untracked_partial_chunks_parts: true,
        view_client_threads: default_view_client_threads(),
        chunk_validation_threads: default_chunk_validation_threads(),
        state_request_throttle_period: default_state_request_throttle_period(),
        state_requests_per_throttle_period: default_state_requests_per_throttle_period(),
        state_request_server_threads: default_state_request_server_threads(),
        trie_viewer_state_size_limit: Some(node.state_view_limit),
        view_access_keys_limit: default_view_access_keys_limit(),
        max_gas_burnt_view: None,
        enable_statistics_export: true,
        client_background_migration_threads: 8,
        state_sync: StateSyncConfig::default(),
        epoch_sync: EpochSyncConfig::default(),
        transaction_pool_size_limit: default_transaction_pool_size_limit(),
        transaction_pool_strict_nonce_ttl_blocks: default_transaction_pool_strict_nonce_ttl_blocks(
        ),
        enable_multiline_logging: true,
        resharding_config: MutableConfigValue::new(
            ReshardingConfig::default(),
            "resharding_config",
        ),
        tx_routing_height_horizon: default_tx_routing_height_horizon(),
        disable_tx_routing: false,
        produce_chunk_add_transactions_time_limit: MutableConfigValue::new(
            default_produce_chunk_add_transactions_time_limit(),
            "produce_chunk_add_transactions_time_limit",
        ),
        chunk_distribution_network: None,
        orphan_state_witness_pool_size: default_orphan_state_witness_pool_size(),
        orphan_state_witness_max_size: default_orphan_state_witness_max_size(),
        save_latest_witnesses: false,
        save_invalid_witnesses: false,
        transaction_request_handler_threads: 4,
        protocol_version_check: near_chain_configs::ProtocolVersionCheckConfig::default(),
        enable_early_prepare_transactions: default_enable_early_prepare_transactions(),
        chunks_cache_height_horizon: default_chunks_cache_height_horizon(),
    }
}

/// A setting that a node could change while it runs; its name is for metrics and is not shown.
fn delay(value: Duration) -> MutableConfigValue<Duration> {
    MutableConfigValue::new(value, "delay")
}

/// One store, and nothing moved out of it, as on a node that keeps no archive.
pub(super) fn split_storage(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let _: RpcSplitStorageInfoRequest = params::parse(params)?;
    params::answer(RpcSplitStorageInfoResponse {
        result: SplitStorageInfoView {
            head_height: Some(reader.chain.height()),
            final_head_height: Some(reader.final_height()),
            cold_head_height: None,
            hot_db_kind: Some("RPC".to_owned()),
        },
    })
}
