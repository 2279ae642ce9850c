//! What a node says of itself: status, health, network, settings, counters.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use chrono::{DateTime, SecondsFormat};
use near_chain_configs::{GenesisConfig, ProtocolConfig, ProtocolConfigView};
use near_jsonrpc_primitives::types::config::{RpcProtocolConfigError, RpcProtocolConfigRequest};
use near_jsonrpc_primitives::types::network_info::RpcNetworkInfoResponse;
use near_primitives::version::PROTOCOL_VERSION;
use serde_json::{Value, json};

use super::reader::missing_reference;
use super::{Node, Reader, RpcError, params};
use crate::chain::{Block, Chain, EPOCH_LENGTH};
use crate::genesis::secret_key;

/// The nearcore whose crates the localnet is built of.
pub(super) const NEARCORE: &str = "2.14.0";

/// Counts of the calls answered, by method and by the error's code; what `/metrics` shows.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<BTreeMap<(String, Option<i64>), u64>>);

impl Calls {
    pub(super) fn count(&self, method: &str, error: Option<&RpcError>) {
        /// The code of an unknown method, whose name is the caller's and must not become a label.
        const METHOD_NOT_FOUND: i64 = -32_601;
        let code = error.map(|error| error.code);
        let method = if code == Some(METHOD_NOT_FOUND) {
            "UNSUPPORTED_METHOD"
        } else {
            method
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((method.to_owned(), code)).or_default();
        *count = count.saturating_add(1);
    }

    fn write(&self, page: &mut String) {
        for ((method, code), count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let code = code.map_or_else(|| "0".to_owned(), |code| code.to_string());
            let _ = writeln!(
                page,
                "near_rpc_total_count{{method=\"{method}\",code=\"{code}\"}} {count}"
            );
        }
    }
}

pub(super) async fn answer(node: &Node) -> Result<Value, RpcError> {
    let addr = node.addr.to_string();
    Ok(node.read(move |reader| status(reader, &addr)).await?)
}

/// Built by hand, because the node's own type holds times of a crate that is not ours to name.
fn status(reader: Reader<'_>, addr: &str) -> Value {
    let (head, first) = (reader.chain.head(), reader.chain.genesis());
    let validator = Chain::author();
    let public_key = secret_key(&validator).public_key();
    let seconds_up = head.ctx.timestamp.saturating_sub(first.ctx.timestamp) / 1_000_000_000;
    json!({
        "version": {
            "version": NEARCORE, "build": "localnet", "commit": "localnet", "rustc_version": "unknown",
        },
        "chain_id": reader.chain.chain_id(),
        "protocol_version": PROTOCOL_VERSION,
        "latest_protocol_version": PROTOCOL_VERSION,
        "rpc_addr": addr,
        "validators": [{ "account_id": validator }],
        "sync_info": {
            "latest_block_hash": head.hash,
            "latest_block_height": head.height(),
            "latest_state_root": head.header.prev_state_root(),
            "latest_block_time": iso(head),
            "syncing": false,
            "earliest_block_hash": first.hash,
            "earliest_block_height": first.height(),
            "earliest_block_time": iso(first),
            "epoch_id": head.header.epoch_id(),
            "epoch_start_height": first.height(),
        },
        "validator_account_id": validator,
        "validator_public_key": public_key,
        "node_public_key": public_key,
        "node_key": null,
        "uptime_sec": seconds_up,
        "genesis_hash": first.hash,
    })
}

/// The time of a block, as ISO 8601 with nanoseconds.
fn iso(block: &Block) -> String {
    let ns = i64::try_from(block.ctx.timestamp).unwrap_or(i64::MAX);
    DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// A localnet that answers is well.
pub(super) const fn health() -> Value {
    Value::Null
}

/// A localnet has no peers.
pub(super) fn network() -> Result<Value, RpcError> {
    params::answer(RpcNetworkInfoResponse {
        active_peers: vec![],
        num_active_peers: 0,
        peer_max_count: 0,
        sent_bytes_per_sec: 0,
        received_bytes_per_sec: 0,
        known_producers: vec![],
    })
}

pub(super) fn genesis_config(reader: Reader<'_>, _: Value) -> Result<Value, RpcError> {
    params::answer(settings(reader))
}

pub(super) fn protocol_config(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcProtocolConfigRequest { block_reference } = params::parse(params)?;
    if reader.block(&block_reference).is_none() {
        let error_message = missing_reference(&block_reference);
        return Err(RpcProtocolConfigError::UnknownBlock { error_message }.into());
    }
    params::answer(ProtocolConfigView::from(ProtocolConfig {
        genesis_config: settings(reader),
        runtime_config: (*reader.chain.runtime().config).clone(),
    }))
}

fn settings(reader: Reader<'_>) -> GenesisConfig {
    let first = reader.chain.genesis();
    GenesisConfig {
        protocol_version: PROTOCOL_VERSION,
        chain_id: reader.chain.chain_id().to_owned(),
        genesis_height: first.height(),
        total_supply: first.total_supply,
        epoch_length: EPOCH_LENGTH,
        ..GenesisConfig::default()
    }
}

pub(super) async fn page(State(node): State<Arc<Node>>) -> Response {
    http(answer(&node).await)
}

pub(super) async fn health_page() -> Response {
    http(Ok(health()))
}

pub(super) async fn network_page() -> Response {
    http(network())
}

/// Counters in the text form that Prometheus reads, under the node's names.
pub(super) async fn metrics_page(State(node): State<Arc<Node>>) -> Response {
    let heights = node
        .read(|reader| (reader.chain.height(), reader.final_height()))
        .await;
    let Ok((head, last_final)) = heights else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut page = String::new();
    let _ = writeln!(
        page,
        "# TYPE near_block_height_head gauge\nnear_block_height_head {head}"
    );
    let _ = writeln!(
        page,
        "# TYPE near_final_block_height gauge\nnear_final_block_height {last_final}"
    );
    let _ = writeln!(page, "# TYPE near_rpc_total_count counter");
    node.calls.write(&mut page);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], page).into_response()
}

fn http(answer: Result<Value, RpcError>) -> Response {
    match answer {
        Ok(value) => Json(value).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
