//! Builds that go on: whoever causes one pays for it, and whoever only waits for it does not.
//!
//! Within this worker the table here says who has; among workers the coordinator does ([`claim()`]).

mod claim;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use claim::{Showing, Turn, claim};

/// The names of sources that are being built, and whether it is settled that this worker builds them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Building(Arc<Mutex<HashMap<String, bool>>>);

/// What a request for an artifact comes upon.
#[derive(Debug)]
pub(crate) enum Start {
    /// Nobody here builds it: this request causes the build.
    Caused(Caused),
    /// This worker builds it already.
    GoesOn,
    /// Another request has just come upon it, and whether this worker builds is not settled.
    Unsettled,
}

/// A build that somebody has caused; dropped when it is over.
#[derive(Debug)]
pub(crate) struct Caused {
    all: Building,
    name: String,
}

impl Building {
    /// Begins the build of `name`, unless somebody else has.
    pub(crate) fn begin(&self, name: &str) -> Start {
        match self.lock().entry(name.to_owned()) {
            Entry::Occupied(entry) if *entry.get() => Start::GoesOn,
            Entry::Occupied(_) => Start::Unsettled,
            Entry::Vacant(entry) => {
                entry.insert(false);
                Start::Caused(Caused {
                    all: self.clone(),
                    name: name.to_owned(),
                })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caused {
    /// This worker builds.
    pub(crate) fn settle(&self) {
        self.all.lock().insert(self.name.clone(), true);
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

        let Start::Caused(first) = building.begin("a") else {
            panic!("nobody else has begun");
        };
        let unsettled = building.begin("a");
        first.settle();
        let second = building.begin("a");
        let other = building.begin("b");
        drop(first);
        let next = building.begin("a");

        assert!(matches!(unsettled, Start::Unsettled));
        assert!(matches!(second, Start::GoesOn));
        assert!(matches!(
            (other, next),
            (Start::Caused(_), Start::Caused(_))
        ));
    }
}
