//! Seats: limits that are multiplied by how many of a plan an account bought (C12).

use chrono::TimeDelta;
use proptest::prelude::*;
use quota_core::amount::{COUNT_MAX, Limit};
use quota_core::answer::{Answer, Rejection};
use quota_core::catalog::Cadence;
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, Command, Renew, SetOverride, SetSeats, Subscribe,
    UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::home::Books;
use quota_core::quantity::{QUANTITY_MAX, Quantity};
use quota_core::terms::Subscription;

use crate::stage::{Stage, code, consume, id, plan_code, subscribe};
use crate::with_catalog::with_catalog;

const CATALOG: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "tokens"
name = "Tokens"
unit = "token"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "pages"
name = "Pages"
unit = "page"
kind = "consumable"
cadence = "weekly"

[[feature]]
code = "storage"
name = "Storage"
unit = "MB"
kind = "capacity"
cadence = "subscription"
scale = 10

[[plan]]
code = "team"
name = "Team"
price = 1000
[plan.limits]
messages = { limit = 20, per_seat = true }
tokens = [
    { limit = 5, per = "5h", anchor = "first_use", per_seat = true },
    { limit = 12 },
]
pages = { limit = 10, rollover = { max = 25 }, per_seat = true }
storage = { limit = 5, per_seat = true }

[[plan]]
code = "large"
name = "Large"
price = 2000
[plan.limits]
messages = { limit = 30, per_seat = true }
storage = 100

[[plan]]
code = "flat"
name = "Flat"
price = 100
limits = { messages = 7 }

[[plan]]
code = "open"
name = "Open"
price = 3000
limits = { messages = { limit = "unlimited", per_seat = true } }
"#;

fn seats_of(number: u32) -> Quantity {
    Quantity::new(number).expect("in range")
}

fn with_seats(plan: &str, seats: u32) -> Command {
    Command::Subscribe(Subscribe {
        seats: Some(seats_of(seats)),
        ..Subscribe::to(plan_code(plan))
    })
}

fn set_seats(seats: u32) -> Command {
    Command::SetSeats(SetSeats {
        seats: seats_of(seats),
    })
}

fn change_to(plan: &str, when: ChangeWhen) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(when),
        usage: UsageAfterChange::Keep,
    })
}

/// A user with so many seats of the team's plan.
fn team(seats: u32) -> Stage {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    stage.done("user:a", with_seats("team", seats));
    stage
}

fn limit(stage: &mut Stage, feature: &str) -> Option<Limit> {
    let balance = stage.balance_of("user:a", Scope::User, feature, None);
    balance.granted
}

fn held(stage: &Stage) -> &Subscription {
    let terms = &stage.home.accounts[&id("user:a")].terms;
    terms.subscription.as_ref().expect("one is held")
}

/// C12, the first half of E30: 20 for each of 5 seats is 100; without seats said, there is one.
#[test]
fn e30_a_limit_for_each_seat_is_multiplied_by_the_seats() {
    let mut stage = team(5);
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(100)));
    assert_eq!(
        limit(&mut stage, "storage"),
        Some(Limit::Of(250)),
        "in stored units"
    );
    stage.done("user:a", consume("messages", 100));
    let denial = stage.denied("user:a", consume("messages", 1));
    assert_eq!(denial.reason, Reason::LimitReached);
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    stage.done("user:a", subscribe("team"));
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(20)));
    stage.done("user:a", with_seats("flat", 5));
    assert_eq!(
        limit(&mut stage, "messages"),
        Some(Limit::Of(7)),
        "it is not for each seat"
    );
    stage.done("user:a", with_seats("open", 5));
    assert_eq!(
        limit(&mut stage, "messages"),
        Some(Limit::Unlimited),
        "unlimited stays"
    );
}

/// C12 and C9: of several limits each says for itself whether it is for each seat.
#[test]
fn c12_of_several_limits_those_for_each_seat_are_multiplied() {
    let mut stage = team(2);
    let windows = stage
        .balance_of("user:a", Scope::User, "tokens", None)
        .windows;
    let granted: Vec<_> = windows.iter().map(|one| (one.per, one.granted)).collect();
    let span: Cadence = "5h".parse().expect("a span");
    let wanted = [(Cadence::Monthly, Limit::Of(12)), (span, Limit::Of(10))];
    assert_eq!(granted, wanted);
    stage.done("user:a", consume("tokens", 10));
    let denial = stage.denied("user:a", consume("tokens", 1));
    assert_eq!(denial.window, Some(span));
}

