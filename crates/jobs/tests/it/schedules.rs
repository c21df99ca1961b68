//! A fixed time of day comes once a day, whatever the clocks do.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use jobs::{JobName, Schedule};

fn instants(cron: &str, zone: Tz, from: &str, count: usize) -> Vec<String> {
    let Ok(schedule) = Schedule::parse(cron, zone) else {
        return vec!["not a schedule".to_owned()];
    };
    let mut at = from.parse().unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
    let mut found = Vec::new();
    while let Some(next) = schedule.next_after(at).filter(|_| found.len() < count) {
        let local = next.with_timezone(&zone);
        found.push(local.format("%m-%d %H:%M %z").to_string());
        at = next;
    }
    found
}

#[test]
fn in_utc_a_job_runs_at_its_time() {
    let found = instants("5 0 * * *", Tz::UTC, "2027-02-27T00:05:00Z", 3);
    assert_eq!(
        found,
        [
            "02-28 00:05 +0000",
            "03-01 00:05 +0000",
            "03-02 00:05 +0000"
        ]
    );
    let found = instants("10 0 1 * *", Tz::UTC, "2027-01-31T12:00:00Z", 2);
    assert_eq!(found, ["02-01 00:10 +0000", "03-01 00:10 +0000"]);
}

#[test]
fn in_berlin_the_day_of_a_change_has_one_run() {
    let zone = Tz::Europe__Berlin;
    let spring = instants("5 0 * * *", zone, "2027-03-27T12:00:00Z", 2);
    assert_eq!(spring, ["03-28 00:05 +0100", "03-29 00:05 +0200"]);
    let leapt_over = instants("30 2 * * *", zone, "2027-03-27T12:00:00Z", 2);
    assert_eq!(leapt_over, ["03-28 03:00 +0200", "03-29 02:30 +0200"]);
    let twice = instants("30 2 * * *", zone, "2027-10-30T12:00:00Z", 2);
    assert_eq!(twice, ["10-31 02:30 +0200", "11-01 02:30 +0100"]);
}

#[test]
fn where_midnight_does_not_exist_the_run_comes_right_after_the_gap() {
    let found = instants(
        "5 0 * * *",
        Tz::America__Sao_Paulo,
        "2018-11-03T12:00:00Z",
        2,
    );
    assert_eq!(found, ["11-04 01:00 -0200", "11-05 00:05 -0200"]);
    let found = instants("10 0 1 * *", Tz::Asia__Beirut, "2023-02-15T12:00:00Z", 2);
    assert_eq!(found, ["03-01 00:10 +0200", "04-01 00:10 +0300"]);
}

#[test]
fn where_midnight_comes_twice_the_run_comes_at_the_first() {
    let found = instants("5 0 * * *", Tz::America__Havana, "2026-10-31T12:00:00Z", 2);
    assert_eq!(found, ["11-01 00:05 -0400", "11-02 00:05 -0500"]);
    let found = instants(
        "5 0 * * *",
        Tz::America__Sao_Paulo,
        "2018-02-16T12:00:00Z",
        3,
    );
    assert_eq!(
        found,
        [
            "02-17 00:05 -0200",
            "02-18 00:05 -0300",
            "02-19 00:05 -0300"
        ]
    );
}

#[test]
fn what_recurs_within_the_day_goes_on_through_a_change() {
    let found = instants(
        "*/30 * * * *",
        Tz::Europe__Berlin,
        "2027-03-28T00:30:00Z",
        3,
    );
    assert_eq!(
        found,
        [
            "03-28 03:00 +0200",
            "03-28 03:30 +0200",
            "03-28 04:00 +0200"
        ]
    );
    let found = instants("0 * * * *", Tz::Europe__Berlin, "2027-10-31T00:00:00Z", 3);
    assert_eq!(
        found,
        [
            "10-31 02:00 +0100",
            "10-31 03:00 +0100",
            "10-31 04:00 +0100"
        ]
    );
}

/// Every zone of the tz database, over a year with changes at midnight in both directions.
#[test]
fn in_every_zone_every_day_of_a_year_has_one_run() {
    for zone in TZ_VARIANTS {
        let schedule = Schedule::parse("5 0 * * *", zone).expect("a schedule");
        let first = NaiveDate::from_ymd_opt(2018, 1, 1).expect("a date");
        let noon = first
            .pred_opt()
            .and_then(|day| day.and_hms_opt(12, 0, 0))
            .expect("a time");
        let before = zone
            .from_local_datetime(&noon)
            .earliest()
            .expect("noon exists");
        let mut at = before.with_timezone(&Utc);
        for days in 0..365 {
            let next = schedule.next_after(at).expect("there is a next one");
            assert!(at < next, "{zone}: time goes on");
            let expected = first.checked_add_days(Days::new(days)).expect("a date");
            let local = next.with_timezone(&zone);
            assert_eq!(local.date_naive(), expected, "{zone}: one run a day");
            assert_eq!(local.year(), 2018);
            at = next;
        }
    }
}

#[test]
fn a_wrong_schedule_says_what_is_allowed() {
    for wrong in ["", "soon", "5 0 * *", "61 0 * * *", "5 0 * * * * 2027"] {
        let error = Schedule::parse(wrong, Tz::UTC).expect_err(wrong);
        assert!(
            error.to_string().contains("cron expression of five fields"),
            "{error}"
        );
    }
    let never = Schedule::parse("never", Tz::UTC).expect("it is allowed");
    assert_eq!(never.next_after(DateTime::<Utc>::UNIX_EPOCH), None);
}

/// The schedules of issue and rules: daily 00:05, monthly on the 1st at 00:10 (W5).
#[test]
fn every_default_is_a_schedule() {
    for job in JobName::all() {
        let schedule = Schedule::parse(job.spec().default_cron, Tz::UTC);
        let schedule = schedule.expect("the default parses");
        assert!(
            schedule.next_after(DateTime::<Utc>::UNIX_EPOCH).is_some(),
            "{job}"
        );
        assert_eq!(schedule.to_string(), job.spec().default_cron);
    }
}
