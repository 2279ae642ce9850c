//! What was found out about modules and need not be found out again.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Modules that are remembered; when there are more, all are forgotten, and found out about again.
const MOST: usize = 10_000;

/// Modules, by their hashes.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<HashSet<[u8; 32]>>);

impl Remembered {
    pub(crate) fn has(&self, module: &[u8; 32]) -> bool {
        self.lock().contains(module)
    }

    pub(crate) fn insert(&self, module: [u8; 32]) {
        let mut all = self.lock();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(module);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let remembered = Remembered::default();

        for number in 0..=u32::try_from(MOST).unwrap_or(0) {
            let mut module = [0; 32];
            for (byte, of) in module.iter_mut().zip(number.to_le_bytes()) {
                *byte = of;
            }
            remembered.insert(module);
            assert!(remembered.has(&module));
        }

        assert_eq!(remembered.lock().len(), 1);
    }
}
