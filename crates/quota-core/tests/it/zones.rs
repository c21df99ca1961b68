//! A change of the time zone: a date gives its allowance once, in whichever zones it is counted (W3, W4).

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use quota_core::audit::audit;
use quota_core::command::{AccountSpec, CloseWindows, Command, Presence, PutAccount, Subscribe};

use crate::several_limits::at;
use crate::stage::{Stage, commit, consume, plan_code, put_account, refund, reserve};
use crate::with_catalog::with_catalog;

const CATALOG: &str = r#"
[[feature]]
code = "pages"
name = "Pages"
unit = "page"
kind = "consumable"
cadence = "monthly"
anchor = "calendar"

[[feature]]
code = "calls"
name = "Calls"
unit = "call"
kind = "consumable"
cadence = "daily"
anchor = "calendar"

[[feature]]
code = "letters"
name = "Letters"
unit = "letter"
kind = "consumable"
cadence = "weekly"
anchor = "calendar"

[[feature]]
code = "books"
name = "Books"
unit = "book"
kind = "consumable"
cadence = "monthly"
anchor = "calendar"

[[plan]]
code = "desk"
name = "Desk"
price = 1000
[plan.limits]
pages = [{ limit = 60, rollover = { max = 15 } }, { limit = 25, per = "weekly", anchor = "calendar" }]
calls = 10
letters = 25
books = 40
"#;

const ZONES: [Tz; 6] = [
    Tz::UTC,
    chrono_tz::Asia::Tokyo,
    chrono_tz::Pacific::Honolulu,
    chrono_tz::Pacific::Auckland,
    chrono_tz::America::New_York,
    chrono_tz::Asia::Kolkata,
];

fn to_zone(zone: Tz) -> Command {
    Command::PutAccount(PutAccount {
        presence: Presence::Existing,
        spec: AccountSpec {
            time_zone: Some(zone),
            ..AccountSpec::default()
        },
    })
}

fn close(stage: &mut Stage) {
    let _may_be_done = stage.run("user:a", Command::CloseWindows(CloseWindows::default()));
}

/// A user in that zone, with the plan for the year 2027.
fn desk(zone: Tz) -> Stage {
    let mut stage = with_catalog(Stage::new("user:a"), CATALOG);
    stage.now = at("2027-01-01T00:00:00Z");
    stage.done(
        "user:a",
        put_account(AccountSpec {
            time_zone: Some(zone),
            ..AccountSpec::default()
        }),
    );
    stage.done(
        "user:a",
        Command::Subscribe(Subscribe {
            ends_at: Some(at("2028-01-01T00:00:00Z")),
            ..Subscribe::to(plan_code("desk"))
        }),
    );
    stage
}

