//! What only a sandbox can do: write into the state, and let time pass.

use near_jsonrpc_primitives::types::sandbox::{
    RpcSandboxFastForwardRequest, RpcSandboxFastForwardResponse, RpcSandboxPatchStateRequest,
    RpcSandboxPatchStateResponse,
};
use serde_json::Value;

use super::{Node, RpcError, params};

pub(super) async fn patch_state(node: &Node, params: Value) -> Result<Value, RpcError> {
    let RpcSandboxPatchStateRequest { records } = params::parse(params)?;
    node.chain
        .ask(move |producer| producer.chain().patch(records))
        .await?;
    params::answer(RpcSandboxPatchStateResponse {})
}

pub(super) async fn fast_forward(node: &Node, params: Value) -> Result<Value, RpcError> {
    let RpcSandboxFastForwardRequest { delta_height } = params::parse(params)?;
    node.chain.fast_forward(delta_height).await?;
    params::answer(RpcSandboxFastForwardResponse {})
}
