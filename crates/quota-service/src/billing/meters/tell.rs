//! Telling, entry by entry. What is about to be done is written before it is done, and what came of it afterwards: whoever comes after a
//! crash finds the entry in doubt, and does the same under the same identifier, or asks.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use quota_core::ids::CustomerRef;
use quota_core::meter::{
    MeterEntry, MeterPeriod, MeterPeriodId, MeterState, MeterStep, Place, SURE_WITHIN, next_step,
};
use quota_core::ports::{
    Cancelled, MeterEntries, MeterUse, MeterWrite, ProviderError, ProviderFault, StoreError,
};
use tokio::task::JoinSet;

use super::{Billing, BillingError, Meters};

/// Periods that are worked on at once. Of one period entries are told one after the other, as a meter takes them.
const PERIODS_AT_ONCE: u32 = 8;
/// Entries that are read at once.
const OPEN_PAGE: u32 = 100;
/// Steps of one period in a row, before others have their turn.
const STEPS_MAX: u32 = 400;
/// Entries that were told last, of which one may be cancelled.
const CANCELLABLE_PAGE: u32 = 50;

/// What a look at what is to be told came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MetersTold {
    /// Entries and periods that were gone on with.
    pub done: u64,
    /// Periods that could not be gone on with.
    pub failed: u64,
}

impl MetersTold {
    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A period at work.
pub(super) struct Telling<'a> {
    pub(super) billing: &'a Billing,
    pub(super) meters: &'a Meters,
    pub(super) period: MeterPeriod,
    /// Its entries that are open, as far as they are read.
    open: VecDeque<MeterEntry>,
    done: u64,
}

/// Whether to go on with a period.
#[derive(PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Stop,
}

impl Billing {
    /// Tells meters of some periods that wait, and compares those that are over.
    ///
    /// # Errors
    /// [`BillingError`] when it cannot be read which ones wait.
    pub async fn tell_meters(&self) -> Result<MetersTold, BillingError> {
        let Some(meters) = self.meters() else {
            return Ok(MetersTold::default());
        };
        let now = self.engine().now();
        let due = meters
            .parts
            .store
            .due_meter_periods(now, PERIODS_AT_ONCE)
            .await?;
        let mut at_work = JoinSet::new();
        for period in due {
            let billing = self.clone();
            at_work.spawn(async move { billing.work_on_due(period.id).await });
        }
        let mut told = MetersTold::default();
        while let Some(ended) = at_work.join_next().await {
            match ended {
                Ok(Ok(done)) => told.done = told.done.saturating_add(done),
                Ok(Err(_)) | Err(_) => told.failed = told.failed.saturating_add(1),
            }
        }
        Ok(told)
    }

    async fn work_on_due(&self, id: MeterPeriodId) -> Result<u64, BillingError> {
        let Some(meters) = self.meters() else {
            return Ok(0);
        };
        let worked = self.work_on_period(meters, &id).await;
        if let Err(error) = &worked {
            tracing::warn!(period = %id, %error, "a meter could not be told yet; it is tried again");
        }
        self.list_meter_problems(meters, &id).await?;
        worked
    }

    /// Goes on with a period as far as it goes; how many steps that was.
    pub(super) async fn work_on_period(
        &self,
        meters: &Meters,
        id: &MeterPeriodId,
    ) -> Result<u64, BillingError> {
        let Some(period) = meters.parts.store.meter_period(id).await? else {
            return Ok(0);
        };
        let mut telling = Telling {
            billing: self,
            meters,
            period,
            open: VecDeque::new(),
            done: 0,
        };
        for _ in 0..STEPS_MAX {
            if telling.step().await? == Next::Stop {
                break;
            }
        }
        Ok(telling.done)
    }

    /// Writes a period with entries of it; `false` when somebody else was faster.
    pub(super) async fn write(
        &self,
        meters: &Meters,
        period: &MeterPeriod,
        entries: Vec<MeterEntry>,
    ) -> Result<bool, StoreError> {
        let write = MeterWrite {
            period: period.clone(),
            entries,
        };
        meters.parts.store.write_meters(&write).await
    }

    /// The customer that is told of: one of which something was told already, else the account's first.
    async fn metered_customer(
        &self,
        period: &MeterPeriod,
    ) -> Result<Option<CustomerRef>, BillingError> {
        let all = self.customers_of(&period.id.account).await?;
        let known = all
            .iter()
            .find(|id| period.customers.contains(&id.customer));
        Ok(known.or(all.first()).map(|id| id.customer.clone()))
    }
}

