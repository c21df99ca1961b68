//! Auto top-up and credits that run out, as rules: what is told, what is due, what failures come to (P20, P22).

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Amount;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::change::Change;
use quota_core::command::{Command, EndTopUp, SetTopUp, TellExpiry, TopUpEnd};
use quota_core::event::EventKind;
use quota_core::ids::PackCode;
use quota_core::rules::top_ups::{due_top_up, top_up_month};
use quota_core::terms::{AutoTopUp, TopUpFailure, TopUpOffReason};
use uuid::Uuid;

use crate::stage::{Stage, consume, grant, id, reserve, start};

/// The stage's catalog with a pack of 100 credits for 900, and one that is given away.
fn with_packs(mut stage: Stage) -> Stage {
    for (code, price) in [("small", 900), ("gift", 0)] {
        let pack = toml::from_str(&format!(
            "code = \"{code}\"\nname = \"{code}\"\ncredits = 100\nprice = {price}"
        ));
        let code = PackCode::new(code).expect("a pack");
        stage.catalog.packs.insert(code, pack.expect("a pack"));
    }
    stage
}

/// A user without a subscription that has so many credits for `try_on`, and a pack bought below 10.
fn stocked(credits: u64) -> Stage {
    let mut stage = with_packs(Stage::user(""));
    stage.done("user:a", grant("gift", credits));
    stage.done("user:a", set("small", 10));
    stage
}

fn set(pack: &str, below: u64) -> Command {
    set_with(pack, below, 3)
}

fn set_with(pack: &str, below: u64, most_per_month: u32) -> Command {
    Command::SetTopUp(SetTopUp {
        pack: PackCode::new(pack).expect("a pack"),
        below: Amount::new(below).expect("an amount"),
        most_per_month,
    })
}

fn end(stage: &Stage, end: TopUpEnd) -> Command {
    Command::EndTopUp(EndTopUp {
        top_up: Uuid::from_u128(7),
        pack: PackCode::new("small").expect("a pack"),
        opened_at: stage.now,
        end,
    })
}

fn low(stage: &Stage) -> Vec<(String, u64)> {
    let events = stage.events.iter();
    let told = events.filter_map(|event| {
        let EventKind::CreditsLow { credits, below } = event.kind else {
            return None;
        };
        assert_eq!(below, 10);
        Some((event.account.to_string(), credits))
    });
    told.collect()
}

fn wanted(stage: &Stage) -> &AutoTopUp {
    let account = &stage.home.accounts[&id("user:a")];
    account.terms.auto_top_up.as_deref().expect("it is set")
}

fn is_due(stage: &Stage) -> bool {
    due_top_up(&stage.home.accounts[&id("user:a")], stage.now).is_some()
}

/// P20: "when credits fall below `below`", by whatever request, and once for each fall.
#[test]
fn p20_a_fall_below_the_bound_is_told_in_the_request_that_makes_it() {
    let mut stage = stocked(12);
    stage.done("user:a", consume("try_on", 2));
    assert_eq!(
        (low(&stage), is_due(&stage)),
        (vec![], false),
        "10 is not below 10"
    );
    stage.done("user:a", reserve("try_on", 1, 60));
    assert_eq!(low(&stage), [("user:a".to_owned(), 9)]);
    assert!(is_due(&stage));
    let told = stage.events.last().expect("an event");
    let by = stage.operations.last().expect("the reservation");
    assert_eq!((told.id, told.sequence), (by.id, by.sequence));
    stage.done("user:a", consume("try_on", 1));
    assert_eq!(low(&stage).len(), 1, "they were low before");
    stage.done("user:a", grant("more", 5));
    assert!(!is_due(&stage));
    stage.done("user:a", consume("try_on", 4));
    assert_eq!(low(&stage).len(), 2);
    let numbers: Vec<u64> = stage.events.iter().map(|event| event.number).collect();
    assert!(
        numbers.is_sorted_by(|one, next| one + 1 == *next),
        "{numbers:?}"
    );
    audited(&stage);
}

fn audited(stage: &Stage) {
    assert_eq!(audit(&stage.records()), []);
}

