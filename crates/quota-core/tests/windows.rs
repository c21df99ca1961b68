//! Windows tile time: every zone, every anchor day, ten years.
#![expect(
    clippy::expect_used,
    reason = "a test stops at the first literal that does not parse"
)]

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use quota_core::catalog::{Anchor, Cadence};
use quota_core::window::{cadence_window, day_start, month_start};

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

/// W1, W3 and C4: in every zone of the database, over ten years, days and months tile time, no local date
/// is counted twice and none is missing.
#[test]
fn calendar_windows_tile_time_in_every_zone() {
    for zone in TZ_VARIANTS {
        let mut date = NaiveDate::from_ymd_opt(2022, 1, 1).expect("a literal date");
        let mut now = day_start(zone, date);
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
            if date.day() == 1 {
                let month = cadence_window(Cadence::Monthly, Anchor::Calendar, now, zone, now);
                assert_eq!(
                    month.starts_at, now,
                    "{zone} {date}: the month begins with its first day"
                );
                assert_ne!(month.ends_at, Some(now));
            }
            date = date
                .checked_add_days(Days::new(1))
                .expect("within the calendar");
            now = end;
        }
    }
}

/// C3: a cadence is daily, monthly or subscription; `never` cannot be expressed.
#[test]
fn a_permanent_quota_cannot_be_expressed() {
    let read = |text: &str| serde_json::from_str::<Cadence>(text).ok();
    assert_eq!(read("\"daily\""), Some(Cadence::Daily));
    assert_eq!(read("\"monthly\""), Some(Cadence::Monthly));
    assert_eq!(read("\"subscription\""), Some(Cadence::Subscription));
    assert_eq!(read("\"never\""), None);
}
