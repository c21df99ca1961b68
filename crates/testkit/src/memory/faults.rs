//! Faults on demand: which call of the store fails, and whether its effect took place.

use std::collections::BTreeMap;

use quota_core::ports::StoreError;

/// Where a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailWhen {
    /// Nothing took effect.
    BeforeEffect,
    /// Everything took effect; only the answer was lost.
    AfterEffect,
}

/// Told by tests, asked at every call.
#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: u64,
    next: u32,
    at: BTreeMap<u64, FailWhen>,
    writes: Option<StoreError>,
}

impl Faults {
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) fn fail_next(&mut self, calls: u32) {
        self.next = calls;
    }

    pub(super) fn fail_at(&mut self, call_number: u64, when: FailWhen) {
        self.at.insert(call_number, when);
    }

    pub(super) fn refuse_writes(&mut self, error: Option<StoreError>) {
        self.writes = error;
    }

    /// Why no write is taken, if that was said.
    pub(super) fn take_write(&self) -> Result<(), StoreError> {
        self.writes
            .as_ref()
            .map_or(Ok(()), |error| Err(error.repeated()))
    }

    /// Counts a call, and says whether it fails.
    pub(super) fn begin_call(&mut self) -> Option<FailWhen> {
        self.calls += 1;
        if self.next > 0 {
            self.next -= 1;
            return Some(FailWhen::BeforeEffect);
        }
        self.at.remove(&self.calls)
    }
}

/// What a call that fails on demand answers.
pub(super) fn on_demand() -> StoreError {
    StoreError::Unavailable("this call was told to fail".into())
}
