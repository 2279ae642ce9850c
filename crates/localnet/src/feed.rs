//! Blocks in the shape of neardata.xyz, for readers that follow the chain block by block.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::Value;

use crate::rpc::{Node, Reader};

/// The feed's routes.
pub(crate) fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/v0/block/{height}", get(block))
        .route("/v0/last_block/final", get(last_final))
}

/// The block at a height, when it is final. A request for the next one is held until it comes, as neardata does, so that
/// a reader need not ask again and again; `null` means that there is no such block, be it skipped or yet to come.
async fn block(State(node): State<Arc<Node>>, Path(height): Path<u64>) -> Response {
    node.await_final(height).await;
    show(&node, move |reader| {
        let last = reader.final_block().height();
        reader
            .block_at(height)
            .filter(|_| height <= last)
            .map(|block| reader.chain.neardata(block))
    })
    .await
}

async fn last_final(State(node): State<Arc<Node>>) -> Response {
    show(&node, |reader| {
        Some(reader.chain.neardata(reader.final_block()))
    })
    .await
}

async fn show(
    node: &Node,
    read: impl FnOnce(Reader<'_>) -> Option<Value> + Send + 'static,
) -> Response {
    match node.read(read).await {
        Ok(block) => Json(block.unwrap_or(Value::Null)).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
