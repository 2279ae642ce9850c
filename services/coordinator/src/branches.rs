//! Of which branch a commit is: what the repository's host says, kept for a while.
//!
//! A branch moves on, so that an answer is a hint of where it was; whoever opens secrets by a branch asks the repository itself.

mod allowance;
mod answers;
mod git_hosts;
mod heads;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use protocol::CommitHash;
use protocol::public::BranchView;
use protocol::secrets::{Branch, Error as NotABranch, Repo};

use crate::error::Error;
use crate::parts::{Parts, ReadBranches, Unread};
use crate::store::Store;
use allowance::Allowance;
use answers::Answers;
pub use git_hosts::GitHosts;
pub use heads::Heads;

/// How answers are kept, and how many questions are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long it is known of which branch a commit is, in milliseconds.
    pub keep_ms: u64,
    /// How long it is known that a commit is of no branch, or that there is a branch of a name, in milliseconds: either may change
    /// with the next push.
    pub keep_passing_ms: u64,
    /// The most answers that are kept; the oldest go, with the next upkeep.
    pub most: u64,
    /// Questions to hosts a minute, on behalf of anyone but workers.
    pub per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep_ms: 7 * 24 * 60 * 60 * 1_000,
            keep_passing_ms: 60_000,
            most: 100_000,
            per_minute: 60,
        }
    }
}

/// What a branch is looked for by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// The commit that it is at.
    Commit(CommitHash),
    /// Its name.
    Branch(Branch),
}

impl FromStr for Wanted {
    type Err = NotABranch;

    fn from_str(text: &str) -> Result<Self, NotABranch> {
        match text.parse() {
            Ok(commit) => Ok(Self::Commit(commit)),
            Err(_) => text.parse().map(Self::Branch),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(commit) => commit.fmt(f),
            Self::Branch(branch) => branch.fmt(f),
        }
    }
}

type Question = (Repo, Wanted);
type Found = Result<Answer, Failure>;
type Flight = Shared<BoxFuture<'static, Found>>;

#[derive(Clone)]
struct Answer {
    branch: Option<Branch>,
    is_known: bool,
}

/// On whose behalf a host is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Anyone: not too often.
    Anyone,
    /// A worker, whose job waits: strangers must not be able to use up its turn.
    Worker,
}

/// Why there is no answer, for all who wait for it.
#[derive(Clone)]
enum Failure {
    TooMany,
    Unread(Unread),
}

/// The branches of repositories.
#[derive(Clone)]
pub(crate) struct Branches(Arc<Inner>);

struct Inner {
    answers: Answers,
    allowance: Allowance,
    hosts: Arc<dyn ReadBranches>,
    settings: Settings,
    /// Questions that are being asked, so that who asks the same waits for the same answer. They are held by who waits.
    flights: Mutex<HashMap<Question, WeakShared<BoxFuture<'static, Found>>>>,
}

impl fmt::Debug for Branches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Branches({:?})", self.0.hosts)
    }
}

impl Branches {
    pub(crate) fn new(store: Store, parts: &Parts, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            answers: Answers::new(store, parts.clock.clone()),
            allowance: Allowance::new(parts.clock.clone(), settings.per_minute),
            hosts: parts.branches.clone(),
            settings,
            flights: Mutex::default(),
        }))
    }

    /// Which branch of `repo` is meant by `wanted`.
    pub(crate) async fn resolve(
        &self,
        asker: Asker,
        repo: Repo,
        wanted: Wanted,
    ) -> Result<BranchView, Error> {
        let view = |branch: Option<Branch>, cached| BranchView {
            branch: branch.map(|branch| branch.as_str().to_owned()),
            repo_normalized: repo.as_str().to_owned(),
            cached,
        };
        if let Some(branch) = self.0.answers.find(&repo, &wanted).await? {
            return Ok(view(branch, true));
        }
        let question = (repo.clone(), wanted);
        let found = match self.flight(asker, question.clone()).await {
            // It is a stranger's question that was one too many.
            Err(Failure::TooMany) if asker == Asker::Worker => {
                ask(self.0.clone(), asker, question).await
            }
            found => found,
        };
        match found {
            Ok(answer) => Ok(view(answer.branch, answer.is_known)),
            Err(Failure::TooMany) => Err(Error::RateLimited),
            Err(Failure::Unread(unread)) => Err(refusal(&repo, unread)),
        }
    }

    /// Throws away answers that are too old or too many; how many.
    pub(crate) async fn clean(&self) -> Result<u64, Error> {
        self.0.answers.clean(self.0.settings.most).await
    }

    /// The question as somebody is asking it, or else asked anew.
    fn flight(&self, asker: Asker, question: Question) -> Flight {
        let flights = &self.0.flights;
        let mut flights = flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| going_on(flight).is_some());
        if let Some(flight) = flights.get(&question).and_then(going_on) {
            return flight;
        }
        let asking = ask(self.0.clone(), asker, question.clone())
            .boxed()
            .shared();
        if let Some(weak) = asking.downgrade() {
            flights.insert(question, weak);
        }
        asking
    }
}

fn going_on(flight: &WeakShared<BoxFuture<'static, Found>>) -> Option<Flight> {
    flight.upgrade().filter(|flight| flight.peek().is_none())
}

/// Asks the repository's host, and keeps the answer.
async fn ask(inner: Arc<Inner>, asker: Asker, (repo, wanted): Question) -> Found {
    // Somebody's answer may have come in since this question's was looked for.
    if let Ok(Some(branch)) = inner.answers.find(&repo, &wanted).await {
        return Ok(Answer {
            branch,
            is_known: true,
        });
    }
    if asker == Asker::Anyone && !inner.allowance.take() {
        return Err(Failure::TooMany);
    }
    let heads = inner.hosts.heads(&repo).await.map_err(Failure::Unread)?;
    let branch = match &wanted {
        Wanted::Commit(commit) => heads.branch_at(commit),
        Wanted::Branch(name) => heads.named(name),
    };
    let keep_ms = match (&wanted, branch) {
        (Wanted::Commit(_), Some(_)) => inner.settings.keep_ms,
        _ => inner.settings.keep_passing_ms,
    };
    let kept = inner.answers.keep(&repo, &wanted, branch, keep_ms).await;
    if let Err(err) = kept {
        // The answer is as good without.
        tracing::error!(error = %crate::chain_of(&err), "could not keep the branch of a commit");
    }
    Ok(Answer {
        branch: branch.cloned(),
        is_known: false,
    })
}

fn refusal(repo: &Repo, unread: Unread) -> Error {
    let repo = repo.to_string();
    match unread {
        Unread::UnknownHost => Error::UnknownHost(repo),
        Unread::NoSuchRepository => Error::NoSuchRepository(repo),
        Unread::Unavailable(_) => Error::RepositoryUnavailable {
            repo,
            source: unread.into(),
        },
    }
}
