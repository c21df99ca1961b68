//! How a write finds out that a key is taken, of those that were not looked for when its home was loaded.
//!
//! Looked up first, each key costs a search of the month's index, and then the index searches again as the operation is
//! inserted. Left to the index, a key that is taken fails the statement, which is then written once more with the
//! look-up. Nearly always none is. Figures: docs/PERFORMANCE.md, "Keys left to their index".

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use quota_core::ports::HomeWrite;

/// Keys of a statement from which on they are left to the index. A failed statement is an error in the server's log: a
/// service with little to do should not fill it.
const UNCHECKED_FROM: usize = 32;
/// Batches that are looked up after one that failed.
const CHECKED_BATCHES: u32 = 256;

/// What finds a key that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyCheck {
    /// The unique index of the month, by failing the statement; other months are looked up.
    Index,
    /// A look-up before anything is written.
    LookUp,
}

impl KeyCheck {
    /// What serves for these homes, if `self` is asked for: the index sees only keys that an operation carries.
    pub(crate) fn narrowed(self, homes: &[&HomeWrite]) -> Self {
        let keys: usize = homes.iter().map(|home| home.unseen_keys.len()).sum();
        if UNCHECKED_FROM <= keys && homes.iter().all(|home| home.carries_unseen_keys()) {
            self
        } else {
            Self::LookUp
        }
    }
}

/// Whether keys are left to the index now: not for some batches after one that failed. Every clone shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyGate {
    checked_left: Arc<AtomicU32>,
}

impl KeyGate {
    /// For the next batch; counts one that is looked up.
    pub(crate) fn next(&self) -> KeyCheck {
        let (order, fewer) = (Ordering::Relaxed, |left: u32| left.checked_sub(1));
        match self.checked_left.fetch_update(order, order, fewer) {
            Ok(_) => KeyCheck::LookUp,
            Err(_) => KeyCheck::Index,
        }
    }

    /// After a key that was taken.
    pub(crate) fn close(&self) {
        self.checked_left.store(CHECKED_BATCHES, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_taken_key_some_batches_are_looked_up() {
        let gate = KeyGate::default();
        assert_eq!(gate.next(), KeyCheck::Index);
        gate.close();
        for batch in 0..CHECKED_BATCHES {
            assert_eq!(gate.clone().next(), KeyCheck::LookUp, "{batch}");
        }
        assert_eq!(gate.next(), KeyCheck::Index);
    }
}
