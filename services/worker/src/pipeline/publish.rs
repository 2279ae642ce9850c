//! Beside the execution: the artifact goes onto the chain, as a file of `FastFS`, for a request that wants it there.

use clients::fastfs::{self, File};
use protocol::ArtifactHash;
use protocol::request::ExecutionRequest;
use protocol::response::ExecutionResponse;

use super::compile::Compiled;
use crate::parts::Parts;

/// What artifacts are.
const MIME_TYPE: &str = "application/wasm";

/// Publishes the artifact if the request wants that; what is to be said of it. A request is answered whether or not it comes to anything.
pub(super) async fn publish(
    parts: &Parts,
    request: &ExecutionRequest,
    compiled: &Compiled,
) -> Option<String> {
    if !request.params.store_on_fastfs {
        return None;
    }
    let hash = compiled.hash;
    if let Some(url) = parts.published.url(hash) {
        return Some(format!("published at {url}"));
    }
    match put(parts, compiled).await {
        Ok(url) => {
            parts.published.remember(hash, &url);
            tell(parts, hash, url.clone()).await;
            Some(format!("published at {url}"))
        }
        Err(err) => {
            tracing::warn!(%hash, "an artifact is not published: {err:#}");
            Some("not published: the worker could not put it on the chain".into())
        }
    }
}

/// Adds what is to be said to an answer.
pub(super) fn note(response: &mut ExecutionResponse, said: Option<String>) {
    let Some(said) = said else { return };
    response.compilation_note = Some(match response.compilation_note.take() {
        Some(note) => format!("{note}; {said}"),
        None => said,
    });
}

async fn put(parts: &Parts, compiled: &Compiled) -> anyhow::Result<String> {
    let bytes = tokio::fs::read(&compiled.path).await?;
    let path = format!("{}.wasm", compiled.hash);
    let file = File {
        path: &path,
        mime_type: MIME_TYPE,
        bytes: &bytes,
    };
    // The contract, which has no such method: the operator's keys may call nothing but it.
    let (owner, receiver) = (parts.sender.account(), &parts.config.contract_id);
    let seconds = parts.clock.now_ms().checked_div(1_000).unwrap_or_default();
    // The last bits tell one upload from the next.
    let nonce = u32::try_from(seconds & u64::from(u32::MAX)).unwrap_or_default();
    let transactions = fastfs::publish(&parts.sender, receiver, &file, nonce).await?;
    let url = fastfs::url(&parts.config.fastfs_url, owner, receiver, &path);
    tracing::info!(hash = %compiled.hash, url, ?transactions, "published");
    Ok(url)
}

/// Lets everyone know. The chain has it in any case, so a failure is only noted.
async fn tell(parts: &Parts, hash: ArtifactHash, url: String) {
    if let Err(err) = parts.coordinator.published(&hash, url).await {
        tracing::warn!(%hash, "nobody hears where an artifact is published: {err:#}");
    }
}
