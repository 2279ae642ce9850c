//! `outlayer status`: how a platform is, or where one request stands.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use clients::coordinator::{JobsQuery, Public};
use protocol::RequestId;
use protocol::public::JobView;
use serde_json::json;

use crate::args;
use crate::say::Voice;

/// Jobs shown when no request is named.
const RECENT: u32 = 10;

/// Jobs that are looked through for a request.
const LOOKED_THROUGH: u32 = 500;

/// Asks the coordinator and shows what it says.
pub(crate) async fn status(args: &args::Status, voice: Voice) -> Result<()> {
    let coordinator = Public::new(&args.coordinator.parse()?)?;
    if let Some(id) = args.request_id {
        let query = JobsQuery {
            limit: Some(LOOKED_THROUGH),
            ..JobsQuery::default()
        };
        let jobs = coordinator.jobs(&query).await?;
        let job = jobs
            .into_iter()
            .find(|job| job.request_id == RequestId(id))
            .with_context(|| format!("no job for request {id} among the latest {LOOKED_THROUGH}; is the coordinator still reading?"))?;
        voice.result(line(&job), &job);
        return Ok(());
    }
    let stats = coordinator
        .stats()
        .await
        .with_context(|| format!("ask {}; is a coordinator running there?", args.coordinator))?;
    let workers = coordinator.workers().await?;
    let query = JobsQuery {
        limit: Some(RECENT),
        ..JobsQuery::default()
    };
    let jobs = coordinator.jobs(&query).await?;
    let mut text = format!(
        "block {}; {} jobs: {} queued, {} leased, {} resolved, {} expired, {} given up",
        stats.block_height,
        stats.jobs,
        stats.queued,
        stats.leased,
        stats.resolved,
        stats.expired,
        stats.dead
    );
    for worker in &workers {
        let state = if worker.online {
            "online"
        } else {
            "not seen lately"
        };
        let _ = write!(
            text,
            "\nworker {}: {state}, {} finished",
            worker.worker_name, worker.finished
        );
    }
    for job in &jobs {
        text.push('\n');
        text.push_str(&line(job));
    }
    voice.result(
        text,
        &json!({"stats": stats, "workers": workers, "jobs": jobs}),
    );
    Ok(())
}

fn line(job: &JobView) -> String {
    let outcome = match (job.success, job.error_type) {
        (Some(true), _) => "success".to_owned(),
        (Some(false), Some(code)) => code.to_string(),
        _ => format!("{} tries", job.attempts),
    };
    format!(
        "request {}: {}, {outcome}, {}",
        job.request_id,
        job.stage.as_str(),
        job.code_source.label()
    )
}
