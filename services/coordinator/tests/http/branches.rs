//! Of which branch a commit is, with hosts that say what the test has them say.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use coordinator::branches::Heads;
use coordinator::parts::{ReadBranches, Unread};
use futures::future::join_all;
use protocol::public::BranchView;
use protocol::secrets::Repo;

use crate::town::{Town, refusal};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Hosts on which every repository has the same branches.
#[derive(Debug)]
pub(crate) struct Hosts {
    answer: Mutex<Result<Heads, Unread>>,
    asked: AtomicU32,
}

impl Default for Hosts {
    fn default() -> Self {
        Self {
            answer: Mutex::new(Err(Unread::NoSuchRepository)),
            asked: AtomicU32::new(0),
        }
    }
}

impl Hosts {
    fn say(&self, answer: Result<Heads, Unread>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// `branch` is at the commit of nothing but `digit`.
    fn have(&self, branch: &str, digit: &str) {
        let commit = digit.repeat(40);
        let listing = format!("ref: refs/heads/{branch}\tHEAD\n{commit}\trefs/heads/{branch}\n");
        self.say(Ok(Heads::read(&listing)));
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl ReadBranches for Hosts {
    async fn heads(&self, _: &Repo) -> Result<Heads, Unread> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        // Others get to ask before this is answered.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.clone()
    }
}

fn path(repo: &str, commit: &str) -> String {
    format!("/github/resolve-branch?repo={repo}&commit={commit}")
}

/// The branch, and whether it was known.
async fn resolved(town: &Town, commit: &str) -> (Option<String>, bool) {
    let view: BranchView = town.get(&path("alice/app", commit)).await;
    assert_eq!(view.repo_normalized, "github.com/alice/app");
    (view.branch, view.cached)
}

#[tokio::test]
async fn a_branch_is_known_for_seven_days_in_every_spelling_of_its_repository() {
    let town = Town::start().await;
    town.hosts.have("main", "a");
    let commit = "A".repeat(40);

    let first = resolved(&town, &commit).await;
    town.hosts.have("other", "b");
    town.clock.advance_ms(7 * DAY_MS - 1);
    let town = town.restart().await;
    let spelled = path("https://GitHub.com/alice/app.git", &commit.to_lowercase());
    let known: BranchView = town.get(&spelled).await;
    town.clock.advance_ms(1);
    let later = resolved(&town, &commit).await;

    assert_eq!(first, (Some("main".into()), false));
    assert_eq!((known.branch, known.cached), (Some("main".into()), true));
    assert_eq!(later, (None, false));
    assert_eq!(town.hosts.asked(), 2);
}

#[tokio::test]
async fn what_the_next_push_may_change_is_known_for_a_minute() {
    let town = Town::start().await;
    town.hosts.have("main", "a");
    let pushed_later = "b".repeat(40);

    let none = resolved(&town, &pushed_later).await;
    let name = resolved(&town, "main").await;
    town.hosts.have("next", "b");
    town.clock.advance_ms(59_999);
    let still_none = resolved(&town, &pushed_later).await;
    let still_name = resolved(&town, "main").await;
    town.clock.advance_ms(1);
    let branch = resolved(&town, &pushed_later).await;
    let no_name = resolved(&town, "main").await;

    assert_eq!((none, still_none), ((None, false), (None, true)));
    assert_eq!(branch, (Some("next".into()), false));
    let main = || Some("main".to_owned());
    assert_eq!((name, still_name), ((main(), false), (main(), true)));
    assert_eq!(no_name, (None, false));
}

#[tokio::test]
async fn many_who_ask_the_same_have_the_host_asked_once() {
    let town = Town::start_with(|config| config.branches.per_minute = 1).await;
    town.hosts.have("main", "a");
    let commit = "a".repeat(40);

    let answers = join_all((0..8).map(|_| resolved(&town, &commit))).await;

    let main = Some("main".to_owned());
    assert!(answers.iter().all(|(branch, _)| *branch == main));
    assert_eq!(town.hosts.asked(), 1);
}

#[tokio::test]
async fn hosts_are_not_asked_too_often_and_what_is_known_is_answered_all_the_same() {
    let town = Town::start_with(|config| config.branches.per_minute = 2).await;
    town.hosts.have("main", "a");
    let commit = "a".repeat(40);
    resolved(&town, &commit).await;
    resolved(&town, &"b".repeat(40)).await;

    let refused = refusal(town.fetch(&path("alice/app", &"c".repeat(40))).await).await;
    let known = resolved(&town, &commit).await;
    town.clock.advance_ms(30_000);
    let in_time = resolved(&town, &"c".repeat(40)).await;

    assert_eq!(refused, (429, "rate_limited".into()));
    assert_eq!(known, (Some("main".into()), true));
    assert_eq!(in_time, (None, false));
}

#[tokio::test]
async fn strangers_do_not_use_up_a_workers_questions() {
    let town = Town::start_with(|config| config.branches.per_minute = 1).await;
    town.hosts.have("main", "a");
    let worker = town.worker("w1").await;
    let of_worker = |digit: &str| format!("branch?repo=alice/app&commit={}", digit.repeat(40));
    resolved(&town, &"b".repeat(40)).await;

    let stranger = refusal(town.fetch(&path("alice/app", &"a".repeat(40))).await).await;
    let view: BranchView = worker.get(&of_worker("a")).await.json().await.unwrap();
    let nobody = refusal(town.fetch(&format!("/worker/{}", of_worker("a"))).await).await;

    assert_eq!(stranger, (429, "rate_limited".into()));
    assert_eq!(view.branch, Some("main".into()));
    assert_eq!(nobody, (401, "not_a_worker".into()));
}

#[tokio::test]
async fn what_a_host_does_not_answer_is_not_kept() {
    let town = Town::start().await;
    let commit = "a".repeat(40);
    let path = path("alice/app", &commit);

    let absent = refusal(town.fetch(&path).await).await;
    town.hosts.say(Err(Unread::UnknownHost));
    let unknown = refusal(town.fetch(&path).await).await;
    town.hosts
        .say(Err(Unread::Unavailable("a secret place is down".into())));
    let down = town.fetch(&path).await;
    let status = down.status();
    let down = down.text().await.unwrap();
    town.hosts.have("main", "a");
    let at_last = resolved(&town, &commit).await;

    assert_eq!(absent, (404, "no_such_repository".into()));
    assert_eq!(unknown, (400, "unknown_host".into()));
    assert_eq!(status, 503);
    assert!(down.contains("repository_unavailable"), "{down}");
    assert!(!down.contains("secret place"), "{down}");
    assert_eq!(at_last, (Some("main".into()), false));
}

#[tokio::test]
async fn what_is_no_repository_or_no_commit_is_refused_before_anyone_is_asked() {
    let town = Town::start().await;

    for path in [
        "/github/resolve-branch?repo=a/b".to_owned(),
        "/github/resolve-branch?commit=main".to_owned(),
        path("nothing", "main"),
        path("a/b", "a%20b"),
        path("a/b", "--upload-pack=id"),
        path("a/b", ""),
    ] {
        let refused = refusal(town.fetch(&path).await).await;
        assert_eq!(refused, (400, "invalid_query".into()), "{path}");
    }

    assert_eq!(town.hosts.asked(), 0);
}
