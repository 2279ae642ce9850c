//! Answers that are kept, each until its time is over.

use protocol::clock::Clock;
use protocol::secrets::{Branch, Repo};

use super::Wanted;
use crate::error::Error;
use crate::store::{Columns, Store, int};

/// The answers.
#[derive(Debug)]
pub(super) struct Answers {
    store: Store,
    clock: Clock,
}

impl Answers {
    pub(super) const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// The answer, if one is kept and still good: a branch, or that there is none.
    pub(super) async fn find(
        &self,
        repo: &Repo,
        wanted: &Wanted,
    ) -> Result<Option<Option<Branch>>, Error> {
        let row = sqlx::query(
            "SELECT branch FROM branches WHERE repo = $1 AND commit_name = $2 AND expires_at > $3",
        )
        .bind(repo.as_str())
        .bind(wanted.to_string())
        .bind(int(self.clock.now_ms()))
        .fetch_optional(self.store.readers())
        .await?;
        row.map(|row| row.maybe_parsed("branch")).transpose()
    }

    /// Keeps an answer for `keep_ms`.
    pub(super) async fn keep(
        &self,
        repo: &Repo,
        wanted: &Wanted,
        branch: Option<&Branch>,
        keep_ms: u64,
    ) -> Result<(), Error> {
        let now = self.clock.now_ms();
        sqlx::query(
            "INSERT INTO branches (repo, commit_name, branch, asked_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (repo, commit_name) DO UPDATE SET branch = excluded.branch, \
                 asked_at = excluded.asked_at, expires_at = excluded.expires_at",
        )
        .bind(repo.as_str())
        .bind(wanted.to_string())
        .bind(branch.map(|branch| branch.as_str().to_owned()))
        .bind(int(now))
        .bind(int(now.saturating_add(keep_ms)))
        .execute(self.store.writer())
        .await?;
        Ok(())
    }

    /// Throws away what is over, and of the rest the oldest beyond `most`; how many.
    pub(super) async fn clean(&self, most: u64) -> Result<u64, Error> {
        let over = sqlx::query("DELETE FROM branches WHERE expires_at <= $1")
            .bind(int(self.clock.now_ms()))
            .execute(self.store.writer())
            .await?;
        let surplus = sqlx::query(
            "DELETE FROM branches WHERE asked_at <= \
             (SELECT asked_at FROM branches ORDER BY asked_at DESC LIMIT 1 OFFSET $1)",
        )
        .bind(int(most))
        .execute(self.store.writer())
        .await?;
        Ok(over.rows_affected().saturating_add(surplus.rows_affected()))
    }
}

#[cfg(test)]
mod tests {
    use protocol::clock::ManualClock;

    use super::*;
    use crate::store::Database;

    #[tokio::test]
    async fn the_oldest_answers_go_when_there_are_too_many() {
        let clock = ManualClock::at(1_000);
        let store = Store::open(&Database::Memory).await.unwrap();
        let answers = Answers::new(store, clock.clone());
        let repo: Repo = "a/b".parse().unwrap();
        let wanted = ["1", "2", "3"].map(|digit| digit.repeat(40).parse().unwrap());
        for commit in &wanted {
            answers.keep(&repo, commit, None, 100).await.unwrap();
            clock.advance_ms(1);
        }

        let surplus = answers.clean(2).await.unwrap();
        let oldest = answers.find(&repo, &wanted[0]).await.unwrap();
        let newest = answers.find(&repo, &wanted[2]).await.unwrap();
        clock.advance_ms(100);
        let over = answers.clean(2).await.unwrap();

        assert_eq!((surplus, over), (1, 2));
        assert_eq!((oldest, newest), (None, Some(None)));
    }
}
