//! The same work asked for by several at the same time is done once.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

/// Work in hand, by its name. What is done is forgotten: keeping results is a cache's business.
pub(crate) struct Once<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, V> fmt::Debug for Once<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Once<K, V> {
    /// Does `work`, or waits for whoever is doing it. If they give up, the next who waits begins anew.
    pub(crate) async fn run<F>(&self, key: K, work: impl FnOnce() -> F) -> V
    where
        F: Future<Output = V>,
    {
        let cell = self.lock().entry(key.clone()).or_default().clone();
        let _leave = Leave {
            once: self,
            key: &key,
            cell: &cell,
        };
        cell.get_or_init(work).await.clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<OnceCell<V>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the work when it is done, or when the last who wanted it has gone.
struct Leave<'a, K: Eq + Hash + Clone, V: Clone> {
    once: &'a Once<K, V>,
    key: &'a K,
    cell: &'a Arc<OnceCell<V>>,
}

impl<K: Eq + Hash + Clone, V: Clone> Drop for Leave<'_, K, V> {
    fn drop(&mut self) {
        let mut work = self.once.lock();
        let is_ours = work
            .get(self.key)
            .is_some_and(|cell| Arc::ptr_eq(cell, self.cell));
        // Two hold it when nobody else waits: the table and this one.
        let is_over = self.cell.initialized() || Arc::strong_count(self.cell) <= 2;
        if is_ours && is_over {
            work.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn work_asked_for_twice_at_once_is_done_once_and_later_again() {
        let once = Once::default();
        let times = AtomicU32::new(0);
        let work = || async {
            tokio::task::yield_now().await;
            times.fetch_add(1, Ordering::SeqCst)
        };

        let together = tokio::join!(once.run("a", work), once.run("a", work));
        let later = once.run("a", work).await;

        assert_eq!((together, later), ((0, 0), 1));
        assert!(once.lock().is_empty());
    }

    #[tokio::test]
    async fn work_that_is_given_up_is_done_by_the_next_who_waits() {
        let once = Arc::new(Once::default());
        let stuck = {
            let once = Arc::clone(&once);
            tokio::spawn(async move { once.run("a", std::future::pending::<u32>).await })
        };
        tokio::task::yield_now().await;
        let waiting = {
            let once = Arc::clone(&once);
            tokio::spawn(async move { once.run("a", || async { 7 }).await })
        };
        tokio::task::yield_now().await;

        stuck.abort();

        assert_eq!(waiting.await.unwrap(), 7);
        assert!(once.lock().is_empty());
    }
}
