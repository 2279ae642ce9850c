//! Of which branch a commit is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use protocol::public::BranchView;
use serde::Deserialize;
use serde_json::json;

use super::State;
use super::extract::{Query, bad};
use super::public::repository;
use super::route::{Content, Required, Route};
use crate::error::Error;

pub(super) fn routes() -> Vec<Route> {
    let sample =
        json!({"branch": "main", "repo_normalized": "github.com/alice/app", "cached": true});
    vec![
        Route::get(
            "/github/resolve-branch",
            resolve_branch,
            Content::json::<BranchView>("BranchView", &sample),
        )
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
            (429, "rate_limited"),
            (503, "repository_unavailable"),
        ]),
    ]
}

#[derive(Debug, Deserialize)]
struct BranchQuery {
    repo: String,
    commit: String,
}

async fn resolve_branch(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<BranchQuery>,
) -> Result<Json<BranchView>, Error> {
    let repo = repository(&query.repo)?;
    let wanted = query.commit.trim().parse();
    let wanted =
        wanted.map_err(|err: protocol::secrets::Error| bad("invalid_query", err.to_string()))?;
    state.branches.resolve(repo, wanted).await.map(Json)
}
