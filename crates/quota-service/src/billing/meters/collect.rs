//! From the ledger to what is to be told. The ledger is only read, and an entry is known by its id: what is read twice is told once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use quota_core::answer::Rejection;
use quota_core::balance::Balance;
use quota_core::ids::AccountId;
use quota_core::meter::{MeterEntry, MeterPeriod, MeterPeriodId, TOLD_WITHIN, sold};
use quota_core::operation::Operation;
use quota_core::ports::{LedgerMark, MeterEntries, MeterWrite, StoreError};

use super::{Billing, BillingError, Meters};
use crate::EngineError;

/// Operations that are read at once.
const PAGE: u32 = 1_000;
/// A decision is committed within this; what was read up to here is read once more.
const OVERLAP_SECONDS: u32 = 10;
/// As far is read back now and then, for what was committed later than any deadline allows: a database that hung.
const READ_BACK_SECONDS: u32 = 2 * 3_600;
/// Tries to write a period that others write too.
const TRIES_MAX: u32 = 8;

/// A page of the ledger that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    /// Entries that are to be told, and were not known before.
    pub new: u64,
    /// Periods of which entries could not be entered, in this page and those before it: they come again with the next look.
    pub failed: u64,
    /// Where the next page begins.
    pub next: LedgerMark,
    /// Whether there is nothing behind it yet.
    pub is_last: bool,
}

