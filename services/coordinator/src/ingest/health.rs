//! What the ingest does at present, for whoever asks.

use std::sync::Arc;

use tokio::sync::watch;

/// How the ingest fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It has not read anything yet.
    #[default]
    Starting,
    /// It reads.
    Reading,
    /// It tries again after an error.
    Failing(String),
    /// A block is missing: the cursor stays where it is until it is found, and an operator must look.
    Stopped(String),
}

impl State {
    /// The name as it is shown.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Reading => "reading",
            Self::Failing(_) => "failing",
            Self::Stopped(_) => "stopped",
        }
    }

    /// What is wrong.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Starting | Self::Reading => None,
            Self::Failing(error) | Self::Stopped(error) => Some(error),
        }
    }
}

/// A shared note of how far the ingest is.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<watch::Sender<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    state: State,
    height: u64,
    head: Option<u64>,
}

impl Health {
    /// How it fares, and the last block that was read.
    pub fn now(&self) -> (State, u64) {
        let seen = self.0.borrow();
        (seen.state.clone(), seen.height)
    }

    /// The chain's last final block when it was last known.
    pub fn head(&self) -> Option<u64> {
        self.0.borrow().head
    }

    /// Waits until the block at `height` has been read and written.
    pub async fn reached(&self, height: u64) {
        self.wait_for(|seen| seen.height >= height).await;
    }

    /// Waits until a gap stops the cursor.
    pub async fn stopped_for(&self) -> String {
        self.wait_for(|seen| matches!(seen.state, State::Stopped(_)))
            .await;
        self.now().0.error().unwrap_or_default().to_owned()
    }

    async fn wait_for(&self, come: impl FnMut(&Seen) -> bool) {
        // The sender is this very handle, so the channel is open.
        drop(self.0.subscribe().wait_for(come).await);
    }

    pub(super) fn read_up_to(&self, height: u64) {
        self.0.send_if_modified(|seen| {
            let news = seen.height != height || seen.state != State::Reading;
            seen.state = State::Reading;
            seen.height = height;
            news
        });
    }

    pub(super) fn at_head(&self, height: u64) {
        self.0.send_if_modified(|seen| {
            let before = seen.head.replace(height);
            before != Some(height)
        });
    }

    pub(super) fn failing(&self, error: &str) {
        self.0
            .send_modify(|seen| seen.state = State::Failing(error.to_owned()));
    }

    pub(super) fn stopped(&self, error: &str) {
        self.0
            .send_modify(|seen| seen.state = State::Stopped(error.to_owned()));
    }
}