/// C12: seats act at once, up and down; S6: below what is used, nothing is taken and nothing more is granted.
#[test]
fn c12_seats_are_set_at_once_and_nothing_is_taken_away() {
    let mut stage = team(1);
    stage.done("user:a", consume("messages", 20));
    let done = stage.done("user:a", set_seats(3));
    let Answer::Changed { detail, .. } = &done.answer else {
        unreachable!("{done:?}")
    };
    let detail = detail.as_deref().unwrap_or_default();
    assert!(detail.contains("team with 3 seats"), "{detail}");
    stage.done("user:a", consume("messages", 25));
    stage.done("user:a", set_seats(2));
    assert_eq!(
        stage.standing("user:a", Scope::User, "messages"),
        (45, 0, 0)
    );
    assert_eq!(stage.remaining("user:a", "messages"), Some(0));
    stage.denied("user:a", consume("messages", 1));
    stage.done("user:a", set_seats(3));
    assert_eq!(stage.remaining("user:a", "messages"), Some(15));
    let again = stage.run("user:a", set_seats(3)).expect("nothing to do");
    assert_eq!(again.operation.answer, Answer::Unchanged);
}

/// C12: seats stay over renewals, periods paid ahead, changes of plan at once and at the period's end.
#[test]
fn c12_seats_stay_with_the_subscription() {
    let mut stage = team(4);
    let renew = || Command::Renew(Renew { ends_at: None });
    stage.done("user:a", renew());
    stage.done("user:a", change_to("flat", ChangeWhen::PeriodEnd));
    stage.done("user:a", renew());
    let all: Vec<_> = held(&stage).chain().map(|one| one.seats.get()).collect();
    assert_eq!(all, [4, 4, 4]);
    stage.done("user:a", set_seats(6));
    let all: Vec<_> = held(&stage).chain().map(|one| one.seats.get()).collect();
    assert_eq!(all, [6, 6, 6], "what is paid ahead has them too");
    stage.later(TimeDelta::days(35));
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(120)));
    stage.done("user:a", change_to("large", ChangeWhen::Now));
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(180)));
    stage.done("user:a", subscribe("large"));
    assert_eq!(
        limit(&mut stage, "messages"),
        Some(Limit::Of(30)),
        "a start says its own"
    );
}

/// C12 and S8: seats that are set count in what waits too; those that were booked for it are named as dropped.
#[test]
fn c12_seats_that_were_booked_for_what_waits_are_named_as_dropped() {
    let booked = |stage: &Stage, seats: u32| {
        Command::Subscribe(Subscribe {
            seats: Some(seats_of(seats)),
            starts_at: Some(stage.now + TimeDelta::days(40)),
            ..Subscribe::to(plan_code("team"))
        })
    };
    for (next, set, is_dropped) in [(9, 6, true), (6, 6, false), (4, 6, false)] {
        let mut stage = team(4);
        let at = stage.now + TimeDelta::days(40);
        let later = booked(&stage, next);
        stage.done("user:a", later);
        let done = stage.done("user:a", set_seats(set));
        let Answer::Changed { detail, .. } = &done.answer else {
            unreachable!("{done:?}")
        };
        let said = detail.as_deref().unwrap_or_default();
        let at = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let dropped = format!("; {next} seats of team from {at} on are dropped");
        assert_eq!(said.contains(&dropped), is_dropped, "{said}");
        let all: Vec<_> = held(&stage).chain().map(|one| one.seats.get()).collect();
        assert_eq!(all, [6, 6]);
    }
}

/// C10 and C12: what rolls over is what was left of the whole limit; its maximum is not multiplied.
#[test]
fn c12_what_rolls_over_is_left_of_the_limit_of_all_seats() {
    let mut stage = team(3);
    let start = stage.now;
    stage.done("user:a", consume("pages", 10));
    stage.now = start + TimeDelta::days(7);
    assert_eq!(
        limit(&mut stage, "pages"),
        Some(Limit::Of(50)),
        "20 of 30 are left"
    );
    stage.now = start + TimeDelta::days(14);
    assert_eq!(
        limit(&mut stage, "pages"),
        Some(Limit::Of(55)),
        "of 30 without use at most 25"
    );
}

