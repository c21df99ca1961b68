//! A change of the time zone: a date gives its allowance once, in whichever zones it is counted (W3, W4).

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::command::{
    AccountSpec, Cancel, CloseWindows, Command, Presence, PutAccount, Subscribe,
};

use crate::several_limits::at;
use crate::stage::{
    Stage, code, commit, consume, id, plan_code, put_account, refund, reserve, track,
};
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
    desk_since(zone, "2027-01-01T00:00:00Z")
}

/// A user in that zone, with the plan from then on.
fn desk_since(zone: Tz, began: &str) -> Stage {
    let mut stage = with_catalog(Stage::new("user:a"), CATALOG);
    stage.now = at(began);
    stage.done(
        "user:a",
        put_account(AccountSpec {
            time_zone: Some(zone),
            ..AccountSpec::default()
        }),
    );
    stage.done("user:a", on_desk(None));
    stage
}

/// The plan from then on, or from now.
fn on_desk(starts_at: Option<&str>) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: starts_at.map(at),
        ends_at: Some(at("2028-01-01T00:00:00Z")),
        ..Subscribe::to(plan_code("desk"))
    })
}

/// The live balance of the day of calls that began then.
fn day<'a>(stage: &'a Stage, began: &str) -> Option<&'a Balance> {
    let bucket = Bucket::Window(code("calls"), at(began).timestamp_micros());
    stage.home.accounts[&id("user:a")].books.balance(&bucket)
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

/// W4: what was used before a gap is no use of the same day behind it, in whichever zone; with no subscription what is counted
/// goes along.
#[test]
fn the_day_behind_a_gap_has_nothing_of_the_day_before_it() {
    let mut stage = desk(Tz::UTC);
    stage.now = at("2027-04-20T01:00:00Z");
    stage.done("user:a", consume("calls", 7));
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", track("calls", 3));
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", on_desk(None));
    stage.done("user:a", to_zone(chrono_tz::Asia::Tokyo));
    assert_eq!(stage.remaining("user:a", "calls"), Some(10));
    let spent = |bucket: Bucket| {
        let books = &stage.home.accounts[&id("user:a")].books;
        books.balance(&bucket).map(Balance::spent)
    };
    let began = |text| at(text).timestamp_micros();
    let before = Bucket::Window(code("calls"), began("2027-04-20T00:00:00Z"));
    assert_eq!(spent(before), Some(7));
    let tracked = Bucket::Tracked(code("calls"), began("2027-04-19T15:00:00Z"));
    assert_eq!(spent(tracked), Some(3));
    assert_eq!(audit(&stage.records()), []);
}

/// W4: the day on which the subscription began goes on in another zone, from where it begins there.
#[test]
fn the_day_on_which_the_subscription_began_goes_on() {
    let mut stage = desk_since(chrono_tz::Asia::Tokyo, "2027-04-20T05:00:00Z");
    stage.done("user:a", consume("calls", 7));
    // 01:00 of the same day in Honolulu.
    stage.now = at("2027-04-20T11:00:00Z");
    stage.done("user:a", to_zone(chrono_tz::Pacific::Honolulu));
    assert_eq!(stage.remaining("user:a", "calls"), Some(3));
    assert_eq!(audit(&stage.records()), []);
}

