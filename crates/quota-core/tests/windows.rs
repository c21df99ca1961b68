//! Windows tile time: every zone, every anchor day, ten years.
#![expect(
    clippy::expect_used,
    reason = "a test stops at the first literal that does not parse"
)]

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, Offset, TimeDelta, TimeZone, Timelike, Utc,
    Weekday,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;
use proptest::sample::select;
use quota_core::catalog::{Anchor, Cadence};
use quota_core::window::{Window, cadence_window, day_start, month_start};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// E11 and W2: from 31 January the windows start on the last day of a short month and on day 31 again.
#[test]
fn monthly_windows_are_counted_from_the_original_anchor() {
    let anchor = at("2027-01-31T10:00:00Z");
    let starts: Vec<_> = (0..4).map(|k| month_start(anchor, k)).collect();
    let wanted = ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"];
    assert_eq!(starts, wanted.map(|day| at(&format!("{day}T10:00:00Z"))));
    let leap = month_start(at("2028-01-31T10:00:00Z"), 1);
    assert_eq!(leap, at("2028-02-29T10:00:00Z"));
}

/// W1 and W2: for each anchor day 1 to 31, over ten years with leap days, every window ends where the next
/// begins, and the window of an instant is found from that instant alone.
#[test]
fn anchored_months_tile_time_for_every_anchor_day() {
    for day in 1..=31 {
        let anchor = Utc
            .with_ymd_and_hms(2023, 1, day, 23, 59, 59)
            .single()
            .expect("January has it");
        let mut now = anchor;
        for k in 0..120 {
            let found =
                cadence_window(Cadence::Monthly, Anchor::Subscription, anchor, Tz::UTC, now);
            assert_eq!(
                found.starts_at,
                month_start(anchor, k),
                "day {day}, month {k}"
            );
            let end = found.ends_at.expect("a month ends");
            let last = end - TimeDelta::microseconds(1);
            let same = cadence_window(
                Cadence::Monthly,
                Anchor::Subscription,
                anchor,
                Tz::UTC,
                last,
            );
            assert_eq!(same, found, "the last instant is inside");
            assert!(found.contains(last) && !found.contains(end));
            now = end;
        }
    }
}

/// W3: where local midnight does not exist the day begins at the first instant after it, and where it
/// exists twice at the first.
#[test]
fn a_day_begins_at_midnight_or_at_the_first_instant_after_a_gap() {
    let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).expect("a literal date");
    let sao_paulo = day_start(Tz::America__Sao_Paulo, date(2018, 11, 4));
    assert_eq!(
        sao_paulo,
        at("2018-11-04T03:00:00Z"),
        "00:00 does not exist, 01:00 -02:00 is first"
    );
    let havana = day_start(Tz::America__Havana, date(2026, 11, 1));
    assert_eq!(
        havana,
        at("2026-11-01T04:00:00Z"),
        "00:00 exists twice, the first is -04:00"
    );
}

/// W1 and W3: in Newfoundland the clocks went back from 00:01 on 1 November 2009 to 23:01 the day before. November began
/// at the first midnight, and the hour that followed is November's although its local date is in October.
#[test]
fn an_hour_that_comes_twice_after_midnight_is_the_new_days() {
    let zone = Tz::America__St_Johns;
    let begins = at("2009-11-01T02:30:00Z");
    let hour = at("2009-11-01T03:00:00Z");
    assert_eq!(hour.with_timezone(&zone).date_naive().day(), 31);
    let instant = TimeDelta::microseconds(1);
    let ends = ["2009-11-02T03:30:00Z", "2009-12-01T03:30:00Z"].map(at);
    for (cadence, ends_at) in [Cadence::Daily, Cadence::Monthly].into_iter().zip(ends) {
        let window_at = |now| cadence_window(cadence, Anchor::Calendar, hour, zone, now);
        let window = Window {
            starts_at: begins,
            ends_at: Some(ends_at),
        };
        for now in [begins, hour, at("2009-11-01T03:30:00Z"), ends_at - instant] {
            assert_eq!(window_at(now), window, "{cadence:?} {now}");
        }
        assert_eq!(window_at(begins - instant).ends_at, Some(begins));
        assert_eq!(window_at(ends_at).starts_at, ends_at);
    }
}

