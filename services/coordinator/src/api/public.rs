//! What anyone may read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use protocol::pricing::Pricing;
use protocol::progress::BuildView;
use protocol::public::{JobView, RepoView, StatsView, WasmView, WorkerView};
use protocol::secrets::Repo;
use protocol::source::BuildTarget;
use protocol::{AccountId, ArtifactHash, CommitHash, RequestId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::State;
use super::extract::{Path, Query, bad};
use super::route::{Content, Required, Route};
use super::samples;
use crate::artifacts::{Key, Wanted};
use crate::error::Error;
use crate::views::{Filter, POPULAR};

/// Rows that a page holds when the caller does not say.
const USUAL_PAGE: u64 = 50;

/// Rows that a page holds at most.
const LARGEST_PAGE: u64 = 500;

/// Rows that can be passed over: the database walks them all.
const LARGEST_OFFSET: u64 = 100_000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/public/workers",
            workers,
            Content::json::<Vec<WorkerView>>("WorkerList", &json!([samples::worker()])),
        )
        .says("The workers and whether they are online"),
        Route::get(
            "/public/jobs",
            jobs,
            Content::json::<Vec<JobView>>("JobList", &json!([samples::job_view()])),
        )
        .says("Jobs, the newest first")
        .query("limit", Required::No, "at most this many; 50 if absent, 500 at most")
        .query("offset", Required::No, "pass over this many; 100000 at most")
        .query("user_account_id", Required::No, "only those that this account signed")
        .query(
            "source",
            Required::No,
            "only those that came by `near` or `https`, or that ran this repository, `repository@commit` or URL",
        )
        .query("request_id", Required::No, "only that of this request"),
        Route::get(
            "/public/stats",
            stats,
            Content::json::<StatsView>("StatsView", &samples::stats()),
        )
        .says("Sums over all jobs"),
        Route::get(
            "/public/repos/popular",
            popular,
            Content::json::<Vec<RepoView>>("RepoList", &json!([samples::repo()])),
        )
        .says("The repositories that most jobs named")
        .query("limit", Required::No, "at most this many; 10 if absent, 100 at most"),
        Route::get(
            "/public/wasm/info",
            wasm_info,
            Content::json::<WasmView>("WasmView", &samples::wasm()),
        )
        .says("What a commit was built to; the coordinator does not vouch for it")
        .query("repo_url", Required::Yes, "the repository, in any spelling")
        .query("commit_hash", Required::Yes, "40 hexadecimal digits")
        .query("build_target", Required::No, "`wasm32-wasip1` if absent"),
        Route::get(
            "/public/wasm/exists/{sha256}",
            wasm_exists,
            Content::json::<WasmExists>("WasmExists", &json!({"exists": true})),
        )
        .says("Whether the cache holds an artifact"),
        Route::get(
            "/public/builds",
            builds,
            Content::json::<Vec<BuildView>>("BuildList", &json!([samples::build_view()])),
        )
        .says("The builds that go on, the newest first, at most 100")
        .query("repo_url", Required::No, "only those of this repository, in any spelling")
        .query("commit_hash", Required::No, "only those of this commit, 40 hexadecimal digits"),
        Route::get(
            "/public/pricing",
            pricing,
            Content::json::<Pricing>("Pricing", &json!(Pricing::DEFAULT)),
        )
        .says("What the contract charges, in yoctoNEAR")
        .errors(&[(502, "pricing_unavailable")]),
    ]
}

async fn workers(Shared(state): Shared<Arc<State>>) -> Result<Json<Vec<WorkerView>>, Error> {
    state.views.workers().await.map(Json)
}

#[derive(Debug, Deserialize)]
struct JobsQuery {
    limit: Option<u64>,
    offset: Option<u64>,
    user_account_id: Option<AccountId>,
    source: Option<String>,
    request_id: Option<u64>,
}

