//! Of which branch a commit is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use protocol::public::BranchView;
use serde::Deserialize;
use serde_json::json;

use super::State;
use super::extract::{Caller, Query, bad};
use super::public::repository;
use super::route::{Access, Content, Required, Route};
use crate::branches::Asker;
use crate::error::Error;

pub(super) fn routes() -> Vec<Route> {
    let sample =
        json!({"branch": "main", "repo_normalized": "github.com/alice/app", "cached": true});
    let content = || Content::json::<BranchView>("BranchView", &sample);
    let asked = |route: Route| {
        route
            .says("Which branch is at a commit, or was in the last seven days; null if none is")
            .query("repo", Required::Yes, "the repository, in any spelling")
            .query(
                "commit",
                Required::Yes,
                "40 hexadecimal digits, or the name of a branch",
            )
            .errors(&[
                (400, "unknown_host"),
                (404, "no_such_repository"),
                (503, "repository_unavailable"),
            ])
    };
    vec![
        asked(Route::get("/github/resolve-branch", by_anyone, content()))
            .errors(&[(429, "rate_limited")]),
        asked(Route::get("/worker/branch", by_worker, content())).access(Access::Worker),
    ]
}

#[derive(Debug, Deserialize)]
struct BranchQuery {
    repo: String,
    commit: String,
}

async fn by_anyone(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<BranchQuery>,
) -> Result<Json<BranchView>, Error> {
    resolve(&state, Asker::Anyone, &query).await
}

async fn by_worker(
    Shared(state): Shared<Arc<State>>,
    Caller(_): Caller,
    Query(query): Query<BranchQuery>,
) -> Result<Json<BranchView>, Error> {
    resolve(&state, Asker::Worker, &query).await
}

async fn resolve(
    state: &State,
    asker: Asker,
    query: &BranchQuery,
) -> Result<Json<BranchView>, Error> {
    let repo = repository(&query.repo)?;
    let wanted = query.commit.trim().parse();
    let wanted =
        wanted.map_err(|err: protocol::secrets::Error| bad("invalid_query", err.to_string()))?;
    state.branches.resolve(asker, repo, wanted).await.map(Json)
}
