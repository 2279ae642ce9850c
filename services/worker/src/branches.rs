//! Which commits are on which branches, as their repositories have said: asked once a commit, since a commit stays on a branch unless
//! somebody rewrites it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use compiler::{Compiler, Error, ResolvedSource};
use protocol::clock::Clock;

/// How long an answer is believed, in milliseconds. Source: interface page, 6: seven days.
const BELIEVED_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// The most answers that are kept.
const MOST: usize = 10_000;

/// What repositories have said. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub(crate) struct Branches {
    clock: Clock,
    /// A commit of a repository and a branch, and until when it is known to be on it.
    known: Arc<Mutex<HashMap<(String, String), u64>>>,
}

impl Branches {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            known: Arc::default(),
        }
    }

    /// Whether the branch has the commit.
    pub(crate) async fn has(
        &self,
        compiler: &Compiler,
        source: &ResolvedSource,
        branch: &str,
    ) -> Result<bool, Error> {
        let key = (source.to_string(), branch.to_owned());
        let now = self.clock.now_ms();
        if self.known().get(&key).is_some_and(|until| now < *until) {
            return Ok(true);
        }
        let has = compiler.is_on_branch(source, branch).await?;
        let mut known = self.known();
        if known.len() >= MOST {
            known.retain(|_, until| now < *until);
        }
        if known.len() >= MOST {
            known.clear();
        }
        if has {
            known.insert(key, now.saturating_add(BELIEVED_MS));
        }
        Ok(has)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<(String, String), u64>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
