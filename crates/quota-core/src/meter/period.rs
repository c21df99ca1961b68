//! What was sold of a feature in one period, as the meter is told of it.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::check::{Compared, MeterSpan};
use super::entry::MeterEntry;
use super::{CUSTOMER_AFTER, MeterState};
use crate::absent::is_default;
use crate::balance::{Balance, Bucket};
use crate::ids::{AccountId, CustomerRef, MeterName, ProviderCode};
use crate::payment::PaymentMode;

/// What was sold of one feature to one account in one period, and who is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MeterPeriodId {
    /// The account that owes it.
    pub account: AccountId,
    /// The provider that is told.
    pub provider: ProviderCode,
    /// Whether it is real money.
    pub mode: PaymentMode,
    /// The balance of the books that counts it.
    pub bucket: Bucket,
}

impl fmt::Display for MeterPeriodId {
    /// What a problem with it is about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.account, self.bucket)
    }
}

/// Sums over all entries of a period, those included that are kept no more. In stored units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterSums {
    /// Sold.
    #[serde(default, skip_serializing_if = "is_default")]
    pub booked: u64,
    /// Given back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub refunded: u64,
    /// Given back, and therefore not told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub netted: u64,
    /// What the provider counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub told: u64,
    /// What of that was told when the period's invoice may have been closed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub late: u64,
    /// What was too old to be told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub too_old: u64,
    /// What may or may not count at the provider.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unknown: u64,
}

impl MeterSums {
    /// Given back, and not netted yet.
    pub fn carried(&self) -> u64 {
        self.refunded.saturating_sub(self.netted)
    }

    /// What the provider should count in the end.
    pub fn owed(&self) -> u64 {
        self.booked.saturating_sub(self.refunded)
    }
}

/// A period, and where its telling stands. A write follows the version before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterPeriod {
    /// The provider, the account that owes, and the bucket that sells.
    pub id: MeterPeriodId,
    /// How often it was written; kept beside what is stored.
    #[serde(skip)]
    pub version: u64,
    /// When it is looked at next; none when there is nothing left to do. Kept beside what is stored.
    #[serde(skip)]
    pub next_at: Option<DateTime<Utc>>,
    /// The meter.
    pub meter: MeterName,
    /// First instant of the period.
    pub starts_at: DateTime<Utc>,
    /// First instant after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Sums of its entries.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sums: MeterSums,
    /// The customers of which something was told.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub customers: BTreeSet<CustomerRef>,
    /// Since when something waits for a customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<DateTime<Utc>>,
    /// Why the provider refused what it was told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// How often in a row it could not be gone on with.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tries: u32,
    /// What the comparison at the end came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
}

impl MeterPeriod {
    /// The period that a balance counts, of which nothing is known yet; none of a balance whose sale no meter is told of.
    pub fn begun(id: MeterPeriodId, balance: &Balance, now: DateTime<Utc>) -> Option<Self> {
        let meter = balance.sale.as_ref()?.meter.clone()?;
        Some(Self {
            id,
            version: 0,
            next_at: Some(now),
            meter,
            starts_at: balance.starts_at,
            ends_at: balance.ends_at,
            sums: MeterSums::default(),
            customers: BTreeSet::new(),
            waits_since: None,
            refused: None,
            tries: 0,
            compared: None,
        })
    }

    /// Takes entries in that are new to it; they come with their place in the period's time.
    pub fn take(&mut self, new: &mut [MeterEntry], now: DateTime<Utc>) {
        for entry in new {
            let span = MeterSpan::of(self.starts_at, self.ends_at);
            entry.at = span.placed(entry.booked_at);
            let sum = match entry.state {
                MeterState::Refund => &mut self.sums.refunded,
                MeterState::Waiting
                | MeterState::Sending
                | MeterState::Told
                | MeterState::Cancelling
                | MeterState::Netted
                | MeterState::TooOld
                | MeterState::Unknown => &mut self.sums.booked,
            };
            *sum = sum.saturating_add(entry.units);
        }
        self.compared = None;
        self.next_at = Some(self.next_at.map_or(now, |next_at| next_at.min(now)));
    }

    /// Since when it has waited too long for a customer, if it has.
    pub fn lacks_customer(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let since = self.waits_since?;
        let late = since.checked_add_signed(CUSTOMER_AFTER)?;
        (late <= now).then_some(since)
    }

    /// The account cannot be told of now: it is tried again later and later.
    pub fn put_off(&mut self, now: DateTime<Utc>) {
        self.next_at = now.checked_add_signed(self.pause());
        self.tries = self.tries.saturating_add(1);
    }

    /// When to go on after so many failures: the pause doubles, from 5 s to an hour.
    pub fn pause(&self) -> TimeDelta {
        let doubled = 5_i64.saturating_mul(2_i64.saturating_pow(self.tries.min(12)));
        TimeDelta::seconds(doubled.min(3_600))
    }
}