/// C10 and C12: what goes over is what was left of the limit at the window's end, whether or not something was used after the seats
/// were changed; where they are changed after it, the smaller limit counts.
#[test]
fn c10_what_goes_over_is_left_of_the_limit_at_the_end() {
    for (seats, after, expected) in [(1, 2, 4), (2, 1, 3), (3, 2, 4)] {
        for used_later in [0, 1] {
            let text = CATALOG.replace("rollover = { max = 25 }", "rollover = { max = 4 }");
            let mut stage = with_catalog(Stage::user(""), &text);
            stage.done("user:a", with_seats("team", seats));
            stage.done("user:a", consume("pages", 7 - used_later));
            stage.done("user:a", set_seats(after));
            if used_later != 0 {
                stage.done("user:a", consume("pages", used_later));
            }
            stage.later(TimeDelta::days(7));
            let granted = limit(&mut stage, "pages").and_then(Limit::ceiling);
            let told = (seats, after, used_later);
            assert_eq!(granted, Some(u64::from(after) * 10 + expected), "{told:?}");
            assert_eq!(quota_core::audit::audit(&stage.records()), []);
        }
    }
    // After the window's end nothing is known but that the limit was as large once.
    let mut stage = team(2);
    stage.done("user:a", consume("pages", 7));
    stage.later(TimeDelta::days(7));
    stage.done("user:a", set_seats(1));
    assert_eq!(limit(&mut stage, "pages"), Some(Limit::Of(13)));
}

/// Whoever has no subscription, or one that has ended, has no seats to set; nothing changes.
#[test]
fn seats_need_a_subscription_that_has_not_ended() {
    let mut stage = with_catalog(Stage::user(""), CATALOG);
    let refused = stage.run("user:a", set_seats(2));
    assert_eq!(refused.err(), Some(Rejection::NoSubscription));
    stage.done("user:a", subscribe("team"));
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    let before = stage.home.clone();
    let refused = stage.run("user:a", set_seats(2)).err();
    assert!(
        matches!(
            refused,
            Some(Rejection::Ended {
                was_canceled: true,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(stage.home, before);
    let mut stage = team(2);
    stage.done("user:a", Command::Cancel(Cancel { at_once: false }));
    stage.done("user:a", set_seats(3));
    stage.later(TimeDelta::days(40));
    let refused = stage.run("user:a", set_seats(4)).err();
    assert!(
        matches!(
            refused,
            Some(Rejection::Ended {
                was_canceled: true,
                ..
            })
        ),
        "{refused:?}"
    );
}

/// C12: what seats make of a limit is more than a limit may be written as, and is kept and read again all the same.
#[test]
fn c12_a_limit_of_many_seats_is_read_as_it_was_kept() {
    let text = CATALOG.replace("limit = 20, per_seat", "limit = 1000000000000000, per_seat");
    let mut stage = with_catalog(Stage::user(""), &text);
    stage.done("user:a", with_seats("team", 9));
    let spent = stage.done("user:a", consume("messages", 1));
    let most = Some(Limit::Of(9_000_000_000_000_000));
    assert_eq!(limit(&mut stage, "messages"), most);
    let books = &stage.home.accounts[&id("user:a")].books;
    let kept = serde_json::to_string(books).expect("plain data");
    let read: Books = serde_json::from_str(&kept).expect("it was kept");
    assert_eq!(read, *books);
    let kept = serde_json::to_string(&spent.answer).expect("plain data");
    let read: Answer = serde_json::from_str(&kept).expect("it was kept");
    assert_eq!(read, spent.answer);
    assert_eq!(read.balances()[0].granted, most);
}

/// C12: an override is a number for the account, whatever its seats.
#[test]
fn c12_an_override_is_not_multiplied() {
    let mut stage = team(5);
    let own = SetOverride {
        feature: code("messages"),
        limit: Limit::Of(15),
        expires_at: None,
    };
    stage.done("user:a", Command::SetOverride(own));
    assert_eq!(limit(&mut stage, "messages"), Some(Limit::Of(15)));
}

proptest! {
    /// C12: the limit is plan × seats for every number of seats, and no counter's maximum is passed.
    #[test]
    fn c12_the_limit_is_the_plans_times_the_seats(
        one in 0_u64..=1_000_000_000_000_000, scale in 1_u64..=9_000, seats in 1..=QUANTITY_MAX,
    ) {
        let text = CATALOG.replace("limit = 5, per_seat = true }\n\n", &format!("limit = {one}, per_seat = true }}\n\n"));
        let text = text.replace("scale = 10", &format!("scale = {scale}"));
        let mut stage = with_catalog(Stage::user(""), &text);
        stage.done("user:a", with_seats("team", seats));
        let wanted = u128::from(one) * u128::from(scale) * u128::from(seats);
        let wanted = u64::try_from(wanted.min(COUNT_MAX.into())).expect("in range");
        prop_assert_eq!(limit(&mut stage, "storage"), Some(Limit::Of(wanted)));
    }
}
