//! The comparison at the end: what the provider counted against what was booked here.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::MINUTE;

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
    /// The whole minutes between two instants: those of periods that follow one another tile time as the periods do.
    pub fn of(starts_at: DateTime<Utc>, ends_at: Option<DateTime<Utc>>) -> Self {
        let starts_at = floored(starts_at, MINUTE);
        let least = starts_at.checked_add_signed(TimeDelta::seconds(MINUTE));
        let ends_before = ends_at.map(|end| {
            let end = floored(end, MINUTE);
            least.map_or(end, |least| end.max(least))
        });
        Self {
            starts_at,
            ends_before,
        }
    }

    /// The second at which something counts that was booked at an instant: within the span, so that it is told in the period in
    /// which it was sold.
    pub fn placed(&self, booked_at: DateTime<Utc>) -> DateTime<Utc> {
        let last = self
            .ends_before
            .and_then(|end| end.checked_sub_signed(TimeDelta::seconds(1)));
        let at = last.map_or(booked_at, |last| booked_at.min(last));
        floored(at, 1).max(self.starts_at)
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let begins_in = |one: &Self, other: &Self| {
            one.starts_at <= other.starts_at
                && one.ends_before.is_none_or(|end| other.starts_at < end)
        };
        begins_in(self, other) || begins_in(other, self)
    }

    pub(super) fn with(&self, other: &Self) -> Self {
        Self {
            starts_at: self.starts_at.min(other.starts_at),
            ends_before: self
                .ends_before
                .zip(other.ends_before)
                .map(|(one, other)| one.max(other)),
        }
    }
}

/// The last instant before or at one that lies on whole `seconds`.
fn floored(at: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    let whole = at.timestamp().div_euclid(seconds).saturating_mul(seconds);
    DateTime::from_timestamp(whole, 0).unwrap_or(at)
}
