//! Plans: upgrade, downgrade, the end of a subscription, and windows that are closed in the books.

use crate::stage::{Stage, code, consume, id, plan_code, put_account, track};
use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::Answer;
use quota_core::balance::Bucket;
use quota_core::catalog::Cadence;
use quota_core::command::{
    ChangePlan, ChangeWhen, CloseWindows, Command, Extend, Renew, Reset, SetStatus, Subscribe,
    UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::event::EventKind;
use quota_core::operation::OperationKind;

fn change_plan(plan: &str, when: Option<ChangeWhen>, usage: UsageAfterChange) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when,
        usage,
    })
}

fn close_windows(cadence: Option<Cadence>) -> Command {
    Command::CloseWindows(CloseWindows {
        cadence,
        features: Vec::new(),
    })
}

/// S5: an upgrade acts at once, starts a new period now, and consumable usage begins at 0; what is occupied stays.
#[test]
fn an_upgrade_acts_at_once_and_restarts_what_is_consumed() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", consume("articles", 50));
    stage.done("user:a", consume("albums", 2));
    stage.done("user:a", consume("storage", 20));
    stage.later(TimeDelta::days(3));
    stage.done(
        "user:a",
        change_plan("pro", None, UsageAfterChange::Restart),
    );
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    assert_eq!(stage.remaining("user:a", "albums"), Some(3));
    assert_eq!(stage.remaining("user:a", "storage"), Some(80));
    let held = stage.home.accounts[&id("user:a")]
        .terms
        .subscription
        .clone();
    assert_eq!(held.expect("subscribed").starts_at, stage.now);
    stage.done("user:a", consume("articles", 100));
}

/// S5: with `usage: keep` what was consumed counts on in the new period.
#[test]
fn an_upgrade_that_keeps_usage_counts_on() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", consume("articles", 50));
    stage.later(TimeDelta::days(3));
    stage.done("user:a", change_plan("pro", None, UsageAfterChange::Keep));
    assert_eq!(stage.remaining("user:a", "articles"), Some(50));
    assert_eq!(
        stage.denied("user:a", consume("articles", 51)).available,
        50
    );
}

/// S5: a consumable that is carried over renewals restarts too when the plan changes at once.
#[test]
fn an_upgrade_restarts_a_consumable_that_renewals_carry() {
    let mut stage = Stage::user("pro");
    let max = stage.catalog.plans.get_mut(&plan_code("max"));
    let limits = &mut max.expect("in the catalog")[0].limits;
    limits.insert(code("lessons"), Limit::Of(20).into());
    let first = stage.done("user:a", consume("lessons", 20));
    stage.later(TimeDelta::days(1));
    let change = change_plan("max", Some(ChangeWhen::Now), UsageAfterChange::Keep);
    stage.done("user:a", change);
    assert_eq!(stage.remaining("user:a", "lessons"), Some(0));
    let change = change_plan("pro", Some(ChangeWhen::Now), UsageAfterChange::Restart);
    stage.done("user:a", change);
    assert_eq!(stage.remaining("user:a", "lessons"), Some(20));
    assert_eq!(stage.lifetime("user:a", "lessons"), 20);
    // What was set to 0 is not given back a second time.
    stage.done("user:a", consume("lessons", 4));
    stage.done("user:a", crate::stage::refund(first.id, None));
    assert_eq!(stage.remaining("user:a", "lessons"), Some(16));
}

/// S5: a downgrade waits for the period's end and is listed as scheduled; the renewal carries it out. S6: what is
/// used beyond the new limit is not taken away.
#[test]
fn a_downgrade_waits_for_the_periods_end() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("storage", 90));
    stage.done(
        "user:a",
        change_plan("basic", None, UsageAfterChange::Restart),
    );
    stage.done("user:a", consume("articles", 60));
    let held = stage.home.accounts[&id("user:a")]
        .terms
        .subscription
        .clone()
        .expect("subscribed");
    let scheduled = held.scheduled.expect("it is listed");
    assert_eq!(
        (scheduled.plan, scheduled.at),
        (plan_code("basic"), held.ends_at)
    );
    stage.now = held.ends_at;
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    assert_eq!(stage.remaining("user:a", "articles"), Some(50));
    assert_eq!(stage.standing("user:a", Scope::User, "storage"), (90, 0, 0));
    assert_eq!(stage.remaining("user:a", "storage"), Some(0));
    assert_eq!(
        stage.denied("user:a", consume("storage", 1)).reason,
        Reason::LimitReached
    );
}

