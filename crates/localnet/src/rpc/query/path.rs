//! The old form of a query: a path such as `call/app.near/get` and base58 data.

use near_jsonrpc_primitives::types::query::RpcQueryRequest;
use near_primitives::types::BlockReference;
use near_primitives::views::QueryRequest;

use crate::rpc::RpcError;
use crate::rpc::params::refused;

/// Path and data together may have this many bytes on a node.
const MAX_BYTES: usize = 10 << 10;

/// Reads a path and its data.
pub(super) fn parse(path: &str, data: &str) -> Result<RpcQueryRequest, RpcError> {
    let mut parts = path.splitn(3, '/');
    let command = parts.next().unwrap_or_default();
    let account_id = parts
        .next()
        .ok_or_else(|| refused("Not enough query parameters provided"))?
        .parse()
        .map_err(|error| refused(&format!("{error}")))?;
    let extra = parts.next();
    let bytes = || decode(data, MAX_BYTES.saturating_sub(path.len()));
    let request = match (command, extra) {
        ("account", _) => QueryRequest::ViewAccount { account_id },
        ("access_key", None) => QueryRequest::ViewAccessKeyList {
            account_id,
            after_key: None,
            limit: None,
        },
        ("access_key", Some(key)) => QueryRequest::ViewAccessKey {
            account_id,
            public_key: key.parse().map_err(|_| refused("Invalid public key"))?,
        },
        ("code", _) => QueryRequest::ViewCode { account_id },
        ("contract", _) => QueryRequest::ViewState {
            account_id,
            prefix: bytes()?.into(),
            after_key: None,
            limit: None,
            include_proof: false,
        },
        ("call", Some(method)) => QueryRequest::CallFunction {
            account_id,
            method_name: method.to_owned(),
            args: bytes()?.into(),
        },
        ("call", None) => return Err(refused("Method name is missing")),
        _ => return Err(refused(&format!("Unknown path {command}"))),
    };
    Ok(RpcQueryRequest {
        block_reference: BlockReference::latest(),
        request,
    })
}

fn decode(data: &str, limit: usize) -> Result<Vec<u8>, RpcError> {
    let bytes = bs58::decode(data)
        .into_vec()
        .map_err(|error| refused(&error.to_string()))?;
    if bytes.len() > limit {
        Err(refused("Query data size is too large"))
    } else {
        Ok(bytes)
    }
}
