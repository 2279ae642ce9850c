//! Which method is answered where, in the node's order and under all the names it knows.

use serde_json::Value;

use super::{
    Node, Reader, RpcError, blocks, changes, light_client, query, receipts, sandbox, settings,
    status,
};
use super::{transactions, validators, views};

/// Answers one method.
pub(super) async fn answer(node: &Node, method: &str, params: Value) -> Result<Value, RpcError> {
    match method {
        "broadcast_tx_async" => transactions::broadcast_async(node, params).await,
        "broadcast_tx_commit" => transactions::broadcast_commit(node, params).await,
        "send_tx" => transactions::send(node, params).await,
        "tx" => transactions::status(node, params, transactions::Detail::Outcome).await,
        "tx_status" | "EXPERIMENTAL_tx_status" => {
            transactions::status(node, params, transactions::Detail::WithReceipts).await
        }
        "status" => status::answer(node).await,
        "health" => Ok(status::health()),
        "network_info" => status::network(),
        "client_config" => settings::client_config(node).await,
        "sandbox_patch_state" => sandbox::patch_state(node, params).await,
        "sandbox_fast_forward" => sandbox::fast_forward(node, params).await,
        _ => match reading(method) {
            Some(read) => node.read(move |reader| read(reader, params)).await?,
            None => Err(RpcError::method_not_found(method.to_owned())),
        },
    }
}

type Read = fn(Reader<'_>, Value) -> Result<Value, RpcError>;

/// The methods that only look at the chain as it is.
fn reading(method: &str) -> Option<Read> {
    Some(match method {
        "block" => blocks::block,
        "chunk" => blocks::chunk,
        "gas_price" => blocks::gas_price,
        "EXPERIMENTAL_congestion_level" => blocks::congestion_level,
        "EXPERIMENTAL_indexer_block" => blocks::indexer_block,
        "query" => query::answer,
        "EXPERIMENTAL_view_account" => views::account,
        "EXPERIMENTAL_view_code" => views::code,
        "EXPERIMENTAL_view_state" => views::state,
        "EXPERIMENTAL_view_access_key" => views::access_key,
        "EXPERIMENTAL_view_access_key_list" => views::access_key_list,
        "EXPERIMENTAL_view_gas_key_nonces" => views::gas_key_nonces,
        "EXPERIMENTAL_call_function" => views::call_function,
        "changes" | "EXPERIMENTAL_changes" => changes::by_request,
        "block_effects" | "EXPERIMENTAL_changes_in_block" => changes::in_block,
        "genesis_config" | "EXPERIMENTAL_genesis_config" => status::genesis_config,
        "EXPERIMENTAL_protocol_config" => status::protocol_config,
        "light_client_proof" | "EXPERIMENTAL_light_client_proof" => light_client::execution_proof,
        "EXPERIMENTAL_light_client_block_proof" => light_client::block_proof,
        "next_light_client_block" => light_client::next_block,
        "maintenance_windows" | "EXPERIMENTAL_maintenance_windows" => {
            validators::maintenance_windows
        }
        "EXPERIMENTAL_split_storage_info" => settings::split_storage,
        "EXPERIMENTAL_receipt" => receipts::receipt,
        "EXPERIMENTAL_receipt_to_tx" => receipts::transaction,
        "validators" => validators::info,
        "EXPERIMENTAL_validators_ordered" => validators::ordered,
        _ => return None,
    })
}