/// W1, W3 and C4: in every zone of the database, over ten years, days, weeks, months and years tile time, no local date
/// is counted twice and none is missing.
#[test]
fn calendar_windows_tile_time_in_every_zone() {
    for zone in TZ_VARIANTS {
        let mut date = NaiveDate::from_ymd_opt(2022, 1, 1).expect("a literal date");
        let mut now = day_start(zone, date);
        let (mut week_ends_at, mut month_ends_at, mut year_ends_at) = (None, None, None);
        while date.year() < 2032 {
            let day = cadence_window(Cadence::Daily, Anchor::Calendar, now, zone, now);
            assert_eq!(
                day.starts_at, now,
                "{zone} {date}: the day begins where the last one ended"
            );
            let end = day.ends_at.expect("a day ends");
            let hours = (end - day.starts_at).num_hours();
            assert!((20..=28).contains(&hours), "{zone} {date} lasts {hours} h");
            let inside = end - TimeDelta::seconds(1);
            let same = cadence_window(Cadence::Daily, Anchor::Calendar, now, zone, inside);
            assert_eq!(same, day, "{zone} {date}: the last second belongs to it");
            assert_eq!(
                now.with_timezone(&zone).date_naive(),
                date,
                "{zone}: no date is skipped"
            );
            for (cadence, begins, ends_before) in [
                (
                    Cadence::Weekly,
                    date.weekday() == Weekday::Mon,
                    &mut week_ends_at,
                ),
                (Cadence::Monthly, date.day() == 1, &mut month_ends_at),
                (Cadence::Yearly, date.ordinal() == 1, &mut year_ends_at),
            ] {
                if !begins {
                    continue;
                }
                let window = cadence_window(cadence, Anchor::Calendar, now, zone, now);
                let place = format!("{zone} {date} {cadence}");
                assert_eq!(window.starts_at, now, "{place}: begins with its first day");
                assert!(
                    ends_before.is_none_or(|ends_at| ends_at == now),
                    "{place}: the one before ends there"
                );
                *ends_before = window.ends_at;
            }
            date = date
                .checked_add_days(Days::new(1))
                .expect("within the calendar");
            now = end;
        }
    }
}

/// W1, W3 and C4: windows of which the ends are written out: a day of the subscription has 24 hours wherever the
/// clocks change, a day and a month of the calendar end at local midnight.
#[test]
fn a_window_ends_a_day_or_a_month_after_it_began() {
    use Anchor::{Calendar, Subscription};
    use Cadence::{Daily, Monthly};
    // In New York the clocks go forward on 14 March 2027 and back on 7 November.
    let (york, india) = (Tz::America__New_York, Tz::Asia__Kolkata);
    let table = [
        (Daily, Subscription, york, "03-13T22:00", "03-14T22:00"),
        (Daily, Subscription, india, "03-09T22:00", "03-10T22:00"),
        (Daily, Calendar, york, "03-14T05:00", "03-15T04:00"),
        (Daily, Calendar, york, "11-07T04:00", "11-08T05:00"),
        (Daily, Calendar, india, "03-14T18:30", "03-15T18:30"),
        (Monthly, Subscription, york, "03-08T22:00", "04-08T22:00"),
        (Monthly, Calendar, york, "03-01T05:00", "04-01T04:00"),
        (Monthly, Calendar, york, "11-01T04:00", "12-01T05:00"),
        (Monthly, Calendar, india, "01-31T18:30", "02-28T18:30"),
    ];
    let anchor_at = at("2026-12-08T22:00:00Z");
    for (cadence, anchor, zone, starts, ends) in table {
        let [starts_at, ends_at] = [starts, ends].map(|text| at(&format!("2027-{text}:00Z")));
        for now in [starts_at, ends_at - TimeDelta::microseconds(1)] {
            let window = cadence_window(cadence, anchor, anchor_at, zone, now);
            let found = (window.starts_at, window.ends_at);
            let said = (starts_at, Some(ends_at));
            assert_eq!(found, said, "{cadence:?} {anchor:?} {zone} {now}");
        }
    }
}

/// The span of the anchors and, from each of them, of the instants that are looked at, in microseconds.
const ANCHORS: std::ops::Range<i64> = 0..3_000_000_000_000_000;
const AHEAD: std::ops::Range<i64> = 0..300_000_000_000_000;

fn span(text: &str) -> Cadence {
    text.parse().expect("a literal span")
}

