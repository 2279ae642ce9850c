//! What the ingest does at present, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

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
pub struct Health(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    state: State,
    height: u64,
    head: Option<u64>,
}

impl Health {
    /// How it fares, and the last block that was read.
    pub fn now(&self) -> (State, u64) {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.state.clone(), seen.height)
    }

    /// The chain's last final block when it was last known.
    pub fn head(&self) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).head
    }

    pub(super) fn read_up_to(&self, height: u64) {
        self.change(|seen| {
            seen.state = State::Reading;
            seen.height = height;
        });
    }

    pub(super) fn at_head(&self, height: u64) {
        self.change(|seen| seen.head = Some(height));
    }

    pub(super) fn failing(&self, error: &str) {
        self.change(|seen| seen.state = State::Failing(error.to_owned()));
    }

    pub(super) fn stopped(&self, error: &str) {
        self.change(|seen| seen.state = State::Stopped(error.to_owned()));
    }

    fn change(&self, with: impl FnOnce(&mut Seen)) {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