/// S4: the next period is `[old end, new end)` also when it is paid for early: the running one goes on till its end.
#[test]
fn a_renewal_before_the_end_leaves_the_running_period_alone() {
    let mut stage = Stage::user("pro");
    let held = |stage: &Stage| {
        let account = &stage.home.accounts[&id("user:a")];
        account.terms.subscription.clone().expect("subscribed")
    };
    let end = held(&stage).ends_at;
    stage.done("user:a", consume("articles", 7));
    let before = stage.remaining("user:a", "articles");
    stage.now = end - TimeDelta::days(3);
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    assert_eq!(stage.remaining("user:a", "articles"), before);
    stage.now = end;
    stage.done("user:a", consume("articles", 1));
    assert!(stage.remaining("user:a", "articles") > before);
    stage.done("user:a", Command::Renew(Renew { ends_at: None }));
    assert_eq!(held(&stage).starts_at, end);
}

/// S5: a free plan renews by itself, and so a change at its period's end acts without anybody's doing.
#[test]
fn a_scheduled_change_of_a_free_plan_acts_by_itself() {
    let mut stage = Stage::user("free");
    let change = change_plan(
        "basic",
        Some(ChangeWhen::PeriodEnd),
        UsageAfterChange::Restart,
    );
    stage.done("user:a", change);
    assert_eq!(stage.remaining("user:a", "articles"), Some(5));
    stage.later(TimeDelta::days(31));
    assert_eq!(stage.remaining("user:a", "articles"), Some(50));
}

/// S9: the end is recorded once: consumable counters are gone but for what renewals carry, what is occupied stays, and
/// it is published.
#[test]
fn the_end_of_a_subscription_is_recorded_once() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("articles", 7));
    stage.done("user:a", consume("lessons", 6));
    stage.done("user:a", consume("storage", 30));
    let early = stage
        .run("user:a", Command::ExpireSubscription)
        .expect("it fits");
    assert_eq!(
        (early.operation.answer.clone(), early.is_booked),
        (Answer::Unchanged, false)
    );
    stage.later(TimeDelta::days(31) + TimeDelta::seconds(5));
    let expired = stage.done("user:a", Command::ExpireSubscription);
    assert_eq!(expired.kind, OperationKind::Close);
    let plan = plan_code("pro");
    assert_eq!(
        stage.events.last().expect("published").kind,
        EventKind::SubscriptionExpired { plan }
    );
    let books = &stage.home.accounts[&id("user:a")].books;
    let windows = books.balances.iter();
    let windows = windows.filter(|balance| matches!(&balance.bucket, Bucket::Window(..)));
    assert_eq!(
        windows.map(|balance| balance.used).sum::<u64>(),
        0,
        "consumables are at 0"
    );
    assert_eq!(stage.standing("user:a", Scope::User, "storage").0, 30);
    assert_eq!(stage.standing("user:a", Scope::User, "lessons").0, 6);
    assert_eq!(stage.lifetime("user:a", "lessons"), 6);
    let count = stage.events.len();
    let again = stage
        .run("user:a", Command::ExpireSubscription)
        .expect("it fits");
    assert_eq!(
        (again.operation.answer.clone(), stage.events.len()),
        (Answer::Unchanged, count)
    );
    assert_eq!(
        stage.denied("user:a", consume("articles", 1)).reason,
        Reason::SubscriptionExpired
    );
}

/// S9 and X3: what was consumed before the end was recorded is refunded without taking from what came after.
#[test]
fn a_refund_after_the_end_takes_nothing_from_what_came_after() {
    let mut stage = Stage::user("pro");
    let first = stage.done("user:a", consume("lessons", 6));
    stage.later(TimeDelta::days(31));
    stage.done("user:a", Command::ExpireSubscription);
    stage.done("user:a", crate::stage::subscribe("pro"));
    stage.done("user:a", consume("lessons", 2));
    stage.done("user:a", crate::stage::refund(first.id, None));
    assert_eq!(stage.remaining("user:a", "lessons"), Some(18));
}

/// W5: a new window is whole without any job; a job that is late or runs twice changes no answer.
#[test]
fn windows_roll_over_without_a_job() {
    let mut with_job = Stage::user("pro");
    let mut without = Stage::user("pro");
    for stage in [&mut with_job, &mut without] {
        stage.done("user:a", consume("requests", 10));
        assert_eq!(stage.denied("user:a", consume("requests", 1)).available, 0);
        stage.later(TimeDelta::days(2));
    }
    with_job.done("user:a", close_windows(Some(Cadence::Yearly)));
    assert_eq!(
        with_job.closed.len(),
        0,
        "it was asked for months and years only"
    );
    let closed = with_job.done("user:a", close_windows(Some(Cadence::Weekly)));
    assert_eq!(closed.kind, OperationKind::Close);
    let features = vec![code("requests")];
    assert_eq!(
        with_job.events.last().expect("published").kind,
        EventKind::QuotaReset { features }
    );
    let count = with_job.events.len();
    assert_eq!(
        with_job.done("user:a", close_windows(None)).answer,
        Answer::Unchanged
    );
    assert_eq!((with_job.events.len(), with_job.closed.len()), (count, 1));
    for stage in [&mut with_job, &mut without] {
        stage.done("user:a", consume("requests", 10));
        assert_eq!(stage.denied("user:a", consume("requests", 1)).available, 0);
    }
}

