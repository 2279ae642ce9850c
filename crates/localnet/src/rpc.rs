//! What clients talk to: JSON-RPC as a NEAR node speaks it, its plain HTTP routes, and the block feed.
//!
//! Requests, answers and typed errors are nearcore's own types (`near-jsonrpc-primitives`), so their shapes are the
//! node's; what is written here is which state answers which method, and the envelope around it.

mod blocks;
mod changes;
mod dispatch;
mod light_client;
mod params;
mod query;
mod reader;
mod receipts;
mod sandbox;
mod settings;
mod status;
mod transactions;
mod validators;
mod views;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use near_jsonrpc_primitives::errors::{RpcError, RpcErrorKind};
use near_jsonrpc_primitives::message::Message;
use serde_json::Value;

use crate::feed;
use crate::genesis::BLOCK_STEP;
use crate::server::{ChainThread, Config, Error};
pub(crate) use reader::Reader;
use status::Calls;

/// What every handler has: the way to the chain, and what of the node's settings clients notice.
#[derive(Debug)]
pub(crate) struct Node {
    chain: ChainThread,
    addr: SocketAddr,
    finality_lag: u64,
    wait_limit: Duration,
    body_limit: usize,
    state_view_limit: u64,
    feed_wait: Duration,
    block_interval: Duration,
    calls: Calls,
}

impl Node {
    pub(crate) fn new(chain: ChainThread, config: &Config, addr: SocketAddr) -> Self {
        Self {
            chain,
            addr,
            finality_lag: config.chain.finality_lag,
            wait_limit: config.wait_limit,
            body_limit: config.body_limit,
            state_view_limit: config.state_view_limit,
            feed_wait: config.feed_wait,
            block_interval: config.pace.interval().unwrap_or(BLOCK_STEP),
            calls: Calls::default(),
        }
    }

    /// Reads from the chain between two blocks.
    pub(crate) async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(Reader<'_>) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let limit = self.state_view_limit;
        self.chain
            .ask(move |producer| read(Reader::new(producer.chain(), limit)))
            .await
    }
}

impl Node {
    /// Waits until the block at a height is final, unless that is far off; then, and when it takes too long, goes on.
    pub(crate) async fn await_final(&self, height: u64) {
        /// Heights above the head for which it is worth waiting.
        const NEAR: u64 = 8;
        let wanted = height.saturating_add(self.finality_lag);
        if wanted <= self.chain.height().saturating_add(NEAR) {
            let mut heights = self.chain.heights();
            // A time-out or a stop is answered by the look that follows.
            let _ =
                tokio::time::timeout(self.feed_wait, heights.wait_for(|newest| *newest >= wanted))
                    .await;
        }
    }
}

/// All routes of a node.
pub(crate) fn router(node: Arc<Node>) -> Router {
    let limit = DefaultBodyLimit::max(node.body_limit);
    Router::new()
        .route("/", post(call))
        .route("/status", get(status::page))
        .route("/health", get(status::health_page))
        .route("/network_info", get(status::network_page))
        .route("/metrics", get(status::metrics_page))
        .merge(feed::routes())
        .layer(limit)
        .layer(middleware::from_fn(cross_origin))
        .with_state(node)
}

/// One JSON-RPC request. The node takes no batches and answers whatever is not a request with an error that has no id.
async fn call(State(node): State<Arc<Node>>, Json(message): Json<Message>) -> Response {
    let reply = match message {
        Message::Request(request) => {
            let id = request.id;
            let result = dispatch::answer(&node, &request.method, request.params).await;
            node.calls.count(&request.method, result.as_ref().err());
            Message::response(id, result)
        }
        _ => Message::error(RpcError::parse_error(
            "JSON RPC Request format was expected".to_owned(),
        )),
    };
    let status = match &reply {
        Message::Response(response) => response
            .result
            .as_ref()
            .err()
            .map_or(StatusCode::OK, http_status),
        _ => StatusCode::OK,
    };
    (status, Json(reply)).into_response()
}

/// The HTTP status a node gives to an error.
fn http_status(error: &RpcError) -> StatusCode {
    match &error.error_struct {
        Some(RpcErrorKind::RequestValidationError(_)) => StatusCode::BAD_REQUEST,
        Some(RpcErrorKind::HandlerError(cause)) if is_timeout(cause) => StatusCode::REQUEST_TIMEOUT,
        Some(RpcErrorKind::InternalError(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        Some(RpcErrorKind::HandlerError(_)) | None => StatusCode::OK,
    }
}

fn is_timeout(cause: &Value) -> bool {
    cause.get("name").and_then(Value::as_str) == Some("TIMEOUT_ERROR")
}

impl From<Error> for RpcError {
    fn from(error: Error) -> Self {
        Self::new_internal_error(None, error.to_string())
    }
}

/// Lets browsers call from any page, as a node does by default.
async fn cross_origin(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, accept, content-type",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
