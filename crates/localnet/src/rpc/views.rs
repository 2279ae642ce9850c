//! The typed forms of [`super::query`]: one method for each kind of look, each with errors of its own.

use near_jsonrpc_primitives::types::call_function::{RpcCallFunctionError, RpcCallFunctionRequest};
use near_jsonrpc_primitives::types::query::{RpcQueryError, RpcQueryRequest};
use near_jsonrpc_primitives::types::view_access_key::{
    RpcViewAccessKeyError, RpcViewAccessKeyRequest,
};
use near_jsonrpc_primitives::types::view_access_key_list::{
    RpcViewAccessKeyListError, RpcViewAccessKeyListRequest,
};
use near_jsonrpc_primitives::types::view_account::{RpcViewAccountError, RpcViewAccountRequest};
use near_jsonrpc_primitives::types::view_code::{RpcViewCodeError, RpcViewCodeRequest};
use near_jsonrpc_primitives::types::view_gas_key_nonces::{
    RpcViewGasKeyNoncesError, RpcViewGasKeyNoncesRequest,
};
use near_jsonrpc_primitives::types::view_state::{RpcViewStateError, RpcViewStateRequest};
use near_primitives::types::BlockReference;
use near_primitives::views::QueryRequest;
use serde_json::Value;

use super::{Reader, RpcError, params, query};

/// Looks up and answers with the typed error `E`.
fn view<E>(
    reader: Reader<'_>,
    block_reference: BlockReference,
    request: QueryRequest,
) -> Result<Value, RpcError>
where
    E: From<RpcQueryError> + Into<RpcError>,
{
    match query::look_up(
        reader,
        RpcQueryRequest {
            block_reference,
            request,
        },
    ) {
        Ok(response) => params::answer(response),
        Err(error) => Err(E::from(error).into()),
    }
}

pub(super) fn account(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcViewAccountRequest {
        block_reference,
        account_id,
    } = params::parse(params)?;
    view::<RpcViewAccountError>(
        reader,
        block_reference,
        QueryRequest::ViewAccount { account_id },
    )
}

pub(super) fn code(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcViewCodeRequest {
        block_reference,
        account_id,
    } = params::parse(params)?;
    view::<RpcViewCodeError>(
        reader,
        block_reference,
        QueryRequest::ViewCode { account_id },
    )
}

pub(super) fn state(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcViewStateRequest {
        block_reference,
        account_id,
        prefix,
        after_key,
        limit,
        include_proof,
    } = params::parse(params)?;
    let request = QueryRequest::ViewState {
        account_id,
        prefix,
        after_key,
        limit,
        include_proof,
    };
    view::<RpcViewStateError>(reader, block_reference, request)
}

pub(super) fn access_key(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcViewAccessKeyRequest {
        block_reference,
        account_id,
        public_key,
    } = params::parse(params)?;
    view::<RpcViewAccessKeyError>(
        reader,
        block_reference,
        QueryRequest::ViewAccessKey {
            account_id,
            public_key,
        },
    )
}

pub(super) fn access_key_list(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcViewAccessKeyListRequest {
        block_reference,
        account_id,
        after_key,
        limit,
    } = params::parse(params)?;
    let request = QueryRequest::ViewAccessKeyList {
        account_id,
        after_key,
        limit,
    };
    view::<RpcViewAccessKeyListError>(reader, block_reference, request)
}

pub(super) fn gas_key_nonces(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcViewGasKeyNoncesRequest {
        block_reference,
        account_id,
        public_key,
    } = params::parse(params)?;
    let request = QueryRequest::ViewGasKeyNonces {
        account_id,
        public_key,
    };
    view::<RpcViewGasKeyNoncesError>(reader, block_reference, request)
}

pub(super) fn call_function(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcCallFunctionRequest {
        block_reference,
        account_id,
        method_name,
        args,
    } = params::parse(params)?;
    let request = QueryRequest::CallFunction {
        account_id,
        method_name,
        args,
    };
    view::<RpcCallFunctionError>(reader, block_reference, request)
}
