//! Builds as they go on, as the coordinator tells: a bar on a terminal, lines elsewhere, objects for scripts.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Result;
use clients::coordinator::Public;
use indicatif::{ProgressBar, ProgressStyle};
use protocol::progress::{BuildProgress, BuildView};
use protocol::source::ExecutionSource;
use serde_json::json;

use crate::say::Voice;

/// How often the coordinator is asked.
const EVERY: Duration = Duration::from_millis(500);

/// Shows the builds of one repository.
pub(crate) struct Watch {
    coordinator: Public,
    repo: String,
    /// The commit, where the source names one and not a branch or a tag.
    commit: Option<String>,
    shown: Shown,
    last: Option<BuildProgress>,
}

/// How progress is shown.
enum Shown {
    Bar(ProgressBar),
    Lines(Voice),
}

impl Watch {
    /// A watch on what `source` is built from; nothing for a source that is not built.
    pub(crate) fn of(
        source: &ExecutionSource,
        coordinator: &str,
        voice: Voice,
    ) -> Result<Option<Self>> {
        let ExecutionSource::GitHub(source) = source else {
            return Ok(None);
        };
        let is_commit = source.commit.parse::<protocol::CommitHash>().is_ok();
        Ok(Some(Self {
            coordinator: Public::new(&coordinator.parse()?)?,
            repo: source.repo.clone(),
            commit: is_commit.then(|| source.commit.clone()),
            shown: Shown::to(voice),
            last: None,
        }))
    }

    /// Shows builds for ever.
    pub(crate) async fn show(&mut self) {
        loop {
            // A coordinator that does not answer is no reason not to wait for the chain.
            if let Ok(Some(view)) = self.look().await {
                self.tell(&view);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Shows the build until it has ended.
    pub(crate) async fn until_the_end(&mut self) -> Result<()> {
        while let Some(view) = self.look().await? {
            self.tell(&view);
            tokio::time::sleep(EVERY).await;
        }
        self.end();
        Ok(())
    }

    /// Takes the bar away.
    pub(crate) fn end(&mut self) {
        self.last = None;
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    async fn look(&self) -> Result<Option<BuildView>> {
        let builds = self.coordinator.builds(&self.repo).await?;
        let mut builds = builds.into_iter();
        Ok(builds.find(|view| {
            let commit = self.commit.as_deref();
            commit.is_none_or(|commit| commit == view.build.commit.as_str())
        }))
    }

    fn tell(&mut self, view: &BuildView) {
        if self.last.as_ref() == Some(&view.progress) {
            return;
        }
        let is_new_stage = self.last.as_ref().map(|last| last.stage) != Some(view.progress.stage);
        self.last = Some(view.progress.clone());
        match &self.shown {
            Shown::Bar(bar) => draw(bar, &view.progress),
            Shown::Lines(Voice::Scripts) => Voice::Scripts.result("", &json!({"build": view})),
            // Of each crate a line would be too much.
            Shown::Lines(voice) if is_new_stage => voice.line(format!("build: {}", view.progress)),
            Shown::Lines(_) => {}
        }
    }
}

impl Shown {
    fn to(voice: Voice) -> Self {
        if voice == Voice::Scripts || !std::io::stderr().is_terminal() {
            return Self::Lines(voice);
        }
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{prefix:>9} [{bar:32}] {pos}/{len} {msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        Self::Bar(bar)
    }
}

fn draw(bar: &ProgressBar, progress: &BuildProgress) {
    bar.set_prefix(progress.stage.as_str());
    bar.set_length(progress.of.unwrap_or_default().into());
    bar.set_position(progress.done.unwrap_or_default().into());
    bar.set_message(progress.what.clone().unwrap_or_default());
}