impl Telling<'_> {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.billing.engine().now()
    }

    async fn step(&mut self) -> Result<Next, BillingError> {
        let (store, id, now) = (&self.meters.parts.store, self.period.id.clone(), self.now());
        if self.open.is_empty() {
            let open = MeterEntries::Open(id.clone(), OPEN_PAGE);
            let open = store.meter_entries(&open).await?.into_iter();
            self.open = open.map(|(_, entry)| entry).collect();
        }
        let (mut told, mut customer) = (Vec::new(), None);
        if self.open.is_empty() && self.period.sums.carried() != 0 {
            let since = now.checked_sub_signed(SURE_WITHIN).unwrap_or(now);
            let recent = MeterEntries::ToldSince(id, since, CANCELLABLE_PAGE);
            let recent = store.meter_entries(&recent).await?.into_iter();
            told = recent.map(|(_, entry)| entry).collect();
        }
        if self
            .open
            .front()
            .is_some_and(|first| first.state == MeterState::Waiting)
        {
            customer = self.billing.metered_customer(&self.period).await?;
        }
        let step = next_step(&Place {
            period: &self.period,
            open: self.open.make_contiguous(),
            told: &told,
            customer: customer.as_ref(),
            now,
        });
        self.take(step).await
    }

    async fn take(&mut self, step: MeterStep) -> Result<Next, BillingError> {
        match step {
            MeterStep::Tell(both) => {
                let (period, entry) = *both;
                if !self.keep(period, Some(&entry)).await? {
                    return Ok(Next::Stop);
                }
                self.tell(entry, true).await
            }
            MeterStep::TellAgain(entry) => self.tell(*entry, false).await,
            MeterStep::Cancel(both) => {
                let (period, entry) = *both;
                if !self.keep(period, Some(&entry)).await? {
                    return Ok(Next::Stop);
                }
                self.cancel(entry).await
            }
            MeterStep::CancelAgain(entry) => self.cancel(*entry).await,
            MeterStep::Ask(entry) => self.ask(*entry).await,
            MeterStep::Note(both) => {
                let (period, entry) = *both;
                count(if entry.state == MeterState::Netted {
                    "netted"
                } else {
                    "too_old"
                });
                self.settle(period, entry).await
            }
            MeterStep::NoCustomer(period) => {
                self.keep(*period, None).await?;
                Ok(Next::Stop)
            }
            MeterStep::Compare => {
                let compared = self.billing.compare(self.meters, &self.period).await;
                self.end(compared).await
            }
            MeterStep::Rest(until) => {
                if self.period.next_at != until {
                    let mut period = self.period.clone();
                    period.next_at = until;
                    self.keep(period, None).await?;
                }
                Ok(Next::Stop)
            }
        }
    }

    /// Writes what is about to be done, or was.
    async fn keep(
        &mut self,
        mut period: MeterPeriod,
        entry: Option<&MeterEntry>,
    ) -> Result<bool, StoreError> {
        period.version = self.period.version.saturating_add(1);
        let entries = entry.cloned().into_iter().collect();
        let is_kept = self.billing.write(self.meters, &period, entries).await?;
        self.period = period;
        Ok(is_kept)
    }

    /// Writes what became of an entry, and takes it off the list of those that are open.
    pub(super) async fn settle(
        &mut self,
        period: MeterPeriod,
        entry: MeterEntry,
    ) -> Result<Next, BillingError> {
        if !self.keep(period, Some(&entry)).await? {
            return Ok(Next::Stop);
        }
        self.done = self.done.saturating_add(1);
        self.open.retain(|open| open.id != entry.id);
        if entry.state.is_open() {
            self.open.push_front(entry);
        }
        Ok(Next::GoOn)
    }

    /// The provider did not do it, as far as is known: it is tried again later.
    pub(super) async fn put_off(&mut self, error: ProviderError) -> Result<Next, BillingError> {
        let mut period = self.period.clone();
        period.put_off(self.now());
        if error.fault == ProviderFault::Refused {
            period.refused = Some(error.what.clone());
        }
        self.keep(period, None).await?;
        Err(error.into())
    }

    async fn tell(&mut self, mut entry: MeterEntry, is_first: bool) -> Result<Next, BillingError> {
        let Some(customer) = entry.customer.clone() else {
            return self.ask(entry).await;
        };
        let told = MeterUse {
            meter: self.period.meter.clone(),
            customer,
            units: entry.told,
            identifier: entry.identifier(),
            at: entry.at,
        };
        let outcome = self.meters.parts.provider.tell_use(&told).await;
        let (mut period, now) = (self.period.clone(), self.now());
        match outcome {
            Ok(()) => {
                period.counts(&mut entry, now);
                count(if is_first { "told" } else { "told_again" });
                let lag = (now - entry.booked_at).to_std().unwrap_or_default();
                histogram!("meter_lag_seconds").record(lag.as_secs_f64());
                self.settle(period, entry).await
            }
            // Nothing was told before: it is sure that nothing arrived.
            Err(error) if error.fault == ProviderFault::Refused && is_first => {
                count("refused");
                period.counts_not(&mut entry, now);
                period.put_off(now);
                period.refused = Some(error.what);
                self.settle(period, entry).await?;
                Ok(Next::Stop)
            }
            Err(error) => {
                count("failed");
                self.put_off(error).await
            }
        }
    }

    async fn cancel(&mut self, mut entry: MeterEntry) -> Result<Next, BillingError> {
        let meter = &self.period.meter;
        let outcome = self
            .meters
            .parts
            .provider
            .cancel_use(meter, &entry.identifier())
            .await;
        let (mut period, now) = (self.period.clone(), self.now());
        match outcome {
            Ok(Cancelled::Done) => {
                count("cancelled");
                period.counts_not(&mut entry, now);
                self.settle(period, entry).await
            }
            Ok(Cancelled::TooLate) => {
                period.counts(&mut entry, now);
                self.settle(period, entry).await
            }
            Err(error) => {
                count("failed");
                self.put_off(error).await
            }
        }
    }

    async fn end(
        &mut self,
        compared: Result<MeterPeriod, BillingError>,
    ) -> Result<Next, BillingError> {
        match compared {
            Ok(period) => {
                self.keep(period, None).await?;
                self.done = self.done.saturating_add(1);
                Ok(Next::Stop)
            }
            Err(BillingError::Provider(error)) if error.fault != ProviderFault::Refused => {
                self.put_off(error).await
            }
            Err(BillingError::Provider(error)) => {
                let mut period = self.period.clone();
                period.put_off(self.now());
                period.refused = Some(error.what);
                self.keep(period, None).await?;
                Ok(Next::Stop)
            }
            Err(error) => Err(error),
        }
    }
}

pub(super) fn count(result: &'static str) {
    counter!("meter_events_total", "result" => result).increment(1);
}