fn cadences() -> impl Strategy<Value = (Cadence, Anchor)> {
    let mut cadences = vec![
        Cadence::Hourly,
        Cadence::Daily,
        Cadence::Weekly,
        Cadence::Monthly,
        Cadence::Yearly,
    ];
    cadences.extend(["1h", "5h", "7d", "14d", "366d"].map(span));
    let anchors = vec![Anchor::Subscription, Anchor::Calendar];
    (select(cadences), select(anchors)).prop_map(|(cadence, anchor)| match cadence {
        Cadence::Span(_) => (cadence, Anchor::Subscription),
        Cadence::Hourly
        | Cadence::Daily
        | Cadence::Weekly
        | Cadence::Monthly
        | Cadence::Yearly
        | Cadence::Subscription => (cadence, anchor),
    })
}

/// C4: the whole window is one local hour under one offset, and it begins and ends with the hour or where the clocks are
/// changed.
fn is_a_local_hour(zone: Tz, window: Window) {
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let ends_at = window.ends_at.expect("an hour ends");
    let (starts_at, second) = (window.starts_at, TimeDelta::seconds(1));
    let last = ends_at - second;
    let of = |at: DateTime<Utc>| {
        let local = at.with_timezone(&zone);
        (local.date_naive(), local.hour(), offset(at))
    };
    assert_eq!(of(starts_at), of(last), "{zone} {window:?}");
    for edge in [starts_at, ends_at] {
        let is_whole = edge.with_timezone(&zone).minute() == 0;
        let is_changed = offset(edge) != offset(edge - second);
        assert!(is_whole || is_changed, "{zone} {window:?}");
    }
}