/// W5: a window in which something is held stays open for the job until that is settled.
#[test]
fn a_window_with_a_hold_is_not_closed() {
    let mut stage = Stage::user("pro");
    let held = stage.done("user:a", crate::stage::reserve("requests", 4, 900_000));
    stage.later(TimeDelta::days(2));
    assert_eq!(
        stage.done("user:a", close_windows(None)).answer,
        Answer::Unchanged
    );
    stage.done("user:a", crate::stage::commit(held.id, 3));
    stage.done("user:a", close_windows(None));
    assert_eq!(
        stage
            .closed
            .values()
            .map(|closed| closed.balance.used)
            .sum::<u64>(),
        3
    );
}

/// U5: switched on, nothing is denied from the next request on; switched off, what was used counts again.
#[test]
fn unlimited_acts_from_the_next_request_on() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("articles", 90));
    let switch = |unlimited| {
        let spec = quota_core::command::AccountSpec {
            unlimited: Some(unlimited),
            ..Default::default()
        };
        put_account(spec)
    };
    assert_eq!(
        stage.denied("user:a", consume("articles", 11)).available,
        10
    );
    stage.done("user:a", switch(true));
    stage.done("user:a", consume("articles", 5));
    assert_eq!(stage.remaining("user:a", "articles"), None);
    stage.done("user:a", switch(false));
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (95, 0, 0)
    );
    assert_eq!(stage.denied("user:a", consume("articles", 6)).available, 5);
}

/// U2: an unlimited user's use grows in every window and in the lifetime total, subscription or not.
#[test]
fn an_unlimited_users_use_is_counted_in_every_window_and_for_life() {
    let mut stage = Stage::org("");
    for (day, amount) in [(0, 1_000_000), (1, 2), (2, 3)] {
        stage.now = crate::stage::start() + TimeDelta::days(day);
        stage.done("user:a", consume("requests", amount));
        assert_eq!(
            stage.standing("user:a", Scope::User, "requests"),
            (amount, 0, 0)
        );
    }
    assert_eq!(stage.lifetime("user:a", "requests"), 1_000_005);
    stage.done("user:a", track("requests", 4));
    assert_eq!(stage.lifetime("user:a", "requests"), 1_000_009);
    stage.done(
        "user:a",
        Command::Reset(Reset {
            features: Vec::new(),
            token: None,
        }),
    );
    assert_eq!(stage.standing("user:a", Scope::User, "requests"), (0, 0, 0));
    assert_eq!(
        stage.lifetime("user:a", "requests"),
        1_000_009,
        "a reset does not lower it"
    );
}

/// S5 and R3: a window that was left and is come back to has its use and its holds again, however it is come back to.
#[test]
fn a_window_that_is_come_back_to_counts_on() {
    let mut stage = Stage::user("pro");
    let starts_at = Some(stage.now);
    stage.done("user:a", consume("articles", 60));
    let held = stage.done("user:a", crate::stage::reserve("articles", 30, 600));
    let status = quota_core::terms::Status::Unpaid;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    let anew = Command::Subscribe(Subscribe {
        starts_at,
        ..Subscribe::to(plan_code("pro"))
    });
    stage.done("user:a", anew);
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (60, 30, 0)
    );
    stage.done("user:a", crate::stage::commit(held.id, 10));
    stage.done("user:a", consume("articles", 30));
    assert_eq!(stage.denied("user:a", consume("articles", 1)).available, 0);
}

/// A user of a yearly plan with 100 articles a month, whose account began five days before the plan.
fn yearly() -> Stage {
    let mut stage = Stage::user("");
    stage.later(TimeDelta::days(5));
    let yearly = Command::Subscribe(Subscribe {
        ends_at: Some(stage.now + TimeDelta::days(365)),
        ..Subscribe::to(plan_code("pro"))
    });
    stage.done("user:a", yearly);
    stage
}

fn set_status(status: quota_core::terms::Status) -> Command {
    Command::SetStatus(SetStatus { status })
}

