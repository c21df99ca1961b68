//! Tasks that end with the engine.

use std::sync::{Mutex, PoisonError};

use tokio::task::{AbortHandle, JoinHandle};

/// Tasks that end with the engine.
#[derive(Debug, Default)]
pub(crate) struct Background(Mutex<Vec<AbortHandle>>);

impl Background {
    /// Adds tasks.
    pub(crate) fn extend(&self, tasks: impl IntoIterator<Item = JoinHandle<()>>) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.extend(tasks.into_iter().map(|task| task.abort_handle()));
    }

    /// Takes the tasks of another over.
    pub(crate) fn take_over(&self, other: &Self) {
        let taken = std::mem::take(&mut *other.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.extend(taken);
    }

    /// Ends all tasks.
    pub(crate) fn stop(&self) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.drain(..).for_each(|task| task.abort());
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}
