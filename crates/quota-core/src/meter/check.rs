//! The comparison at the end: what the provider counted against what was booked here.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{MINUTE, MeterPeriod};

/// A span of whole minutes: `[starts_at, ends_before)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterSpan {
    /// First second of it.
    pub starts_at: DateTime<Utc>,
    /// First second after it; none while its period has no end.
    pub ends_before: Option<DateTime<Utc>>,
}

/// What a comparison came to, in stored units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// What the provider counted.
    pub theirs: u64,
    /// What it was told.
    pub told: u64,
    /// What was sold less what was given back, by the entries of the ledger.
    pub booked: u64,
    /// The same by the books, where they know of it.
    pub books: Option<u64>,
}

impl Compared {
    /// Whether all of them are the same.
    pub fn is_equal(&self) -> bool {
        let books = self.books.unwrap_or(self.booked);
        self.theirs == self.told && self.told == self.booked && self.booked == books
    }

    /// Whether the provider, the ledger and the books agree on what was told: what differs can only be mended by hand.
    pub fn is_settled_here(&self) -> bool {
        self.theirs == self.told && self.books.is_none_or(|books| books == self.booked)
    }
}

impl MeterSpan {
    /// The second at which something counts that was booked at an instant: within the span, so that it is told in the period in
    /// which it was sold.
    pub fn placed(&self, booked_at: DateTime<Utc>) -> DateTime<Utc> {
        let last = self
            .ends_before
            .and_then(|end| end.checked_sub_signed(TimeDelta::seconds(1)));
        let at = last.map_or(booked_at, |last| booked_at.min(last));
        floored(at, 1).max(self.starts_at)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let begins_in = |one: &Self, other: &Self| {
            one.starts_at <= other.starts_at
                && one.ends_before.is_none_or(|end| other.starts_at < end)
        };
        begins_in(self, other) || begins_in(other, self)
    }

    fn with(&self, other: &Self) -> Self {
        Self {
            starts_at: self.starts_at.min(other.starts_at),
            ends_before: self
                .ends_before
                .zip(other.ends_before)
                .map(|(one, other)| one.max(other)),
        }
    }
}

/// The whole minutes of a period: those of periods that follow one another tile time as the periods do.
pub fn span_of(period: &MeterPeriod) -> MeterSpan {
    let starts_at = floored(period.starts_at, MINUTE);
    let least = starts_at.checked_add_signed(TimeDelta::seconds(MINUTE));
    let ends_before = period.ends_at.map(|end| {
        let end = floored(end, MINUTE);
        least.map_or(end, |least| end.max(least))
    });
    MeterSpan {
        starts_at,
        ends_before,
    }
}

/// The periods of the same meter that overlap with the first one, itself included, and the span of all: a change of plan begins a period
/// before the other was to end, and the provider's sums know instants alone.
pub fn overlapping<'a>(
    first: &'a MeterPeriod,
    all: &'a [MeterPeriod],
) -> (MeterSpan, Vec<&'a MeterPeriod>) {
    let is_other = |other: &&MeterPeriod| other.id != first.id && other.meter == first.meter;
    let mut rest: Vec<&MeterPeriod> = all.iter().filter(is_other).collect();
    let (mut span, mut found) = (span_of(first), vec![first]);
    loop {
        let (touching, apart): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|other| span.overlaps(&span_of(other)));
        if touching.is_empty() {
            return (span, found);
        }
        for other in &touching {
            span = span.with(&span_of(other));
        }
        found.extend(touching);
        rest = apart;
    }
}

/// The last instant before or at one that lies on whole `seconds`.
fn floored(at: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    let whole = at.timestamp().div_euclid(seconds).saturating_mul(seconds);
    DateTime::from_timestamp(whole, 0).unwrap_or(at)
}
