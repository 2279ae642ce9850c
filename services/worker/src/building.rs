//! Builds that go on: whoever causes one pays for it, and whoever only waits for it does not.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The names of sources that are being built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Building(Arc<Mutex<HashSet<String>>>);

/// A build that somebody has caused; dropped when it is over.
#[derive(Debug)]
pub(crate) struct Caused {
    all: Building,
    name: String,
}

impl Building {
    /// Begins the build of `name`, unless it goes on already: then somebody else has caused it.
    pub(crate) fn begin(&self, name: &str) -> Option<Caused> {
        self.lock().insert(name.to_owned()).then(|| Caused {
            all: self.clone(),
            name: name.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Caused {
    fn drop(&mut self) {
        self.all.lock().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_has_one_cause_until_it_is_over() {
        let building = Building::default();

        let first = building.begin("a");
        let second = building.begin("a");
        let other = building.begin("b");
        assert!(first.is_some() && second.is_none() && other.is_some());
        drop(first);

        assert!(building.begin("a").is_some());
    }
}
