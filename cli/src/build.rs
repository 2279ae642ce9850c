//! `outlayer build`: the artifact of a commit, made on this machine as a worker makes it, and whether it is the one that is claimed.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use compiler::Artifact;
use protocol::ArtifactHash;
use protocol::clock::SystemClock;
use protocol::source::{CodeSource, ExecutionSource};
use serde_json::json;

use crate::args;
use crate::say::Voice;
use crate::{build_room, compiling_process, services, source};

/// Builds the source; whether it came to what it should.
pub(crate) async fn build(args: &args::Build, voice: Voice) -> Result<bool> {
    let source = match source::parse(&args.source)? {
        ExecutionSource::GitHub(mut git_hub) => {
            git_hub.build_target = args.target.into();
            CodeSource::GitHub(git_hub)
        }
        ExecutionSource::WasmUrl(module) => CodeSource::WasmUrl(module),
        ExecutionSource::Project { .. } => bail!("a project is built by the source of its version"),
    };
    let claimed: Option<ArtifactHash> = match &args.verify {
        Some(text) => Some(text.parse().context("--verify takes a sha256")?),
        None => None,
    };
    let folder = tempfile::tempdir().context("make a temporary folder")?;
    let repositories = args.repositories.as_deref().map(std::path::absolute);
    let compiler = services::compiler(
        folder.path(),
        repositories.transpose()?.as_deref(),
        &args.compiling,
        build_room::jail(
            compiling_process::this_program()?,
            args.jail,
            &args.compiling,
        )?,
        SystemClock::shared(),
    )?;
    let resolved = compiler.resolve(&source).await.map_err(told)?;
    let artifact = compiler.compile(&resolved).await.map_err(told)?;
    if let Some(file) = &args.out {
        write(file, &artifact)?;
    }
    let is_it = claimed.is_none_or(|claimed| claimed == artifact.hash);
    tell(&artifact, claimed, voice);
    Ok(is_it)
}

/// The author builds at home, so what the tools printed is shown.
fn told(error: compiler::Error) -> anyhow::Error {
    eprintln!("{}", error.hidden_logs());
    let code = error.code();
    anyhow::Error::new(error).context(format!("there is no artifact ({code})"))
}

fn write(file: &Path, artifact: &Artifact) -> Result<()> {
    std::fs::write(file, &artifact.wasm).with_context(|| format!("cannot write {}", file.display()))
}

fn tell(artifact: &Artifact, claimed: Option<ArtifactHash>, voice: Voice) {
    let record = &artifact.build;
    let verdict = match claimed {
        None => String::new(),
        Some(claimed) if claimed == artifact.hash => "\nyes: it is the one that was claimed".into(),
        Some(claimed) => format!("\nno: {claimed} was claimed"),
    };
    let recipe = record.recipe();
    let made = match &recipe {
        None => "built elsewhere".to_owned(),
        Some(recipe) => format!(
            "{} (sha256 {})\nlock file {}\n$ {}",
            recipe.toolchain,
            recipe.toolchain_sha256,
            recipe.lockfile_sha256.as_deref().unwrap_or("none"),
            recipe.command
        ),
    };
    voice.result(
        format!(
            "{}\n{} for {}, {} bytes\n{made}{verdict}",
            artifact.hash,
            record.source,
            record.target,
            artifact.wasm.len(),
        ),
        &json!({
            "artifact": artifact.hash,
            "is_claimed": claimed.map(|claimed| claimed == artifact.hash),
            "source": record.source,
            "build_target": record.target,
            "recipe": recipe,
            "bytes": artifact.wasm.len(),
        }),
    );
}
