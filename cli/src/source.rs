//! A source as it is written on a command line.

use anyhow::{Context as _, Result, bail};
use protocol::source::{BuildTarget, ExecutionSource, GitHub};

/// `https://github.com/owner/repo@commit`, or the documented JSON.
pub(crate) fn parse(text: &str) -> Result<ExecutionSource> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .context("the source is not one of the documented shapes");
    }
    let Some((repo, commit)) = text.rsplit_once('@') else {
        bail!(
            "{text} names no commit; write https://github.com/owner/repo@commit, a tag or a branch"
        );
    };
    Ok(ExecutionSource::GitHub(GitHub {
        repo: repo.to_owned(),
        commit: commit.to_owned(),
        build_target: BuildTarget::default(),
    }))
}
