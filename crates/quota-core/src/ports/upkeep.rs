//! Upkeep: what keeps a store working and small, and whether it answers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::store_error::StoreError;

/// Upkeep of a store.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Whether the store can answer, for `/readyz`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The store's time, to set the engine's clock by; `None` when it shares this machine's clock, as it does unless it
    /// says otherwise.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }

    /// Makes room in the ledger for the month of `now` and the two after it, where that is not there yet. Does nothing
    /// unless a store says otherwise: the ledger is one table then.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn make_ledger_months(&self, _now: DateTime<Utc>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Removes events that every consumer has passed, ended reservations and job records, all from before `before`, at
    /// most `limit` of each. Returns how many rows were removed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn prune(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError>;
}