impl Billing {
    /// Whether there is use to be told, or a period to be compared, as far as this process can see.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn has_meters_to_tell(&self) -> Result<bool, StoreError> {
        let Some(meters) = self.meters() else {
            return Ok(false);
        };
        // A catalog that cannot be read now may have some.
        if let Ok(catalog) = self.engine().catalog().await
            && !catalog.has_meters()
        {
            return Ok(false);
        }
        let (store, now) = (&meters.parts.store, self.engine().now());
        if !store.due_meter_periods(now, 1).await?.is_empty() || meters.is_to_read_back(now) {
            return Ok(true);
        }
        let mut from = match meters.looked_until() {
            Some(until) => store.rewound(until, OVERLAP_SECONDS),
            None => return Ok(true),
        };
        loop {
            let page = store.sold(from, now, PAGE).await?;
            if meters.has_news(&page.operations) {
                return Ok(true);
            }
            from = page.next;
            meters.note_looked(from);
            if page.is_last {
                return Ok(false);
            }
        }
    }

    /// Reads a page of the ledger behind the one before it, or from where reading has to begin. What it sold is to be told then. An account
    /// that cannot be worked on stops no other.
    ///
    /// # Errors
    /// [`BillingError`] when the ledger cannot be read, or it cannot be kept how far that was done; the same call again does what is missing.
    pub async fn collect_sold(&self, before: Option<Collected>) -> Result<Collected, BillingError> {
        let now = self.engine().now();
        let Some(meters) = self.meters() else {
            return Ok(Collected {
                new: 0,
                failed: 0,
                next: LedgerMark(0),
                is_last: true,
            });
        };
        let from = match before {
            Some(before) => before.next,
            None => self.first_mark(meters, now).await?,
        };
        let connected_at = self.connection().await?.money_starts_at;
        let since = connected_at.checked_sub_signed(TOLD_WITHIN);
        let store = &meters.parts.store;
        let page = store.sold(from, now, PAGE).await?;
        let (mut new, mut failed) = (0_u64, before.map_or(0, |before| before.failed));
        let since = since.unwrap_or(connected_at);
        for (id, entries) in self.by_period(&page.operations, since) {
            match self.take_sold(meters, &id, entries).await {
                Ok(taken) => new = new.saturating_add(taken),
                Err(error) => {
                    tracing::warn!(period = %id, %error, "use on demand could not be entered yet; it is read again");
                    failed = failed.saturating_add(1);
                }
            }
        }
        if failed == 0 {
            store
                .put_ledger_mark(self.code(), self.mode(), page.next)
                .await?;
            meters.note_looked(page.next);
            meters.note_read(&page.operations);
        }
        Ok(Collected {
            new,
            failed,
            next: page.next,
            is_last: page.is_last,
        })
    }

    /// Where reading begins: where it ended, and a little before that; at first with what a provider still takes.
    async fn first_mark(
        &self,
        meters: &Meters,
        now: DateTime<Utc>,
    ) -> Result<LedgerMark, StoreError> {
        let store = &meters.parts.store;
        let oldest = store.mark_at(now.checked_sub_signed(TOLD_WITHIN).unwrap_or(now));
        let Some(mark) = store.ledger_mark(self.code(), self.mode()).await? else {
            return Ok(oldest);
        };
        let seconds = if meters.is_to_read_back(now) {
            meters.note_read_back(now);
            READ_BACK_SECONDS
        } else {
            OVERLAP_SECONDS
        };
        // What is so old that it may have been pruned is not read twice; what was never read is, however old: it is listed.
        Ok(store.rewound(mark, seconds).max(oldest.min(mark)))
    }

    /// What operations sold, by period; nothing of what was booked long before the provider was connected.
    fn by_period(
        &self,
        operations: &[Operation],
        since: DateTime<Utc>,
    ) -> BTreeMap<MeterPeriodId, Vec<MeterEntry>> {
        let mut periods: BTreeMap<MeterPeriodId, Vec<MeterEntry>> = BTreeMap::new();
        for operation in operations.iter().filter(|one| since < one.at) {
            for sold in sold(operation) {
                let id = self.period_id(&sold.account, sold.bucket);
                periods.entry(id).or_default().push(sold.entry);
            }
        }
        periods
    }

    /// Enters entries of a period that are not known yet; how many.
    async fn take_sold(
        &self,
        meters: &Meters,
        id: &MeterPeriodId,
        entries: Vec<MeterEntry>,
    ) -> Result<u64, BillingError> {
        let store = &meters.parts.store;
        let ids: BTreeSet<_> = entries.iter().map(|entry| entry.id).collect();
        for _ in 0..TRIES_MAX {
            let period = match store.meter_period(id).await? {
                Some(period) => Some(period),
                None => self.begun(meters, id).await?,
            };
            let Some(mut period) = period else {
                return Ok(0);
            };
            let known = store
                .meter_entries(&MeterEntries::Known(id.clone(), ids.clone()))
                .await?;
            let known: BTreeSet<_> = known.into_iter().map(|(_, entry)| entry.id).collect();
            let new = entries.iter().filter(|entry| !known.contains(&entry.id));
            let mut new: Vec<MeterEntry> = new.cloned().collect();
            if new.is_empty() {
                return Ok(0);
            }
            period.take(&mut new, self.engine().now());
            period.version = period.version.saturating_add(1);
            let count = u64::try_from(new.len()).unwrap_or(u64::MAX);
            let write = MeterWrite {
                period,
                entries: new,
            };
            if store.write_meters(&write).await? {
                return Ok(count);
            }
        }
        Err(BillingError::Busy)
    }

    /// A period of which nothing was told yet, if a meter is told of it.
    async fn begun(
        &self,
        meters: &Meters,
        id: &MeterPeriodId,
    ) -> Result<Option<MeterPeriod>, BillingError> {
        if meters.is_unmetered(id) {
            return Ok(None);
        }
        let sales = self.sales_of(&id.account).await?;
        let balance = sales.iter().find(|balance| balance.bucket == id.bucket);
        let period =
            balance.map(|balance| MeterPeriod::begun(id.clone(), balance, self.engine().now()));
        if let Some(None) = period {
            meters.note_unmetered(id);
        }
        Ok(period.flatten())
    }

    /// What the books say was sold to an account; nothing of one that is not there any more.
    pub(super) async fn sales_of(&self, account: &AccountId) -> Result<Vec<Balance>, BillingError> {
        match self.engine().sales(account).await {
            Ok(sales) => Ok(sales),
            Err(EngineError::Rejected(Rejection::UnknownAccount)) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}
