//! A process that dies at one call, or just after it: from then on nothing of it reaches the store or the provider.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::balance::Bucket;
use quota_core::ids::{AccountId, CustomerRef, MeterName, ProviderCode};
use quota_core::meter::{MeterEntry, MeterPeriod, MeterPeriodId};
use quota_core::payment::PaymentMode;
use quota_core::ports::{
    Cancelled, LedgerMark, MeterEntries, MeterProvider, MeterStore, MeterUse, MeterWrite,
    ProviderError, ProviderFault, SoldPage, StoreError,
};

/// Whether the call at which a process dies has its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    Before,
    After,
}

/// Counts the calls of a process, and ends it at one.
#[derive(Debug, Default)]
pub struct Switch {
    calls: AtomicU64,
    at: Mutex<Option<(u64, Death)>>,
    is_dead: AtomicBool,
}

impl Switch {
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn die_at(&self, call: u64, how: Death) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = Some((call, how));
    }

    /// Whether the call has its effect, and whether anybody hears of it.
    fn pass(&self) -> (bool, bool) {
        if self.is_dead.load(Ordering::Relaxed) {
            return (false, false);
        }
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let at = *self.at.lock().unwrap_or_else(PoisonError::into_inner);
        match at.filter(|(at, _)| *at == number) {
            None => (true, true),
            Some((_, how)) => {
                self.is_dead.store(true, Ordering::Relaxed);
                (how == Death::After, false)
            }
        }
    }
}

pub struct SwitchedStore {
    pub store: Arc<dyn MeterStore>,
    pub switch: Arc<Switch>,
}

fn gone() -> StoreError {
    StoreError::Unavailable("the process is dead".into())
}

macro_rules! switched {
    ($self:ident, $call:expr, $gone:expr) => {{
        let (has_effect, is_heard) = $self.switch.pass();
        let answer = if has_effect { Some($call.await) } else { None };
        match answer.filter(|_| is_heard) {
            Some(answer) => answer,
            None => Err($gone),
        }
    }};
}

#[async_trait]
impl MeterStore for SwitchedStore {
    fn mark_at(&self, at: DateTime<Utc>) -> LedgerMark {
        self.store.mark_at(at)
    }

    fn rewound(&self, mark: LedgerMark, seconds: u32) -> LedgerMark {
        self.store.rewound(mark, seconds)
    }

    async fn sold(
        &self,
        from: LedgerMark,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<SoldPage, StoreError> {
        switched!(self, self.store.sold(from, until, limit), gone())
    }

    async fn ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
    ) -> Result<Option<LedgerMark>, StoreError> {
        switched!(self, self.store.ledger_mark(provider, mode), gone())
    }

    async fn put_ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        mark: LedgerMark,
    ) -> Result<(), StoreError> {
        switched!(
            self,
            self.store.put_ledger_mark(provider, mode, mark),
            gone()
        )
    }

    async fn meter_period(&self, id: &MeterPeriodId) -> Result<Option<MeterPeriod>, StoreError> {
        switched!(self, self.store.meter_period(id), gone())
    }

    async fn meter_periods(&self, account: &AccountId) -> Result<Vec<MeterPeriod>, StoreError> {
        switched!(self, self.store.meter_periods(account), gone())
    }

    async fn due_meter_periods(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<MeterPeriod>, StoreError> {
        switched!(self, self.store.due_meter_periods(now, limit), gone())
    }

    async fn meter_entries(
        &self,
        wanted: &MeterEntries,
    ) -> Result<Vec<(Bucket, MeterEntry)>, StoreError> {
        switched!(self, self.store.meter_entries(wanted), gone())
    }

    async fn write_meters(&self, write: &MeterWrite) -> Result<bool, StoreError> {
        switched!(self, self.store.write_meters(write), gone())
    }

    async fn prune_meters(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        switched!(self, self.store.prune_meters(before, limit), gone())
    }
}

pub struct SwitchedProvider {
    pub provider: Arc<dyn MeterProvider>,
    pub switch: Arc<Switch>,
}

fn lost() -> ProviderError {
    ProviderError {
        provider: billing_stripe::provider::code(),
        fault: ProviderFault::Later,
        what: "no answer came".to_owned(),
    }
}

#[async_trait]
impl MeterProvider for SwitchedProvider {
    async fn tell_use(&self, told: &MeterUse) -> Result<(), ProviderError> {
        switched!(self, self.provider.tell_use(told), lost())
    }

    async fn cancel_use(
        &self,
        meter: &MeterName,
        identifier: &str,
    ) -> Result<Cancelled, ProviderError> {
        switched!(self, self.provider.cancel_use(meter, identifier), lost())
    }

    async fn counted(
        &self,
        meter: &MeterName,
        customer: &CustomerRef,
        span: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<u64, ProviderError> {
        switched!(self, self.provider.counted(meter, customer, span), lost())
    }
}
