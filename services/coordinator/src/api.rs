//! The HTTP interface: one table of routes, from which both the router and its description are made, so that nothing is
//! served that is not described.

mod admin;
mod branches;
mod extract;
mod health;
mod linger;
mod openapi;
mod public;
mod route;
mod samples;
mod secrets;
mod worker;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::HOST;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;

use crate::artifacts::Artifacts;
use crate::branches::Branches;
use crate::error::Error;
use crate::ingest;
use crate::keystore::Keystore;
use crate::logs::Logs;
use crate::pricing::Prices;
use crate::queue::Queue;
use crate::tokens::Tokens;
use crate::views::Views;
use route::Route;

/// The largest body, in bytes. Source: interface page, 6.
pub(crate) const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) tokens: Tokens,
    pub(crate) artifacts: Artifacts,
    pub(crate) logs: Logs,
    pub(crate) views: Views,
    pub(crate) prices: Prices,
    pub(crate) branches: Branches,
    pub(crate) keystore: Keystore,
    pub(crate) ingest: ingest::Health,
    /// Cancelled when the coordinator stops: waiting calls return.
    pub(crate) stop: CancellationToken,
}

/// What anyone and the workers call.
pub(crate) fn router(state: Arc<State>) -> Router {
    serve(open_routes(), state)
}

/// What only this machine calls.
pub(crate) fn admin_router(state: Arc<State>) -> Router {
    serve(admin::routes(), state).layer(middleware::from_fn(only_by_a_local_name))
}

fn open_routes() -> Vec<Route> {
    let mut routes = health::routes();
    routes.extend(openapi::routes());
    routes.extend(public::routes());
    routes.extend(branches::routes());
    routes.extend(secrets::routes());
    routes.extend(worker::routes());
    routes
}

fn serve(routes: Vec<Route>, state: Arc<State>) -> Router {
    let mut router = Router::new();
    for route in routes {
        router = router.route(route.path, route.handler);
    }
    router
        .fallback(|| async { Error::UnknownEndpoint })
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(linger::hear_out))
        .with_state(state)
}

/// A page in a browser on this machine can be made to call a loopback address under a name of its own; such a name is not
/// ours.
async fn only_by_a_local_name(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    if name == "localhost" || address.is_ok_and(|address| address.is_loopback()) {
        return next.run(request).await;
    }
    Error::UnknownEndpoint.into_response()
}
