//! Usage windows: half-open spans that tile time, computed from `now` and the original anchor.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc,
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
    let instant =
        |seconds| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let middle = midnight.and_utc().timestamp();
    let (first, last) = (
        middle.saturating_sub(GAP_SEARCH_SECONDS),
        middle.saturating_add(GAP_SEARCH_SECONDS),
    );
    instant(first_second(first, last, |seconds| {
        midnight <= instant(seconds).with_timezone(&zone).naive_local()
    }))
}

/// The cadence window that contains `now` (W1).
///
/// With anchor `subscription` windows are counted from `anchor_at` in UTC, and spans always are; with anchor `calendar`
/// they begin at the full hour, at local midnight, on Monday, on the first of the month or on 1 January, in `zone`. Cadence
/// `subscription` is one open window. With anchor `first_use` it is the window that a request at `now` would begin.
pub fn cadence_window(
    cadence: Cadence,
    anchor: Anchor,
    anchor_at: DateTime<Utc>,
    zone: Tz,
    now: DateTime<Utc>,
) -> Window {
    let hours = |hours: u16| anchored_hours(anchor_at, hours, now);
    let from_now = |hours: u16| anchored_hours(now, hours, now);
    let dates = |dates: Dates| calendar_dates(zone, dates, now);
    let (starts_at, ends_at) = match (cadence, anchor) {
        (Cadence::Subscription, Anchor::Subscription | Anchor::Calendar | Anchor::FirstUse) => {
            return Window {
                starts_at: anchor_at,
                ends_at: None,
            };
        }
        (Cadence::Span(span), Anchor::Subscription | Anchor::Calendar) => hours(span.hours()),
        (Cadence::Span(span), Anchor::FirstUse) => from_now(span.hours()),
        (Cadence::Hourly, Anchor::FirstUse) => from_now(1),
        (Cadence::Daily, Anchor::FirstUse) => from_now(24),
        (Cadence::Weekly, Anchor::FirstUse) => from_now(7 * 24),
        (Cadence::Hourly, Anchor::Subscription) => hours(1),
        (Cadence::Daily, Anchor::Subscription) => hours(24),
        (Cadence::Weekly, Anchor::Subscription) => hours(7 * 24),
        // No catalog has months from the first use on (C4).
        (Cadence::Monthly, Anchor::Subscription | Anchor::FirstUse) => {
            anchored_months(anchor_at, 1, now)
        }
        (Cadence::Yearly, Anchor::Subscription | Anchor::FirstUse) => {
            anchored_months(anchor_at, 12, now)
        }
        (Cadence::Hourly, Anchor::Calendar) => calendar_hour(zone, now),
        (Cadence::Daily, Anchor::Calendar) => dates(Dates::Day),
        (Cadence::Weekly, Anchor::Calendar) => dates(Dates::Week),
        (Cadence::Monthly, Anchor::Calendar) => dates(Dates::Month),
        (Cadence::Yearly, Anchor::Calendar) => dates(Dates::Year),
    };
    Window {
        starts_at,
        ends_at: Some(ends_at),
    }
}

/// Start and end of a window.
type Ends = (DateTime<Utc>, DateTime<Utc>);

fn anchored_hours(anchor_at: DateTime<Utc>, hours: u16, now: DateTime<Utc>) -> Ends {
    let hours = i64::from(hours);
    let start = |k: i64| {
        let span = TimeDelta::try_hours(k.saturating_mul(hours)).unwrap_or(TimeDelta::zero());
        anchor_at
            .checked_add_signed(span)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    };
    let since = now.signed_duration_since(anchor_at).num_hours().max(0);
    let k = since.checked_div(hours).unwrap_or(0);
    (start(k), start(k.saturating_add(1)))
}

fn anchored_months(anchor_at: DateTime<Utc>, months: u32, now: DateTime<Utc>) -> Ends {
    let index = |at: DateTime<Utc>| {
        i64::from(at.year())
            .saturating_mul(12)
            .saturating_add(i64::from(at.month0()))
    };
    let start = |k: u32| month_start(anchor_at, k.saturating_mul(months));
    let ahead = index(now).saturating_sub(index(anchor_at));
    let ahead = u32::try_from(ahead.max(0)).unwrap_or(0);
    let k = ahead.checked_div(months).unwrap_or(0);
    let starts_at = start(k);
    if now < starts_at && k != 0 {
        return (start(k.saturating_sub(1)), starts_at);
    }
    (starts_at, start(k.saturating_add(1)))
}

/// The local hour that holds `now`. One in which the clocks are changed is two: before, and after.
fn calendar_hour(zone: Tz, now: DateTime<Utc>) -> Ends {
    let offset = |seconds: i64| {
        let at = DateTime::from_timestamp(seconds, 0).unwrap_or(now);
        let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
        i64::from(offset.local_minus_utc())
    };
    let second = now.timestamp();
    let own = offset(second);
    let into = second.saturating_add(own).rem_euclid(3_600);
    let starts = second.saturating_sub(into);
    let ends = starts.saturating_add(3_600);
    let starts = first_second(starts, second, |at| offset(at) == own);
    let ends = first_second(second, ends, |at| offset(at) != own);
    let instant =
        |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    (instant(starts), instant(ends))
}

/// The first second of `[first, last]` that fits, where all that follow one that fits do too; `last` when none before it
/// fits.
fn first_second(first: i64, last: i64, fits: impl Fn(i64) -> bool) -> i64 {
    let (mut first, mut last) = (first, last);
    while first < last {
        let probe = first.midpoint(last);
        if fits(probe) {
            last = probe;
        } else {
            first = probe.saturating_add(1);
        }
    }
    last
}

/// Dates that make one window of the calendar.
#[derive(Clone, Copy)]
enum Dates {
    Day,
    Week,
    Month,
    Year,
}

impl Dates {
    /// The first date of those that `date` is among.
    fn first(self, date: NaiveDate) -> NaiveDate {
        let back = |days: u32| date.checked_sub_days(Days::new(days.into()));
        let first = match self {
            Self::Day => Some(date),
            Self::Week => back(date.weekday().num_days_from_monday()),
            Self::Month => back(date.day0()),
            Self::Year => back(date.ordinal0()),
        };
        first.unwrap_or(NaiveDate::MIN)
    }

    /// The first date of those that follow the ones that begin with `first`.
    fn next(self, first: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Year => first.checked_add_months(Months::new(12)),
        };
        next.unwrap_or(NaiveDate::MAX)
    }

    /// The first date of those before the ones that begin with `first`.
    fn previous(self, first: NaiveDate) -> NaiveDate {
        let eve = first.checked_sub_days(Days::new(1));
        self.first(eve.unwrap_or(NaiveDate::MIN))
    }
}

fn calendar_dates(zone: Tz, dates: Dates, now: DateTime<Utc>) -> Ends {
    let first = dates.first(now.with_timezone(&zone).date_naive());
    let next = dates.next(first);
    let (starts_at, ends_at) = (day_start(zone, first), day_start(zone, next));
    if now < starts_at {
        return (day_start(zone, dates.previous(first)), starts_at);
    }
    if ends_at <= now {
        return (ends_at, day_start(zone, dates.next(next)));
    }
    (starts_at, ends_at)
}
