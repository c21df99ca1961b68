//! How many events a process works on at once, and whether it left any to others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for events that are worked on behind their answers.
pub(super) struct Room {
    free: Arc<Semaphore>,
    /// How many events were kept that there was no room for.
    left: AtomicU64,
    /// How many of these somebody has taken since.
    taken: AtomicU64,
}

impl Room {
    /// Room for so many at once.
    pub(super) fn of(at_once: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(at_once)),
            left: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        }
    }

    /// A place, if one is free; it is free again when it is dropped.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }

    /// An event was kept and nobody works on it.
    pub(super) fn leave(&self) {
        self.left.fetch_add(1, Ordering::SeqCst);
    }

    /// A number of events that were left behind and perhaps wait still; none when all were taken.
    pub(super) fn left_behind(&self) -> Option<u64> {
        let left = self.left.load(Ordering::SeqCst);
        (self.taken.load(Ordering::SeqCst) < left).then_some(left)
    }

    /// Nothing waits any more of the first `number` that were left behind.
    pub(super) fn all_taken(&self, number: u64) {
        self.taken.fetch_max(number, Ordering::SeqCst);
    }
}