/// W4: the subscription's first day, in a zone where it is still the day before: what was used counts on in what is left of that, and the
/// day that comes is whole. So it is for a month, and on the way back.
#[test]
fn the_first_day_is_the_day_before_further_west() {
    for (feature, began, comes, limit) in [
        ("calls", "2027-04-20T01:00:00Z", "2027-04-20T04:00:00Z", 10),
        ("books", "2027-05-01T01:00:00Z", "2027-05-01T04:00:00Z", 40),
    ] {
        let mut stage = desk_since(Tz::UTC, began);
        stage.done("user:a", consume(feature, 3));
        for zone in [
            chrono_tz::America::New_York,
            Tz::UTC,
            chrono_tz::America::New_York,
        ] {
            stage.later(TimeDelta::minutes(5));
            stage.done("user:a", to_zone(zone));
            assert_eq!(
                stage.remaining("user:a", feature),
                Some(limit - 3),
                "{zone}"
            );
        }
        stage.done("user:a", consume(feature, limit - 3));
        stage.denied("user:a", consume(feature, 1));
        stage.now = at(comes);
        stage.done("user:a", consume(feature, limit));
        stage.denied("user:a", consume(feature, 1));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// W4: a day that was over in the new zone when the subscription began, or just then, is none there; its use is no other day's.
#[test]
fn a_day_before_the_subscription_began_is_none_in_the_new_zone() {
    for began in ["2027-04-20T10:00:00Z", "2027-04-20T11:00:00Z"] {
        let mut stage = desk_since(chrono_tz::Etc::GMTPlus12, began);
        stage.now = at("2027-04-20T13:00:00Z");
        stage.done("user:a", consume("calls", 4));
        // 20 April ended at 10:00 UTC in Kiritimati.
        stage.done("user:a", to_zone(chrono_tz::Pacific::Kiritimati));
        assert_eq!(stage.remaining("user:a", "calls"), Some(10), "{began}");
        assert_eq!(audit(&stage.records()), []);
    }
}

/// W3: where two zones are a whole day apart, their days are the same spans, and count on as these under another date.
#[test]
fn days_of_zones_that_are_a_whole_day_apart_count_on() {
    let mut stage = desk(chrono_tz::Pacific::Kiritimati);
    stage.now = at("2027-04-20T05:00:00Z");
    stage.done("user:a", consume("calls", 7));
    let moved = stage.done("user:a", to_zone(chrono_tz::Pacific::Honolulu));
    assert_eq!(moved.entries, []);
    assert_eq!(stage.remaining("user:a", "calls"), Some(3));
}

/// W3: a day that is over in every zone is left where it is; one that may run in another goes along. Of one without use, and of one that has
/// the same name there, nothing is opened again.
#[test]
fn a_day_goes_along_until_it_is_over_in_every_zone() {
    let ended = at("2027-04-21T00:00:00Z");
    let over = ended + TimeDelta::hours(28);
    for (now, entries) in [(over - TimeDelta::microseconds(1), 2), (over, 0)] {
        let mut stage = desk(Tz::UTC);
        stage.now = at("2027-04-20T12:00:00Z");
        stage.done("user:a", consume("calls", 7));
        stage.now = now;
        let moved = stage.done("user:a", to_zone(chrono_tz::Asia::Tokyo));
        assert_eq!(moved.entries.len(), entries, "{now}");
    }
    let mut unused = desk(Tz::UTC);
    unused.now = at("2027-04-20T12:00:00Z");
    let held = unused.done("user:a", reserve("calls", 7, 60));
    unused.done("user:a", commit(held.id, 0));
    let mut same = desk_since(Tz::UTC, "2027-04-20T12:00:00Z");
    same.done("user:a", consume("calls", 7));
    for mut stage in [unused, same] {
        stage.now = ended + TimeDelta::hours(1);
        close(&mut stage);
        let moved = stage.done("user:a", to_zone(chrono_tz::Asia::Tokyo));
        assert_eq!(moved.entries, []);
        let live = &stage.home.accounts[&id("user:a")].books.balances;
        assert_eq!(*live, [], "it stays closed");
        assert_eq!(audit(&stage.records()), []);
    }
}

/// W3 and X3: what was moved from zone to zone is refunded where it counts, by the date on which it was used.
#[test]
fn a_day_that_was_moved_twice_is_refunded_on_its_date() {
    let mut stage = desk(Tz::UTC);
    stage.now = at("2027-04-20T12:00:00Z");
    let used = stage.done("user:a", consume("calls", 7));
    for zone in [chrono_tz::Pacific::Honolulu, chrono_tz::Asia::Tokyo] {
        stage.done("user:a", to_zone(zone));
        assert_eq!(stage.remaining("user:a", "calls"), Some(3), "{zone}");
    }
    stage.done("user:a", refund(used.id, None));
    assert_eq!(stage.remaining("user:a", "calls"), Some(10));
    assert_eq!(audit(&stage.records()), []);
}

/// W3: a day that is come back to has its use once, and it is booked once.
#[test]
fn a_day_that_is_come_back_to_is_booked_once() {
    let mut stage = desk(Tz::UTC);
    stage.now = at("2027-04-20T16:00:00Z");
    stage.done("user:a", consume("calls", 9));
    for zone in [chrono_tz::Asia::Tokyo, Tz::UTC] {
        let moved = stage.done("user:a", to_zone(zone));
        let used: Vec<i64> = moved.entries.iter().map(|entry| entry.used).collect();
        assert_eq!(used, [-9, 9], "{zone}");
    }
    assert_eq!(stage.remaining("user:a", "calls"), Some(1));
    assert_eq!(audit(&stage.records()), []);
}

/// W4 and S9: a day of a zone that was left, which was closed there, counts again with its use when the zone is come back to, also when
/// it is over by then.
#[test]
fn a_closed_day_that_is_moved_to_counts_again() {
    let mut stage = desk(Tz::UTC);
    stage.now = at("2027-04-20T01:00:00Z");
    stage.done("user:a", consume("calls", 7));
    // Behind a gap the day is another one, until a start in the past closes it.
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.now = at("2027-04-20T05:00:00Z");
    stage.done("user:a", on_desk(None));
    stage.done("user:a", consume("calls", 1));
    stage.done("user:a", to_zone(chrono_tz::Asia::Tokyo));
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", on_desk(Some("2027-04-01T00:00:00Z")));
    stage.now = at("2027-04-21T01:00:00Z");
    close(&mut stage);
    let began = "2027-04-20T00:00:00Z";
    assert_eq!(day(&stage, began), None, "it is closed");
    stage.done("user:a", to_zone(Tz::UTC));
    assert_eq!(day(&stage, began).map(Balance::spent), Some(8));
    assert_eq!(audit(&stage.records()), []);
}

const POST: &str = r#"
[[feature]]
code = "mails"
name = "Mails"
unit = "mail"
kind = "consumable"
cadence = "monthly"
anchor = "calendar"

[[plan]]
code = "desk"
name = "Desk"
price = 1000
limits = { mails = { limit = 60, rollover = { max = 15 } } }
"#;

/// W1 and C10: a month that begins in the new zone just then runs, and keeps what came over into it. Into one that is to come there
/// nothing comes over: what was left may be used yet, in the month that runs again.
#[test]
fn a_month_that_begins_with_the_change_keeps_what_came_over() {
    for (now, left) in [
        ("2027-05-01T00:00:00Z", 62),
        ("2027-04-30T23:59:59.999999Z", 7),
    ] {
        let mut stage = with_catalog(desk(chrono_tz::Asia::Tokyo), POST);
        stage.now = at("2027-04-10T00:00:00Z");
        // 15 came over from March.
        stage.done("user:a", consume("mails", 68));
        stage.now = at("2027-04-30T16:00:00Z");
        stage.done("user:a", consume("mails", 5));
        assert_eq!(stage.remaining("user:a", "mails"), Some(62));
        stage.now = at(now);
        stage.done("user:a", to_zone(Tz::UTC));
        assert_eq!(stage.remaining("user:a", "mails"), Some(left), "{now}");
        stage.done("user:a", consume("mails", left));
        stage.now = at("2027-05-01T00:00:00Z");
        let may = stage.remaining("user:a", "mails");
        let expected = if left == 7 { 55 } else { 0 };
        assert_eq!(may, Some(expected), "{now}");
        assert_eq!(audit(&stage.records()), []);
    }
}
