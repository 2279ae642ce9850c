//! Whether we are well.

use std::sync::Arc;

use axum::extract::State as Shared;
use protocol::public::{HealthView, IngestHealth};

use super::State;
use super::route::{Content, Route};
use super::samples;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/health", health, Content::Text).says("`OK` while the process answers"),
        Route::get(
            "/health/detailed",
            detailed,
            Content::json::<HealthView>("HealthView", &samples::health()),
        )
        .says("How each part is"),
    ]
}

async fn health() -> &'static str {
    "OK"
}

async fn detailed(Shared(state): Shared<Arc<State>>) -> axum::Json<HealthView> {
    let (ingest, block_height) = state.ingest.now();
    let queue = state.views.queue().await;
    let workers = state.views.workers().await;
    let rejected = state.views.rejected_events().await;
    let database = queue.is_ok() && workers.is_ok() && rejected.is_ok();
    let workers = workers.unwrap_or_default();
    let online = workers.iter().filter(|worker| worker.online).count();
    let rejected_events = rejected.unwrap_or_default();
    let well = database && ingest.error().is_none();
    axum::Json(HealthView {
        status: if well { "ok" } else { "degraded" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database,
        ingest: IngestHealth {
            state: ingest.as_str().to_owned(),
            error: ingest.error().map(str::to_owned),
            block_height,
            lag_blocks: state
                .ingest
                .head()
                .map(|head| head.saturating_sub(block_height)),
            rejected_events,
        },
        queue: queue.unwrap_or_default(),
        workers: u64::try_from(workers.len()).unwrap_or(u64::MAX),
        workers_online: u64::try_from(online).unwrap_or(u64::MAX),
    })
}
