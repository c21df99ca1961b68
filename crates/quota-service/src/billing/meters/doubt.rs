//! What became of an entry of which nobody knows any more whether it arrived: the provider is asked for the sum of its minute.

use chrono::TimeDelta;
use quota_core::meter::{Fate, MeterEntry, MeterPeriod, MeterState, fate};
use quota_core::ports::MeterEntries;

use super::BillingError;
use super::tell::{Next, Telling, count};

impl Telling<'_> {
    /// Asks the provider what became of an entry whose identifier may count again.
    pub(super) async fn ask(&mut self, mut entry: MeterEntry) -> Result<Next, BillingError> {
        let fate = match self.fate_of(&entry).await {
            Ok(fate) => fate,
            Err(BillingError::Provider(error)) => return self.put_off(error).await,
            Err(error) => return Err(error),
        };
        let (mut period, now) = (self.period.clone(), self.now());
        match fate {
            Fate::Counted => period.counts(&mut entry, now),
            Fate::NotCounted => period.counts_not(&mut entry, now),
            Fate::Unknown => {
                count("unknown");
                period.is_unknown(&mut entry, now);
            }
        }
        self.settle(period, entry).await
    }

    async fn fate_of(&self, entry: &MeterEntry) -> Result<Fate, BillingError> {
        let Some(customer) = &entry.customer else {
            return Ok(Fate::NotCounted);
        };
        let (meters, account) = (self.meters, &self.period.id.account);
        let from = entry.at - TimeDelta::seconds(entry.at.timestamp().rem_euclid(60));
        let span = (from, from + TimeDelta::minutes(1));
        let theirs = meters
            .parts
            .provider
            .counted(&self.period.meter, customer, span)
            .await?;
        let periods = meters.parts.store.meter_periods(account).await?;
        let same: Vec<&MeterPeriod> = periods
            .iter()
            .filter(|other| other.meter == self.period.meter)
            .filter(|other| {
                other.id.provider == *self.billing.code() && other.id.mode == self.billing.mode()
            })
            .collect();
        let within = MeterEntries::Within(account.clone(), span.0, span.1);
        let (mut told, mut others) = (0_u64, Vec::new());
        for (bucket, other) in meters.parts.store.meter_entries(&within).await? {
            let is_same = same.iter().any(|period| period.id.bucket == bucket);
            if !is_same || other.customer.as_ref() != Some(customer) || other.id == entry.id {
                continue;
            }
            match other.state {
                MeterState::Told => told = told.saturating_add(other.told),
                MeterState::Sending | MeterState::Cancelling | MeterState::Unknown => {
                    others.push(other.told);
                }
                MeterState::Waiting
                | MeterState::Netted
                | MeterState::Refund
                | MeterState::TooOld => {}
            }
        }
        Ok(fate(theirs, told, entry.told, &others))
    }
}
