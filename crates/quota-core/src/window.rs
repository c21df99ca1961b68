//! Usage windows: half-open spans that tile time, computed from `now` and the original anchor.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::catalog::{Anchor, Cadence};

/// The span in which one allowance counts: `[starts_at, ends_at)`; without an end it stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First instant inside.
    pub starts_at: DateTime<Utc>,
    /// First instant after it, if there is one.
    pub ends_at: Option<DateTime<Utc>>,
}

impl Window {
    /// Whether `at` lies in `[starts_at, ends_at)`.
    pub fn contains(self, at: DateTime<Utc>) -> bool {
        self.starts_at <= at && self.ends_at.is_none_or(|ends_at| at < ends_at)
    }

    /// The part of this window that lies in `[starts_at, ends_before)`.
    #[must_use]
    pub fn cut(self, starts_at: DateTime<Utc>, ends_before: Option<DateTime<Utc>>) -> Self {
        let ends_at = match (self.ends_at, ends_before) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        Self {
            starts_at: self.starts_at.max(starts_at),
            ends_at,
        }
    }
}

/// Start of the `k`-th month counted from `anchor_at`, always from the original anchor (W2).
///
/// Day 31 becomes the last day of a shorter month and comes back in a longer one. Beyond the calendar
/// the last representable instant is returned.
pub fn month_start(anchor_at: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    anchor_at
        .checked_add_months(Months::new(months))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The first instant of `date` in `zone`: local midnight, or the first instant after a gap, or the
/// first of two (W3).
pub fn day_start(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    if let Some(found) = zone.from_local_datetime(&midnight).earliest() {
        return found.with_timezone(&Utc);
    }
    first_instant_after_gap(zone, midnight)
}

/// Widest offset from UTC and widest gap that the search allows for, in seconds (two days).
const GAP_SEARCH_SECONDS: i64 = 172_800;

fn first_instant_after_gap(zone: Tz, midnight: NaiveDateTime) -> DateTime<Utc> {
    let middle = midnight.and_utc().timestamp();
    let mut before = middle.saturating_sub(GAP_SEARCH_SECONDS);
    let mut after = middle.saturating_add(GAP_SEARCH_SECONDS);
    while before.saturating_add(1) < after {
        let probe = before.midpoint(after);
        let at = DateTime::<Utc>::from_timestamp(probe, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        if at.with_timezone(&zone).naive_local() < midnight {
            before = probe;
        } else {
            after = probe;
        }
    }
    DateTime::<Utc>::from_timestamp(after, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The cadence window that contains `now` (W1).
///
/// With anchor `subscription` windows are counted from `anchor_at` in UTC; with anchor `calendar` they begin
/// at local midnight, or on the first of the month, in `zone`. Cadence `subscription` is one open window.
pub fn cadence_window(
    cadence: Cadence,
    anchor: Anchor,
    anchor_at: DateTime<Utc>,
    zone: Tz,
    now: DateTime<Utc>,
) -> Window {
    let (starts_at, ends_at) = match (cadence, anchor) {
        (Cadence::Subscription, _) => {
            return Window {
                starts_at: anchor_at,
                ends_at: None,
            };
        }
        (Cadence::Daily, Anchor::Subscription) => anchored_day(anchor_at, now),
        (Cadence::Monthly, Anchor::Subscription) => anchored_month(anchor_at, now),
        (Cadence::Daily, Anchor::Calendar) => calendar_day(zone, now),
        (Cadence::Monthly, Anchor::Calendar) => calendar_month(zone, now),
    };
    Window {
        starts_at,
        ends_at: Some(ends_at),
    }
}

fn anchored_day(anchor_at: DateTime<Utc>, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let day = |k: i64| {
        let span = TimeDelta::try_days(k).unwrap_or(TimeDelta::zero());
        anchor_at
            .checked_add_signed(span)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    };
    let k = now.signed_duration_since(anchor_at).num_days().max(0);
    (day(k), day(k.saturating_add(1)))
}

fn anchored_month(anchor_at: DateTime<Utc>, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let index = |at: DateTime<Utc>| {
        i64::from(at.year())
            .saturating_mul(12)
            .saturating_add(i64::from(at.month0()))
    };
    let ahead = index(now).saturating_sub(index(anchor_at));
    let k = u32::try_from(ahead.max(0)).unwrap_or(0);
    let this = month_start(anchor_at, k);
    if now < this && k != 0 {
        return (month_start(anchor_at, k.saturating_sub(1)), this);
    }
    (this, month_start(anchor_at, k.saturating_add(1)))
}

fn calendar_day(zone: Tz, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let today = now.with_timezone(&zone).date_naive();
    let next = |date: NaiveDate| {
        date.checked_add_days(Days::new(1))
            .unwrap_or(NaiveDate::MAX)
    };
    let (starts_at, ends_at) = (day_start(zone, today), day_start(zone, next(today)));
    if now < starts_at {
        let yesterday = today
            .checked_sub_days(Days::new(1))
            .unwrap_or(NaiveDate::MIN);
        return (day_start(zone, yesterday), starts_at);
    }
    if ends_at <= now {
        let tomorrow = next(today);
        return (ends_at, day_start(zone, next(tomorrow)));
    }
    (starts_at, ends_at)
}

fn calendar_month(zone: Tz, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let today = now.with_timezone(&zone).date_naive();
    let first = today.with_day(1).unwrap_or(today);
    let next = |date: NaiveDate| {
        date.checked_add_months(Months::new(1))
            .unwrap_or(NaiveDate::MAX)
    };
    let (starts_at, ends_at) = (day_start(zone, first), day_start(zone, next(first)));
    if now < starts_at {
        let earlier = first
            .checked_sub_months(Months::new(1))
            .unwrap_or(NaiveDate::MIN);
        return (day_start(zone, earlier), starts_at);
    }
    if ends_at <= now {
        return (ends_at, day_start(zone, next(next(first))));
    }
    (starts_at, ends_at)
}