/// P20: an org's wallet falls by what its members use; it is the org that is told, and by a number of its own.
#[test]
fn p20_an_org_is_told_when_its_members_spend_its_credits() {
    let mut stage = with_packs(Stage::org("free"));
    stage.done("org:o", grant("gift", 12));
    stage.done("org:o", set("small", 10));
    let before = stage.home.accounts[&id("org:o")].terms.last_event;
    let members = stage.home.accounts[&id("user:a")].terms.last_event;
    stage.done("user:a", consume("try_on", 3));
    assert_eq!(low(&stage), [("org:o".to_owned(), 9)]);
    assert_eq!(
        stage.home.accounts[&id("org:o")].terms.last_event,
        before + 1
    );
    assert_eq!(stage.home.accounts[&id("user:a")].terms.last_event, members);
}

/// P20: what is denied changes nothing, and tells nothing; nor does an account that has nothing bought.
#[test]
fn p20_nothing_is_told_where_nothing_fell_or_nothing_is_wanted() {
    let mut stage = stocked(12);
    stage.denied("user:a", consume("try_on", 50));
    assert_eq!(low(&stage), []);
    stage.done("user:a", Command::ClearTopUp);
    let events = stage.events.len();
    stage.done("user:a", consume("try_on", 12));
    assert_eq!((low(&stage), stage.events.len()), (vec![], events));
    let again = stage.run("user:a", Command::ClearTopUp).expect("an answer");
    assert_eq!(again.operation.answer, Answer::Unchanged);
}

/// P20: "at most `most_per_month` of them": the calendar month of the account's zone.
#[test]
fn p20_months_are_those_of_the_accounts_zone() {
    let new_year: DateTime<Utc> = "2027-12-31T23:30:00Z".parse().expect("an instant");
    let berlin = top_up_month("Europe/Berlin".parse().expect("a zone"), new_year);
    let begins = "2027-12-31T23:00:00Z".parse().expect("an instant");
    let ends = "2028-01-31T23:00:00Z".parse().ok();
    assert_eq!((berlin.starts_at, berlin.ends_at), (begins, ends));
}

/// P20: "retried after a pause that doubles, and switched off after three".
#[test]
fn p20_failures_in_a_row_pause_and_the_third_switches_it_off() {
    let mut stage = stocked(5);
    let failed = TopUpEnd::Failed(TopUpFailure::Declined);
    for hours in [1, 2] {
        assert!(is_due(&stage));
        let booked = stage.done("user:a", end(&stage, failed));
        let Answer::Changed { change, .. } = booked.answer else {
            panic!("{booked:?}");
        };
        assert_eq!(change, Change::TopUpFailed);
        let until = stage.now + TimeDelta::hours(hours);
        assert_eq!(wanted(&stage).next_try_at(), Some(until));
        stage.later(TimeDelta::hours(hours) - TimeDelta::microseconds(1));
        assert!(!is_due(&stage));
        stage.later(TimeDelta::microseconds(1));
    }
    let booked = stage.done("user:a", end(&stage, failed));
    let off = wanted(&stage).off.expect("it is off");
    assert_eq!((off.at, off.why), (stage.now, TopUpOffReason::Failed));
    assert!(matches!(
        booked.answer,
        Answer::Changed {
            change: Change::TopUpSwitchedOff,
            ..
        }
    ));
    stage.later(TimeDelta::days(400));
    assert!(!is_due(&stage));
    stage.done("user:a", set("small", 10));
    assert!(is_due(&stage), "it is on again");
    assert_eq!(
        (wanted(&stage).failures, wanted(&stage).set_at),
        (0, stage.now)
    );
    audited(&stage);
}

