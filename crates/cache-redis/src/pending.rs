//! Versions that are yet to be told to the other nodes: the newest of each home.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quota_core::ids::AccountId;
use tokio::sync::Notify;

/// Homes that wait at most; Redis has then been away for long, and its entries have mostly expired.
pub(crate) const PENDING_MAX: usize = 65_536;
/// Homes told at once.
pub(crate) const BATCH_MAX: usize = 1_024;

/// What is yet to be told.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    state: Mutex<State>,
    /// Something waits.
    some: Notify,
    /// A batch is full.
    full: Notify,
}

#[derive(Debug, Default)]
struct State {
    homes: HashMap<AccountId, u64>,
    is_lost: bool,
}

/// A batch to be told. It goes back when it is dropped before it was told, by an error or a caller that went away.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pending: &'a Pending,
    pub(crate) homes: Vec<(AccountId, u64)>,
    /// Whether some homes were given up before: whoever listens must drop what it has.
    pub(crate) is_lost: bool,
}

impl Batch<'_> {
    /// It was told.
    pub(crate) fn done(mut self) {
        self.homes.clear();
        self.is_lost = false;
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.is_lost {
            self.pending.lock().is_lost = true;
        }
        if !self.homes.is_empty() {
            self.pending.add(&self.homes);
        }
    }
}

impl Pending {
    /// Adds versions; does not wait.
    pub(crate) fn add(&self, homes: &[(AccountId, u64)]) {
        let count = {
            let mut state = self.lock();
            for (home, version) in homes {
                if let Some(known) = state.homes.get_mut(home) {
                    *known = (*known).max(*version);
                } else if state.homes.len() < PENDING_MAX {
                    state.homes.insert(home.clone(), *version);
                } else {
                    state.is_lost = true;
                }
            }
            state.homes.len()
        };
        self.some.notify_one();
        if count >= BATCH_MAX {
            self.full.notify_one();
        }
    }

    /// Takes a batch; `None` when nothing waits.
    pub(crate) fn take(&self) -> Option<Batch<'_>> {
        let mut state = self.lock();
        if state.homes.is_empty() && !state.is_lost {
            return None;
        }
        let homes = if state.homes.len() <= BATCH_MAX {
            std::mem::take(&mut state.homes).into_iter().collect()
        } else {
            let some: Vec<AccountId> = state.homes.keys().take(BATCH_MAX).cloned().collect();
            let taken = some
                .iter()
                .filter_map(|home| state.homes.remove_entry(home));
            taken.collect()
        };
        Some(Batch {
            pending: self,
            homes,
            is_lost: std::mem::take(&mut state.is_lost),
        })
    }

    /// Waits until something is there to be told.
    pub(crate) async fn some(&self) {
        self.some.notified().await;
    }

    /// Waits until a whole batch is there.
    pub(crate) async fn full(&self) {
        self.full.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(number: usize) -> AccountId {
        AccountId::parse(&format!("org:{number}")).expect("an account")
    }

    #[test]
    fn the_newest_version_of_each_home_waits() {
        let pending = Pending::default();
        assert!(pending.take().is_none());
        pending.add(&[(home(1), 7), (home(1), 5)]);
        pending.add(&[(home(1), 6)]);
        let batch = pending.take().expect("a batch");
        assert_eq!(batch.homes, [(home(1), 7)]);
        pending.add(&[(home(1), 8)]);
        drop(batch);
        let batch = pending.take().expect("a batch");
        assert_eq!(batch.homes, [(home(1), 8)]);
        batch.done();
        assert!(pending.take().is_none());
    }

    #[test]
    fn what_is_too_much_is_given_up_and_said() {
        let pending = Pending::default();
        let homes: Vec<(AccountId, u64)> = (0..=PENDING_MAX).map(|n| (home(n), 1)).collect();
        pending.add(&homes);
        let (mut count, mut lost) = (0, 0);
        while let Some(batch) = pending.take() {
            assert!(batch.homes.len() <= BATCH_MAX);
            count += batch.homes.len();
            lost += usize::from(batch.is_lost);
            batch.done();
        }
        assert_eq!((count, lost), (PENDING_MAX, 1));
    }
}
