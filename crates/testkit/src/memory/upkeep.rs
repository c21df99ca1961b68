//! Upkeep of the store in memory.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::ports::{RunState, StoreError, Upkeep};
use quota_core::reservation::ReservationState;

use super::records::at_most;
use super::state::State;
use super::{MemoryStore, lock};

#[async_trait]
impl Upkeep for MemoryStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.call(|_| Ok(()))
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.call(|_| {
            let mut time = lock(&self.time);
            *time = time.map(|time| time + TimeDelta::microseconds(1));
            Ok(*time)
        })
    }

    async fn make_ledger_months(&self, _now: DateTime<Utc>) -> Result<(), StoreError> {
        self.call(|_| Ok(()))
    }

    async fn prune(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        self.call(|state| Ok(state.prune(before, at_most(limit))))
    }
}

impl State {
    fn prune(&mut self, before: DateTime<Utc>, limit: usize) -> u64 {
        let mut removed = 0;
        let mut left = limit;
        let passed = self.cursors.values().copied().min().unwrap_or_default();
        self.outbox.retain(|place, event| {
            let goes = left > 0 && *place <= passed && event.at < before;
            left -= usize::from(goes);
            removed += u64::from(goes);
            !goes
        });
        let mut left = limit;
        for home in self.homes.values_mut() {
            home.reservations.retain(|_, reservation| {
                let ended = reservation.state != ReservationState::Open;
                let goes = left > 0 && ended && reservation.expires_at < before;
                left -= usize::from(goes);
                removed += u64::from(goes);
                !goes
            });
        }
        let mut left = limit;
        let batches = &mut self.batches;
        self.runs.retain(|run| {
            let ended = run.state != RunState::Running;
            let goes = left > 0 && ended && run.ended_at.unwrap_or(run.started_at) < before;
            left -= usize::from(goes);
            removed += u64::from(goes);
            if goes {
                batches.retain(|(of, _), _| *of != run.id);
            }
            !goes
        });
        removed
    }
}
