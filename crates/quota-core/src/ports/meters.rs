//! Use on demand on its way to a payment provider's meter (P21): what is kept of it, and what is asked of the provider.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::provider::ProviderError;
use super::store_error::StoreError;
use crate::balance::Bucket;
use crate::ids::{AccountId, CustomerRef, MeterName, ProviderCode};
use crate::meter::{EntryId, MeterEntry, MeterPeriod, MeterPeriodId};
use crate::operation::Operation;
use crate::payment::PaymentMode;

/// Use that a provider is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterUse {
    /// The meter.
    pub meter: MeterName,
    /// Whose use.
    pub customer: CustomerRef,
    /// How much, in stored units.
    pub units: u64,
    /// Under which id it counts once.
    pub identifier: String,
    /// When it was: a whole second.
    pub at: DateTime<Utc>,
}

/// Whether what was told is counted no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It is not.
    Done,
    /// It is: the provider cancels it no more.
    TooLate,
}

/// A provider that counts use.
#[async_trait]
pub trait MeterProvider: Send + Sync {
    /// Tells use. The same identifier counts once, for a day at least.
    ///
    /// # Errors
    /// [`ProviderError`] when it was not told, or that is not known.
    async fn tell_use(&self, told: &MeterUse) -> Result<(), ProviderError>;

    /// Cancels what was told under an identifier.
    ///
    /// # Errors
    /// [`ProviderError`] when it is not known whether it was cancelled.
    async fn cancel_use(
        &self,
        meter: &MeterName,
        identifier: &str,
    ) -> Result<Cancelled, ProviderError>;

    /// What a meter counted of a customer in `[from, before)`; both are whole minutes.
    ///
    /// # Errors
    /// [`ProviderError`] when it cannot be fetched.
    async fn counted(
        &self,
        meter: &MeterName,
        customer: &CustomerRef,
        span: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<u64, ProviderError>;
}

/// How far the ledger was read: a number that its store understands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerMark(pub i64);

/// Operations that sold on demand, or gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldPage {
    /// The operations, in any order; some that sold nothing may be among them.
    pub operations: Vec<Operation>,
    /// Where the next page begins.
    pub next: LedgerMark,
    /// Whether there is nothing behind it yet.
    pub is_last: bool,
}

/// Which entries are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeterEntries {
    /// Those of a period that are open, by when they were booked and by id; at most so many.
    Open(MeterPeriodId, u32),
    /// Those of a period that were told at or after an instant, the one that was told last first; at most so many.
    ToldSince(MeterPeriodId, DateTime<Utc>, u32),
    /// These of a period.
    Known(MeterPeriodId, BTreeSet<EntryId>),
    /// All of an account that count within `[from, before)`.
    Within(AccountId, DateTime<Utc>, DateTime<Utc>),
}

/// A period and entries of it that are written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterWrite {
    /// The period; its version is one more than the stored one, or 1 where none is stored.
    pub period: MeterPeriod,
    /// Entries that are new or changed.
    pub entries: Vec<MeterEntry>,
}

/// What is kept of the telling of meters. A period and its entries lie in the shard of the account itself. Nothing of it is on the way of
/// a request for quota, and the ledger is only read.
#[async_trait]
pub trait MeterStore: Send + Sync {
    /// The mark before which nothing was booked at or after an instant.
    fn mark_at(&self, at: DateTime<Utc>) -> LedgerMark;

    /// The mark from which on to read once more what may have been decided before `mark` and committed behind it, as far back as
    /// `seconds`.
    fn rewound(&self, mark: LedgerMark, seconds: u32) -> LedgerMark;

    /// Operations that sold on demand from a mark on, and before `until`; about so many at once.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn sold(
        &self,
        from: LedgerMark,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<SoldPage, StoreError>;

    /// How far the ledger was read for a provider.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
    ) -> Result<Option<LedgerMark>, StoreError>;

    /// Keeps how far the ledger was read; one that is there or further stays.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_ledger_mark(
        &self,
        provider: &ProviderCode,
        mode: PaymentMode,
        mark: LedgerMark,
    ) -> Result<(), StoreError>;

    /// A period.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn meter_period(&self, id: &MeterPeriodId) -> Result<Option<MeterPeriod>, StoreError>;

    /// The periods of an account, by provider, mode and bucket.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn meter_periods(&self, account: &AccountId) -> Result<Vec<MeterPeriod>, StoreError>;

    /// Periods that are to be looked at by `now`, the one that waits longest first.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn due_meter_periods(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<MeterPeriod>, StoreError>;

    /// Entries, each with the bucket of its period.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    async fn meter_entries(
        &self,
        wanted: &MeterEntries,
    ) -> Result<Vec<(Bucket, MeterEntry)>, StoreError>;

    /// Writes a period and entries of it, if the stored one is of the version before: all, or nothing. `false` when another one was
    /// faster.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn write_meters(&self, write: &MeterWrite) -> Result<bool, StoreError>;

    /// Removes periods of which nothing is left to do and that ended before `before`, and entries that were booked before it and are not
    /// open; at most `limit` of each. How many it removed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn prune_meters(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError>;
}