/// W3 and W4: further west it is the day before again, and what was used on that counts, closed or not; what was used on the next
/// day counts when that comes.
#[test]
fn a_day_that_comes_again_in_the_west_is_not_given_again() {
    for closes in [false, true] {
        let mut stage = desk(chrono_tz::Asia::Tokyo);
        // Noon of 20 April in Tokyo, then 01:00 of the 21st.
        stage.now = at("2027-04-20T03:00:00Z");
        let used = stage.done("user:a", consume("calls", 10));
        stage.now = at("2027-04-20T16:00:00Z");
        stage.done("user:a", consume("calls", 4));
        if closes {
            close(&mut stage);
        }
        stage.done("user:a", to_zone(Tz::UTC));
        stage.denied("user:a", consume("calls", 1));
        stage.done("user:a", refund(used.id, Some(3)));
        stage.done("user:a", consume("calls", 3));
        stage.denied("user:a", consume("calls", 1));
        stage.now = at("2027-04-21T00:00:00Z");
        close(&mut stage);
        assert_eq!(stage.remaining("user:a", "calls"), Some(6), "{closes}");
        stage.done("user:a", consume("calls", 6));
        stage.denied("user:a", consume("calls", 1));
        stage.now = at("2027-04-22T00:00:00Z");
        assert_eq!(stage.remaining("user:a", "calls"), Some(10));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// W3, W4 and C10: so it is for a month, and for what came over into it.
#[test]
fn a_month_that_comes_again_in_the_west_is_not_given_again() {
    let mut stage = desk(chrono_tz::Asia::Tokyo);
    for day in [3, 10, 17, 24] {
        stage.now = at(&format!("2027-04-{day:02}T03:00:00Z"));
        stage.done("user:a", consume("pages", 18));
    }
    // 1 May in Tokyo.
    stage.now = at("2027-04-30T16:00:00Z");
    assert_eq!(stage.remaining("user:a", "pages"), Some(25));
    close(&mut stage);
    stage.done("user:a", consume("pages", 5));
    stage.done("user:a", to_zone(Tz::UTC));
    let denied = stage.denied("user:a", consume("pages", 4));
    assert_eq!(denied.available, 3, "60 and 15 less 72");
    stage.done("user:a", consume("pages", 3));
    stage.now = at("2027-05-03T00:00:00Z");
    for week in 0..2 {
        stage.done("user:a", consume("pages", [25, 25][week]));
        stage.later(TimeDelta::days(7));
    }
    let denied = stage.denied("user:a", consume("pages", 11));
    assert_eq!(denied.available, 5, "of 60 of May, 5 were used in Tokyo");
    assert_eq!(audit(&stage.records()), []);
}

/// W4: further east the next day has come: it is whole, and the day that was left keeps its use for whoever comes back to it.
#[test]
fn a_day_that_comes_early_in_the_east_is_given_once() {
    let mut stage = desk(Tz::UTC);
    stage.now = at("2027-04-20T16:00:00Z");
    stage.done("user:a", consume("calls", 9));
    stage.done("user:a", to_zone(chrono_tz::Asia::Tokyo));
    stage.done("user:a", consume("calls", 10));
    stage.denied("user:a", consume("calls", 1));
    stage.done("user:a", to_zone(Tz::UTC));
    stage.done("user:a", consume("calls", 1));
    stage.denied("user:a", consume("calls", 1));
    stage.now = at("2027-04-21T00:00:00Z");
    stage.denied("user:a", consume("calls", 1));
    stage.now = at("2027-04-22T00:00:00Z");
    stage.done("user:a", consume("calls", 10));
    assert_eq!(audit(&stage.records()), []);
}

/// R2 and R3: holds go along with the day that they were made on.
#[test]
fn holds_follow_their_day_into_another_zone() {
    let mut stage = desk(chrono_tz::Asia::Tokyo);
    stage.now = at("2027-04-20T03:00:00Z");
    let first = stage.done("user:a", reserve("calls", 8, 1_000_000));
    stage.now = at("2027-04-20T16:00:00Z");
    let second = stage.done("user:a", reserve("calls", 5, 1_000_000));
    for zone in [
        Tz::UTC,
        chrono_tz::Pacific::Honolulu,
        chrono_tz::Asia::Tokyo,
        Tz::UTC,
    ] {
        stage.done("user:a", to_zone(zone));
        close(&mut stage);
    }
    assert_eq!(stage.remaining("user:a", "calls"), Some(2));
    stage.done("user:a", commit(first.id, 1));
    assert_eq!(stage.remaining("user:a", "calls"), Some(9));
    stage.now = at("2027-04-21T00:00:00Z");
    assert_eq!(stage.remaining("user:a", "calls"), Some(5));
    stage.done("user:a", commit(second.id, 5));
    assert_eq!(stage.remaining("user:a", "calls"), Some(5));
    assert_eq!(audit(&stage.records()), []);
}

/// The features that are counted by the month, the week and the day, with their limits.
const BY_DATES: [(&str, u64); 3] = [("books", 40), ("letters", 25), ("calls", 10)];

/// The dates on which a use at `now` counts in a zone: the first of the month, the Monday, the day.
fn dates(now: DateTime<Utc>, zone: Tz) -> [NaiveDate; 3] {
    let day = now.with_timezone(&zone).date_naive();
    let monday = day - TimeDelta::days(day.weekday().num_days_from_monday().into());
    [day.with_day0(0).expect("a month has a first"), monday, day]
}

proptest! {
    #![proptest_config(crate::cases::at_least(128))]

    /// W3 and W4: wherever an account is moved and whenever its books are closed, each date gives its limit once and whole.
    #[test]
    fn a_date_gives_its_limit_once_in_whichever_zones(
        steps in prop::collection::vec((0_usize..6, 0_i64..30, 0_usize..3, 1_u64..12, any::<bool>(), any::<bool>()), 1..60),
    ) {
        let (mut stage, mut zone) = (desk(Tz::UTC), Tz::UTC);
        stage.now = at("2027-04-26T12:00:00Z");
        let mut used: BTreeMap<(usize, NaiveDate), u64> = BTreeMap::new();
        for (to, hours, kind, amount, moves, closes) in steps {
            stage.later(TimeDelta::hours(hours));
            if moves {
                zone = ZONES[to];
                let _may_be_there = stage.run("user:a", to_zone(zone));
            }
            if closes {
                close(&mut stage);
            }
            let (feature, limit) = BY_DATES[kind];
            let date = (kind, dates(stage.now, zone)[kind]);
            let before = used.get(&date).copied().unwrap_or(0);
            let said = format!("{feature} on {} in {zone} at {}", date.1, stage.now);
            prop_assert_eq!(stage.remaining("user:a", feature), Some(limit - before), "{}", said);
            let outcome = stage.run("user:a", consume(feature, amount)).expect("an outcome");
            let fits = before + amount <= limit;
            prop_assert_eq!(outcome.operation.answer.is_allowed(), fits, "{}", said);
            if fits {
                *used.entry(date).or_default() += amount;
            }
            prop_assert_eq!(audit(&stage.records()), []);
        }
    }
}

/// X3 and W4: two changes of the zone in one batch: the second goes by what the first made of a closed day, and not by what was
/// loaded. What was used is refunded where it counts.
#[test]
fn two_changes_of_the_zone_in_one_batch_keep_what_was_used() {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    stage.done("user:a", to_zone(chrono_tz::Asia::Tokyo));
    let yearly = Subscribe {
        ends_at: Some(at("2028-03-10T12:00:00Z")),
        ..Subscribe::to(plan_code("desk"))
    };
    stage.done("user:a", Command::Subscribe(yearly));
    stage.now = at("2027-03-20T03:00:00Z");
    let used = stage.done("user:a", consume("calls", 7));
    stage.now = at("2027-03-20T16:00:00Z");
    stage.done("user:a", consume("calls", 2));
    stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
    let west = stage.request("user:a", to_zone(chrono_tz::Pacific::Honolulu));
    let back = stage.request("user:a", to_zone(Tz::UTC));
    stage.one_batch(&[west, back]);
    stage.done("user:a", refund(used.id, None));
    assert_eq!(stage.remaining("user:a", "calls"), Some(10));
    assert_eq!(audit(&stage.records()), []);
}
