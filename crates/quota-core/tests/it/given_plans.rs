//! A plan that is given for a time, as a code gives it (P15): nothing that was paid for is cut by it.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Limit;
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::code::GIFT_DAYS_MAX;
use quota_core::command::{Cancel, Command, GivePlan, Renew, SetStatus};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::quantity::Quantity;
use quota_core::terms::{PERIODS_AHEAD_MAX, Status, Subscription};

use crate::stage::{Stage, consume, id, plan_code, start};

fn give(plan: &str, days: u32) -> Command {
    Command::GivePlan(GivePlan {
        plan: plan_code(plan),
        days,
        seats: Quantity::ONE,
    })
}

fn held(stage: &Stage) -> Subscription {
    let account = &stage.home.accounts[&id("user:a")];
    let stored = account.terms.subscription.as_ref().expect("subscribed");
    stored.current(&stage.catalog, stage.now).into_owned()
}

fn days(number: i64) -> DateTime<Utc> {
    start() + TimeDelta::days(number)
}

fn refused(stage: &mut Stage, command: Command) -> Rejection {
    stage.run("user:a", command).expect_err("it does not fit")
}

/// P15: the plan begins at once, is one period for all its days with windows of its own in it, and ends with them.
#[test]
fn a_plan_is_given_at_once_to_who_has_none() {
    let mut stage = Stage::user("");
    stage.done("user:a", give("pro", 90));
    let first = held(&stage);
    assert_eq!((first.starts_at, first.ends_at), (start(), days(90)));
    stage.done("user:a", consume("articles", 100));
    stage.now = days(31);
    stage.done("user:a", consume("articles", 100));
    stage.now = days(90) - TimeDelta::seconds(1);
    stage.done("user:a", consume("articles", 1));
    stage.now = days(90);
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(denied.reason, Reason::SubscriptionExpired);
    stage.done("user:a", give("basic", 1));
    assert_eq!(stage.remaining("user:a", "articles"), Some(50));
    assert_eq!(audit(&stage.records()), []);
}

/// P15 and S8: what was paid for runs to its end, and so does all that was paid ahead; the plan begins then.
#[test]
fn a_plan_is_given_behind_what_was_paid_for() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", Command::Renew(Renew::default()));
    stage.done("user:a", consume("articles", 40));
    let paid_until = "2027-05-10T12:00:00Z".parse().expect("an instant");
    stage.done("user:a", give("pro", 30));
    stage.done("user:a", give("pro", 30));
    assert_eq!(stage.remaining("user:a", "articles"), Some(10));
    stage.now = paid_until;
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    let first = held(&stage);
    assert_eq!(first.ends_at, paid_until + TimeDelta::days(30));
    stage.now = first.ends_at;
    assert_eq!(held(&stage).ends_at, paid_until + TimeDelta::days(60));
    for _ in 0..PERIODS_AHEAD_MAX {
        stage.done("user:a", give("pro", 1));
    }
    let full = refused(&mut stage, give("pro", 1));
    assert_eq!(full.code(), "too_many_periods");
    assert_eq!(audit(&stage.records()), []);
}

/// A canceled subscription runs to its end; one that was ended at once, or is not paid for, is in nobody's way.
#[test]
fn a_plan_is_given_in_place_of_what_does_not_run() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", Command::Cancel(Cancel { at_once: false }));
    stage.done("user:a", give("pro", 30));
    assert_eq!(stage.remaining("user:a", "articles"), Some(50));
    let end = Command::Cancel(Cancel { at_once: true });
    let unpaid = Command::SetStatus(SetStatus {
        status: Status::Unpaid,
    });
    for over in [end, unpaid] {
        let mut stage = Stage::user("basic");
        stage.done("user:a", over);
        stage.later(TimeDelta::hours(1));
        stage.done("user:a", give("pro", 30));
        assert_eq!(stage.remaining("user:a", "articles"), Some(100));
        assert_eq!(audit(&stage.records()), []);
    }
}

/// S7: a free plan that renews by itself comes back when the days are over, also where it was only to come.
#[test]
fn a_free_plan_comes_back_behind_what_was_given() {
    let mut stage = Stage::user("free");
    stage.done("user:a", consume("articles", 5));
    stage.now = days(1);
    stage.done("user:a", give("pro", 9));
    stage.done("user:a", consume("articles", 100));
    stage.now = days(10);
    assert_eq!(stage.remaining("user:a", "articles"), Some(5));
    stage.now = days(400);
    stage.done("user:a", consume("articles", 5));
    stage.done("user:a", give("pro", 10));
    stage.done("user:a", give("max", 10));
    assert_eq!(held(&stage).ends_at, stage.now + TimeDelta::days(10));
    stage.later(TimeDelta::days(10));
    assert_eq!(held(&stage).plan, plan_code("max"));
    stage.later(TimeDelta::days(10));
    assert_eq!(held(&stage).plan, plan_code("free"));
    assert_eq!(audit(&stage.records()), []);
}

/// C14: the account falls back to the default plan by itself.
#[test]
fn the_default_plan_comes_back_by_itself() {
    let mut stage = Stage::user("");
    stage.catalog.default_plan = Some(plan_code("free"));
    stage.done("user:a", give("pro", 10));
    stage.now = days(10);
    let back = held(&stage);
    assert_eq!(
        (back.plan, back.fell_back_at),
        (plan_code("free"), Some(days(10)))
    );
    stage.done("user:a", give("pro", 10));
    assert_eq!(held(&stage).ends_at, days(20));
    stage.now = days(20);
    assert_eq!(held(&stage).plan, plan_code("free"));
}

/// A free plan may be given too: it ends with its days.
#[test]
fn a_free_plan_that_is_given_ends_with_its_days() {
    let mut stage = Stage::user("");
    stage.done("user:a", give("free", 40));
    stage.now = days(39);
    stage.done("user:a", consume("articles", 5));
    stage.now = days(40);
    stage.denied("user:a", consume("articles", 1));
}

/// C12: seats are given with it.
#[test]
fn a_plan_is_given_for_seats() {
    let mut stage = Stage::user("");
    let three = Quantity::new(3).expect("a quantity");
    stage.done(
        "user:a",
        Command::GivePlan(GivePlan {
            plan: plan_code("basic"),
            days: 5,
            seats: three,
        }),
    );
    let balance = stage.balance_of("user:a", Scope::User, "articles", None);
    assert_eq!(balance.granted, Some(Limit::Of(150)));
}

/// What can never be right is refused by its field.
#[test]
fn what_cannot_be_given_is_refused() {
    let mut stage = Stage::user("");
    for wrong in [0, GIFT_DAYS_MAX + 1] {
        let wanted = Rejection::OutOfRange {
            field: "days",
            least: 1,
            most: GIFT_DAYS_MAX.into(),
        };
        assert_eq!(refused(&mut stage, give("pro", wrong)), wanted);
    }
    let unknown = refused(&mut stage, give("nothing", 1));
    assert_eq!(unknown, Rejection::UnknownPlan(plan_code("nothing")));
    stage.done("user:a", give("pro", GIFT_DAYS_MAX));
}
