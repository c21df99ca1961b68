//! Who counts use on demand, where it is kept what was told, and what a process remembers of the ledger that it read.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::meter::MeterPeriodId;
use quota_core::operation::Operation;
use quota_core::ports::{LedgerMark, MeterProvider, MeterStore};
use uuid::Uuid;

/// How often the ledger is read back further.
const READ_BACK_EVERY: TimeDelta = TimeDelta::hours(1);
/// Most operations that are remembered as read: more than are booked within the overlap.
const READ_MAX: usize = 50_000;
/// Most periods without a meter that are remembered.
const UNMETERED_MAX: usize = 10_000;

/// Who counts use, and where it is kept what was told.
#[derive(Clone)]
pub struct MeterParts {
    /// The engine's own database.
    pub store: Arc<dyn MeterStore>,
    /// The provider.
    pub provider: Arc<dyn MeterProvider>,
}

/// What tells a provider's meters, and what this process remembers of that.
pub(super) struct Meters {
    pub(super) parts: MeterParts,
    /// How far this process has looked for use, and when it last read back.
    looked: Mutex<Looked>,
    /// Periods of which no meter is told: what a period was begun with stays.
    unmetered: Mutex<HashSet<MeterPeriodId>>,
}

#[derive(Default)]
struct Looked {
    until: Option<LedgerMark>,
    read_back_at: Option<DateTime<Utc>>,
    /// Operations that were read: they are no news when they are read once more.
    read: HashSet<Uuid>,
}

impl Meters {
    pub(super) fn new(parts: MeterParts) -> Self {
        Self {
            parts,
            looked: Mutex::default(),
            unmetered: Mutex::default(),
        }
    }

    pub(super) fn is_to_read_back(&self, now: DateTime<Utc>) -> bool {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let next = looked
            .read_back_at
            .and_then(|at| at.checked_add_signed(READ_BACK_EVERY));
        next.is_none_or(|next| next <= now)
    }

    pub(super) fn note_read_back(&self, now: DateTime<Utc>) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.read_back_at = Some(now);
    }

    pub(super) fn looked_until(&self) -> Option<LedgerMark> {
        self.looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .until
    }

    pub(super) fn note_looked(&self, until: LedgerMark) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.until = looked.until.max(Some(until));
    }

    pub(super) fn has_news(&self, operations: &[Operation]) -> bool {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        operations.iter().any(|one| !looked.read.contains(&one.id))
    }

    pub(super) fn note_read(&self, operations: &[Operation]) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if READ_MAX <= looked.read.len() {
            looked.read.clear();
        }
        looked.read.extend(operations.iter().map(|one| one.id));
    }

    pub(super) fn is_unmetered(&self, id: &MeterPeriodId) -> bool {
        let unmetered = self.unmetered.lock();
        unmetered
            .unwrap_or_else(PoisonError::into_inner)
            .contains(id)
    }

    pub(super) fn note_unmetered(&self, id: &MeterPeriodId) {
        let mut unmetered = self
            .unmetered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if UNMETERED_MAX <= unmetered.len() {
            unmetered.clear();
        }
        unmetered.insert(id.clone());
    }
}