async fn jobs(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<JobsQuery>,
) -> Result<Json<Vec<JobView>>, Error> {
    let source = match query.source.as_deref() {
        Some("https") => return Ok(Json(Vec::new())), // no job comes that way yet
        Some("near") => None,
        _ => query.source,
    };
    let filter = Filter {
        limit: within("limit", query.limit, USUAL_PAGE, LARGEST_PAGE)?,
        offset: within("offset", query.offset, 0, LARGEST_OFFSET)?,
        user_account_id: query.user_account_id,
        source,
        request_id: query.request_id.map(RequestId),
    };
    state.views.jobs(&filter).await.map(Json)
}

async fn stats(Shared(state): Shared<Arc<State>>) -> Result<Json<StatsView>, Error> {
    let (_, block_height) = state.ingest.now();
    state.views.stats(block_height).await.map(Json)
}

#[derive(Debug, Deserialize)]
struct PopularQuery {
    limit: Option<u64>,
}

async fn popular(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<PopularQuery>,
) -> Result<Json<Vec<RepoView>>, Error> {
    let most = u64::try_from(POPULAR).unwrap_or(u64::MAX);
    let limit = within("limit", query.limit, 10, most)?;
    let mut repos = state.views.popular_repos().await?;
    repos.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Json(repos))
}

#[derive(Debug, Deserialize)]
struct WasmQuery {
    repo_url: String,
    commit_hash: CommitHash,
    #[serde(default)]
    build_target: BuildTarget,
}

async fn wasm_info(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<WasmQuery>,
) -> Result<Json<WasmView>, Error> {
    let key = Key {
        repo: normalised(&query.repo_url)?,
        commit: query.commit_hash,
        build_target: query.build_target,
    };
    state.artifacts.wasm_view(&key).await.map(Json)
}

/// `/public/wasm/exists/{sha256}`.
#[derive(Debug, Serialize, Deserialize)]
struct WasmExists {
    exists: bool,
}

async fn wasm_exists(
    Shared(state): Shared<Arc<State>>,
    Path(artifact): Path<ArtifactHash>,
) -> Result<Json<WasmExists>, Error> {
    let exists = state.artifacts.size(artifact).await?.is_some();
    Ok(Json(WasmExists { exists }))
}

#[derive(Debug, Deserialize)]
struct BuildsQuery {
    repo_url: Option<String>,
    commit_hash: Option<CommitHash>,
}

async fn builds(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<BuildsQuery>,
) -> Result<Json<Vec<BuildView>>, Error> {
    let wanted = Wanted {
        repo: query.repo_url.as_deref().map(normalised).transpose()?,
        commit: query.commit_hash.map(|commit| commit.to_string()),
    };
    state.artifacts.going_on(&wanted).await.map(Json)
}

async fn pricing(Shared(state): Shared<Arc<State>>) -> Result<Json<Pricing>, Error> {
    state.prices.now().await.map(Json)
}

fn within(name: &str, given: Option<u64>, usual: u64, most: u64) -> Result<u64, Error> {
    match given {
        None => Ok(usual),
        Some(value) if value <= most => Ok(value),
        Some(value) => Err(bad(
            "invalid_query",
            format!("{name} is {value}, at most {most} is allowed"),
        )),
    }
}

/// A repository in the one form in which builds are found.
fn normalised(repo: &str) -> Result<String, Error> {
    Ok(repository(repo)?.as_str().to_owned())
}

/// A repository, in any spelling.
pub(super) fn repository(repo: &str) -> Result<Repo, Error> {
    repo.trim()
        .parse()
        .map_err(|err: protocol::secrets::Error| bad("invalid_query", err.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_repository_means_the_same() {
        let spellings = [
            "https://github.com/a/b",
            "https://github.com/a/b.git",
            "git@github.com:a/b.git",
            "github.com/a/b/",
            "a/b",
        ];

        for spelling in spellings {
            let repo = normalised(spelling).unwrap();
            assert_eq!(repo, "github.com/a/b", "{spelling}");
        }
        assert!(normalised("no repository").is_err());
    }
}
