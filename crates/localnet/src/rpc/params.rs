//! How a node reads parameters: an object by name, or one of the older positional forms.

use near_jsonrpc_primitives::errors::RpcParseError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::RpcError;

/// Reads parameters given by name.
pub(super) fn parse<T: DeserializeOwned>(params: Value) -> Result<T, RpcError> {
    serde_json::from_value(params)
        .map_err(|error| refused(&format!("Failed parsing args: {error}")))
}

/// Parameters that a node refuses, with the reason it gives.
pub(super) fn refused(reason: &str) -> RpcError {
    RpcParseError(reason.to_owned()).into()
}

/// The answer as JSON.
pub(super) fn answer(value: impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(value).map_err(|error| RpcError::serialization_error(error.to_string()))
}

/// `[x]` as `{name: x}`; anything else as it is.
pub(super) fn single(params: Value, name: &str) -> Value {
    match one(params) {
        Ok(value) => json!({ name: value }),
        Err(params) => params,
    }
}

/// The element of a list of one.
pub(super) fn one(params: Value) -> Result<Value, Value> {
    match params {
        Value::Array(mut list) if list.len() == 1 => Ok(list.remove(0)),
        other => Err(other),
    }
}

/// The elements of a list of two.
pub(super) fn two(params: Value) -> Result<(Value, Value), Value> {
    match params {
        Value::Array(list) => match <[Value; 2]>::try_from(list) {
            Ok([first, second]) => Ok((first, second)),
            Err(list) => Err(Value::Array(list)),
        },
        other => Err(other),
    }
}