/// S2 and X3: what was used counts again although the window in between has rolled over since. What was tracked while
/// nothing was in force stays where that was counted.
#[test]
fn use_comes_back_after_the_window_in_between_rolled_over() {
    use quota_core::terms::Status::{Active, Unpaid};
    let mut stage = yearly();
    stage.done("user:a", consume("articles", 100));
    stage.later(TimeDelta::days(24));
    stage.done("user:a", set_status(Unpaid));
    stage.later(TimeDelta::days(3));
    assert_eq!(stage.standing("user:a", Scope::User, "articles").0, 0);
    stage.done("user:a", track("articles", 7));
    stage.done("user:a", set_status(Active));
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (100, 0, 0)
    );
    assert_eq!(stage.denied("user:a", consume("articles", 1)).available, 0);
    assert_eq!(stage.lifetime("user:a", "articles"), 107);
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// X4: what is occupied may be given back while nothing is in force, and counts less from then on.
#[test]
fn what_is_given_back_meanwhile_is_free_later() {
    use quota_core::terms::Status::{Active, Unpaid};
    let mut stage = yearly();
    stage.done("user:a", consume("albums", 5));
    stage.done("user:a", set_status(Unpaid));
    stage.done("user:a", crate::stage::release_capacity("albums", 2));
    stage.done("user:a", set_status(Active));
    assert_eq!(stage.remaining("user:a", "albums"), Some(2));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// X4 and S2: also when the grace had run out before anybody said so.
#[test]
fn what_is_given_back_after_the_grace_is_free_later() {
    use quota_core::terms::Status::{Active, PastDue};
    let mut stage = yearly();
    stage.done("user:a", consume("albums", 5));
    stage.done("user:a", set_status(PastDue));
    stage.later(TimeDelta::days(5));
    assert_eq!(stage.remaining("user:a", "albums"), None, "not in force");
    stage.done("user:a", crate::stage::release_capacity("albums", 4));
    stage.done("user:a", set_status(Active));
    assert_eq!(stage.remaining("user:a", "albums"), Some(4));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// C5, S4 and W1: what was occupied in one period is not charged to a later one, however often the status changes.
#[test]
fn no_capacity_of_one_period_is_charged_to_a_later_one() {
    use quota_core::terms::Status::{Active, Unpaid};
    for comes_back_early in [false, true] {
        let mut stage = Stage::user("pro");
        stage.done("user:a", consume("albums", 4));
        stage.done("user:a", set_status(Unpaid));
        if comes_back_early {
            stage.done("user:a", set_status(Active));
            stage.done("user:a", set_status(Unpaid));
        }
        stage.later(TimeDelta::days(40));
        stage.done("user:a", Command::Renew(Renew { ends_at: None }));
        stage.done("user:a", consume("albums", 3));
        stage.done("user:a", set_status(Unpaid));
        stage.done("user:a", set_status(Active));
        assert_eq!(stage.remaining("user:a", "albums"), Some(2));
        assert_eq!(quota_core::audit::audit(&stage.records()), []);
    }
}

/// W1, W4 and S4: whoever comes back in a later window finds it whole: what was used before counts where it was used.
#[test]
fn no_use_of_one_window_is_charged_to_the_next() {
    use quota_core::terms::Status::{Active, Unpaid};
    let mut stage = yearly();
    stage.done("user:a", consume("articles", 100));
    stage.later(TimeDelta::days(28));
    stage.done("user:a", set_status(Unpaid));
    stage.later(TimeDelta::days(4));
    stage.done("user:a", set_status(Active));
    let articles = stage.standing("user:a", Scope::User, "articles");
    assert_eq!(articles, (0, 0, 0));
    stage.done("user:a", consume("articles", 100));
    assert_eq!(stage.denied("user:a", consume("articles", 1)).available, 0);
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// R3 and R4: so do holds: they can be settled, and their deadline refuses nothing.
#[test]
fn holds_come_back_after_the_window_in_between_rolled_over() {
    use quota_core::terms::Status::{Active, Unpaid};
    let mut stage = yearly();
    let held = stage.done("user:a", crate::stage::reserve("articles", 60, 2_000_000));
    let other = stage.done("user:a", crate::stage::reserve("articles", 40, 2_000_000));
    stage.later(TimeDelta::days(22));
    stage.done("user:a", set_status(Unpaid));
    stage.later(TimeDelta::days(1));
    let longer = Command::Extend(Extend {
        reservation: other.id,
        ttl_seconds: 900_000,
    });
    stage.done("user:a", longer);
    let longer = Command::Extend(Extend {
        reservation: held.id,
        ttl_seconds: 900_000,
    });
    stage.done("user:a", longer);
    stage.later(TimeDelta::days(4));
    stage.done("user:a", set_status(Active));
    assert_eq!(
        stage.standing("user:a", Scope::User, "articles"),
        (0, 100, 0)
    );
    stage.done("user:a", crate::stage::commit(held.id, 50));
    stage.later(TimeDelta::days(30));
    stage.done("user:a", consume("articles", 1));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}