/// W1, W3 and C4: hours tile time where the clocks are changed, in every zone, over ten years: none is longer than an
/// hour, and none spans the change.
#[test]
fn hours_of_the_calendar_tile_the_days_on_which_the_clocks_are_changed() {
    let mut changes = 0;
    for zone in TZ_VARIANTS {
        let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
        let (mut day, last) = (at("2022-01-01T00:00:00Z"), at("2032-01-01T00:00:00Z"));
        while day < last {
            let next = day + TimeDelta::days(1);
            if offset(day) != offset(next) {
                changes += 1;
                let hour = |now| cadence_window(Cadence::Hourly, Anchor::Calendar, day, zone, now);
                let mut now = hour(day).starts_at;
                while now < next {
                    let window = hour(now);
                    assert_eq!(window.starts_at, now, "{zone}");
                    is_a_local_hour(zone, window);
                    now = window.ends_at.expect("an hour ends");
                }
            }
            day = next;
        }
    }
    assert!(changes > 1_000, "{changes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// W1 and C4: whatever the cadence, the anchor and the zone, an instant lies in exactly one window: every instant of
    /// it finds the same one, the one before ends where it starts, and the next one starts where it ends.
    #[test]
    fn every_instant_lies_in_exactly_one_window(
        (cadence, anchor) in cadences(), zone in select(&TZ_VARIANTS[..]),
        anchored in ANCHORS, ahead in AHEAD, other in AHEAD,
    ) {
        let anchor_at = DateTime::<Utc>::from_timestamp_micros(anchored).expect("in the calendar");
        let window_at = |now| cadence_window(cadence, anchor, anchor_at, zone, now);
        let (now, instant) = (anchor_at + TimeDelta::microseconds(ahead), TimeDelta::microseconds(1));
        let window = window_at(now);
        let ends_at = window.ends_at.expect("it ends");
        prop_assert!(window.contains(now));
        let length = (ends_at - window.starts_at).num_microseconds().expect("366 days at most");
        let inside = window.starts_at + TimeDelta::microseconds(other % length);
        for now in [window.starts_at, inside, ends_at - instant] {
            prop_assert_eq!(window_at(now), window);
        }
        prop_assert_eq!(window_at(ends_at).starts_at, ends_at);
        if anchor == Anchor::Calendar || anchor_at < window.starts_at {
            prop_assert_eq!(window_at(window.starts_at - instant).ends_at, Some(window.starts_at));
        } else {
            prop_assert_eq!(window.starts_at, anchor_at);
        }
    }

    /// W1, W2, W3, C3 and C4: how long a window lasts: so many hours, or a month or twelve, from the anchor; or from one
    /// local midnight to that of the next day, Monday, first of the month or 1 January; or a local hour.
    #[test]
    fn a_window_lasts_as_long_as_its_cadence_says(
        (cadence, anchor) in cadences(), zone in select(&TZ_VARIANTS[..]), anchored in ANCHORS, ahead in AHEAD,
    ) {
        let anchor_at = DateTime::<Utc>::from_timestamp_micros(anchored).expect("in the calendar");
        let now = anchor_at + TimeDelta::microseconds(ahead);
        let window = cadence_window(cadence, anchor, anchor_at, zone, now);
        let hours = |hours: i64| {
            let starts_at = anchor_at + TimeDelta::hours((now - anchor_at).num_hours() / hours * hours);
            (starts_at, starts_at + TimeDelta::hours(hours))
        };
        let months = |step: u32| {
            let begun = (0..).map(|k| k * step).take_while(|months| month_start(anchor_at, *months) <= now);
            let months = begun.last().expect("the anchor begins the first");
            (month_start(anchor_at, months), month_start(anchor_at, months + step))
        };
        // The clocks may be such that the local date of a day's first hour is the one before.
        let middle = window.starts_at + (window.ends_at.expect("it ends") - window.starts_at) / 2;
        let date = middle.with_timezone(&zone).date_naive();
        let dates = |first: NaiveDate, next: NaiveDate| (day_start(zone, first), day_start(zone, next));
        let (starts_at, ends_at) = match (cadence, anchor) {
            (Cadence::Span(span), _) => hours(i64::from(span.hours())),
            (Cadence::Hourly, Anchor::Subscription) => hours(1),
            (Cadence::Daily, Anchor::Subscription) => hours(24),
            (Cadence::Weekly, Anchor::Subscription) => hours(168),
            (Cadence::Monthly, Anchor::Subscription) => months(1),
            (Cadence::Yearly, Anchor::Subscription) => months(12),
            (Cadence::Hourly, Anchor::Calendar) => {
                is_a_local_hour(zone, window);
                return Ok(());
            }
            (Cadence::Daily, Anchor::Calendar) => dates(date, date + Days::new(1)),
            (Cadence::Weekly, Anchor::Calendar) => {
                let monday = date.week(Weekday::Mon).first_day();
                dates(monday, monday + Days::new(7))
            }
            (Cadence::Monthly, Anchor::Calendar) => {
                let first = date.with_day(1).expect("every month has it");
                dates(first, first + Months::new(1))
            }
            (Cadence::Yearly, Anchor::Calendar) => {
                let first = |year| NaiveDate::from_ymd_opt(year, 1, 1).expect("every year has it");
                dates(first(date.year()), first(date.year() + 1))
            }
            (Cadence::Subscription, _) | (_, Anchor::FirstUse) => unreachable!("it tiles no time"),
        };
        prop_assert_eq!(window, Window { starts_at, ends_at: Some(ends_at) });
    }

    /// C3 and W4: the cadence `subscription` has one window, from the anchor on; the period cuts it.
    #[test]
    fn the_cadence_of_the_subscription_is_one_open_window(
        (_, anchor) in cadences(), zone in select(&TZ_VARIANTS[..]), anchored in ANCHORS, ahead in AHEAD,
    ) {
        let starts_at = DateTime::<Utc>::from_timestamp_micros(anchored).expect("in the calendar");
        let now = starts_at + TimeDelta::microseconds(ahead);
        let window = cadence_window(Cadence::Subscription, anchor, starts_at, zone, now);
        prop_assert_eq!(window, Window { starts_at, ends_at: None });
    }
}

/// C3: a cadence is one of six words or a span of 1 hour to 366 days; `never` cannot be expressed.
#[test]
fn a_permanent_quota_cannot_be_expressed() {
    let read = |text: &str| text.parse::<Cadence>().ok();
    for word in [
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "yearly",
        "subscription",
        "1h",
        "5h",
        "14d",
        "366d",
    ] {
        let cadence = read(word).expect("a cadence");
        assert_eq!(cadence.to_string(), word);
        let json = serde_json::to_string(&cadence).expect("is text");
        assert_eq!(json, format!("\"{word}\""));
        assert_eq!(serde_json::from_str::<Cadence>(&json).ok(), Some(cadence));
    }
    assert_eq!(read("336h"), read("14d"), "the same span");
    for text in [
        "never", "", "h", "0h", "0d", "05h", "+5h", "-1h", "1.5h", "5 h", "5m", "367d", "400d",
        "8785h", "99999d", "Daily",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    let refused = serde_json::from_str::<Cadence>("\"0h\"").expect_err("no span");
    assert!(
        refused
            .to_string()
            .starts_with("`0h` is no cadence: say `hourly`"),
        "{refused}"
    );
}