/// P20: one that was paid ends the row; what was begun before it was set counts for nothing.
#[test]
fn p20_a_payment_ends_the_row_and_old_ends_count_for_nothing() {
    let mut stage = stocked(5);
    let refused = TopUpEnd::Failed(TopUpFailure::Refused);
    for _ in 0..2 {
        stage.done("user:a", end(&stage, refused));
    }
    stage.done("user:a", end(&stage, TopUpEnd::Paid));
    assert_eq!(
        (wanted(&stage).failures, wanted(&stage).next_try_at()),
        (0, None)
    );
    let of_before = [refused, refused, refused, TopUpEnd::CameBack].map(|one| end(&stage, one));
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", set("small", 11));
    for late in of_before {
        stage.run("user:a", late).expect("it is told");
    }
    assert_eq!((wanted(&stage).failures, wanted(&stage).is_on()), (0, true));
    stage.done("user:a", end(&stage, TopUpEnd::CameBack));
    let off = wanted(&stage).off.expect("it is off");
    assert_eq!(off.why, TopUpOffReason::CameBack);
}

/// P20: what cannot be right names its field and changes nothing.
#[test]
fn p20_what_cannot_be_bought_is_refused() {
    let mut stage = with_packs(Stage::user(""));
    for (command, field) in [
        (set("nothing", 10), "pack"),
        (set("gift", 10), "pack"),
        (set("small", 101), "below"),
        (set_with("small", 10, 0), "most_per_month"),
        (set_with("small", 10, 101), "most_per_month"),
    ] {
        let refused = stage.run("user:a", command).expect_err("it is refused");
        assert_eq!(refused.field(), Some(field), "{refused}");
    }
    let account = &stage.home.accounts[&id("user:a")];
    assert_eq!(account.terms.auto_top_up, None);
    let nobody = stage.run("user:nobody", set("small", 10));
    assert_eq!(nobody.expect_err("nobody"), Rejection::UnknownAccount);
    stage.done("user:a", set_with("small", 100, 100));
    let again = stage.run("user:a", set_with("small", 100, 100));
    assert_eq!(
        again.expect("an answer").operation.answer,
        Answer::Unchanged
    );
}

/// P20: credits that were bought and wait until others are spent are no reason to buy more.
#[test]
fn p20_bought_credits_that_wait_count_as_credits() {
    let mut stage = stocked(5);
    assert!(is_due(&stage));
    let account = stage.home.account_mut(&id("user:a")).expect("it is there");
    let mut waiting = account.books.balances[0].clone();
    waiting.bucket = quota_core::balance::Bucket::parse("grant:waiting").expect("a bucket");
    account.books.waiting.push(waiting);
    assert!(!is_due(&stage));
}

fn expiring(stage: &Stage) -> Vec<(String, u64, u32)> {
    let events = stage.events.iter();
    let told = events.filter_map(|event| {
        let EventKind::CreditsExpiring {
            grant,
            credits,
            days,
            ..
        } = &event.kind
        else {
            return None;
        };
        Some((grant.to_string(), *credits, *days))
    });
    told.collect()
}

/// P22: what is left is told, once for each bound; what is spent, ended or without an end is not.
#[test]
fn p22_what_is_left_of_a_grant_is_told_once_for_each_bound() {
    let mut stage = Stage::user("");
    let tell = || Command::TellExpiry(TellExpiry { days: vec![7, 1] });
    for (name, days) in [("spent", 5), ("pack", 6), ("later", 8)] {
        let mut given = grant(name, 10);
        let Command::GrantCredits(grant) = &mut given else {
            panic!("a grant");
        };
        grant.expires_at = Some(start() + TimeDelta::days(days));
        stage.done("user:a", given);
    }
    stage.done("user:a", grant("for_ever", 10));
    stage.done("user:a", consume("try_on", 14));
    stage.done("user:a", tell());
    assert_eq!(expiring(&stage), [("pack".to_owned(), 6, 7)]);
    for hours in [0, 1] {
        stage.later(TimeDelta::hours(hours));
        let again = stage.run("user:a", tell()).expect("an answer");
        assert_eq!(again.operation.answer, Answer::Unchanged);
    }
    stage.later(TimeDelta::days(5));
    stage.done("user:a", tell());
    let told = [
        ("pack".to_owned(), 6, 7),
        ("pack".to_owned(), 6, 1),
        ("later".to_owned(), 10, 7),
    ];
    assert_eq!(expiring(&stage), told);
    audited(&stage);
}
