//! The plan that accounts have by themselves, and the one trial in a life (C14, S13).

use crate::stage::{Stage, consume, id, plan_code, put_account, start, subscribe};
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::answer::{Answer, Rejection};
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, CloseWindows, Command, Renew, SetSeats, SetStatus,
    Subscribe, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::event::EventKind;
use quota_core::quantity::Quantity;
use quota_core::terms::{Status, Subscription};

const RENEW: Command = Command::Renew(Renew { ends_at: None });

fn cancel(at_once: bool) -> Command {
    Command::Cancel(Cancel { at_once })
}

/// The subscription by which a request is decided now: the stored one, what followed it, or the default plan.
fn held(stage: &Stage) -> Subscription {
    let account = &stage.home.accounts[&id("user:a")];
    let stored = account.terms.subscription.as_ref().expect("subscribed");
    stored.current(&stage.catalog, stage.now).into_owned()
}

fn span(stage: &Stage) -> (String, Status, DateTime<Utc>, Option<DateTime<Utc>>) {
    let held = held(stage);
    let period = held.period(stage.now);
    (
        held.plan.to_string(),
        held.status,
        period.starts_at,
        period.ends_at,
    )
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// A new user, where `free` is the default plan and `pro` may be tried for 14 days.
fn fresh() -> Stage {
    let mut stage = Stage::new("user:a");
    stage.catalog.default_plan = Some(plan_code("free"));
    stage.with_trial("pro", 14);
    stage.done("user:a", put_account(AccountSpec::default()));
    stage
}

fn with_trial(plan: &str, trial: Option<bool>, status: Option<Status>) -> Command {
    Command::Subscribe(Subscribe {
        trial,
        status,
        ..Subscribe::to(plan_code(plan))
    })
}

fn refused(stage: &mut Stage, command: Command) -> Rejection {
    stage.run("user:a", command).expect_err("it does not fit")
}

/// C14: a new account has the default plan from its making on, and it renews by itself (S7). One that was there before the
/// catalog named one has none.
#[test]
fn a_new_account_has_the_default_plan() {
    let mut stage = fresh();
    stage.done("user:a", consume("articles", 5));
    let denial = stage.denied("user:a", consume("articles", 1));
    let month_later = Some(at("2027-04-10T12:00:00Z"));
    assert_eq!(
        (denial.reason, denial.resets_at),
        (Reason::LimitReached, month_later)
    );
    let free = ("free".to_owned(), Status::Active, start(), month_later);
    assert_eq!(span(&stage), free);
    stage.later(TimeDelta::days(31));
    assert_eq!(stage.remaining("user:a", "articles"), Some(5));
    let mut before = Stage::user("");
    before.catalog.default_plan = Some(plan_code("free"));
    let denial = before.denied("user:a", consume("articles", 1));
    assert_eq!(denial.reason, Reason::NoSubscription);
}

/// C14: a subscription that ended is followed by the default plan from that instant on, whether or not the job has recorded
/// the end (S9), which it tells as ever. A payment that comes late brings the paid plan back (S4).
#[test]
fn an_account_falls_back_when_its_subscription_has_ended() {
    for is_recorded in [false, true] {
        let mut stage = fresh();
        stage.done("user:a", with_trial("pro", Some(false), None));
        stage.done("user:a", consume("articles", 80));
        let end = at("2027-04-10T12:00:00Z");
        stage.later(end - start() - TimeDelta::seconds(1));
        assert_eq!(stage.remaining("user:a", "articles"), Some(20));
        stage.later(TimeDelta::seconds(1));
        if is_recorded {
            stage.done("user:a", Command::ExpireSubscription);
            stage.done("user:a", Command::CloseWindows(CloseWindows::default()));
            let told = stage.events.iter().map(|event| &event.kind);
            let plan = plan_code("pro");
            let expired = EventKind::SubscriptionExpired { plan };
            assert_eq!(told.filter(|kind| **kind == expired).count(), 1);
        }
        let free = (
            "free".to_owned(),
            Status::Active,
            end,
            Some(at("2027-05-10T12:00:00Z")),
        );
        assert_eq!(span(&stage), free, "recorded: {is_recorded}");
        stage.done("user:a", consume("articles", 4));
        assert_eq!(stage.remaining("user:a", "articles"), Some(1));
        stage.later(TimeDelta::days(3));
        stage.done("user:a", RENEW);
        let pro = (
            "pro".to_owned(),
            Status::Active,
            end,
            Some(at("2027-05-10T12:00:00Z")),
        );
        assert_eq!(span(&stage), pro);
        assert_eq!(quota_core::audit::audit(&stage.records()), []);
    }
}

/// C14: canceled at once, the default plan counts at once. It cannot be canceled itself: the account would have it again, with
/// whole allowances. Blocking is done with a status, which has no end.
#[test]
fn the_default_plan_is_not_canceled() {
    let mut stage = fresh();
    stage.done("user:a", with_trial("pro", Some(false), None));
    stage.later(TimeDelta::days(4));
    stage.done("user:a", cancel(true));
    assert_eq!(held(&stage).plan, plan_code("free"));
    assert_eq!(held(&stage).starts_at, stage.now);
    stage.done("user:a", consume("articles", 5));
    for at_once in [false, true] {
        let why = Rejection::DefaultPlan(plan_code("free"));
        assert_eq!(refused(&mut stage, cancel(at_once)), why);
    }
    let over = Rejection::Ended {
        ended_at: stage.now,
        was_canceled: true,
    };
    assert_eq!(refused(&mut stage, Command::Resume), over);
    assert_eq!(stage.remaining("user:a", "articles"), Some(0));
    let status = Status::Unpaid;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    stage.later(TimeDelta::days(400));
    let denial = stage.denied("user:a", consume("articles", 1));
    assert_eq!(denial.reason, Reason::SubscriptionExpired);
}

/// C14: who fell back pays again by a change of plan, as from any free plan (S5).
#[test]
fn a_change_of_plan_starts_from_the_default_plan() {
    let mut stage = fresh();
    stage.done("user:a", with_trial("pro", Some(false), None));
    stage.later(TimeDelta::days(40));
    let change = ChangePlan {
        plan: plan_code("basic"),
        when: None,
        usage: UsageAfterChange::Restart,
    };
    stage.done("user:a", Command::ChangePlan(change));
    assert_eq!(
        (held(&stage).plan, held(&stage).starts_at),
        (plan_code("basic"), stage.now)
    );
}

/// S13: the first subscription to a plan with a trial begins with it, no later one does unasked; an operator may say
/// otherwise.
#[test]
fn an_account_has_one_trial() {
    let mut stage = fresh();
    stage.done("user:a", subscribe("pro"));
    let end = Some(at("2027-03-24T12:00:00Z"));
    let trial = ("pro".to_owned(), Status::Trialing, start(), end);
    assert_eq!(span(&stage), trial);
    stage.done("user:a", consume("articles", 100));
    stage.later(TimeDelta::days(14));
    assert_eq!(held(&stage).plan, plan_code("free"));
    stage.done("user:a", subscribe("pro"));
    let month_later = Some(at("2027-04-24T12:00:00Z"));
    let paid = ("pro".to_owned(), Status::Active, stage.now, month_later);
    assert_eq!(span(&stage), paid);
    stage.done("user:a", with_trial("pro", Some(true), None));
    assert_eq!(held(&stage).status, Status::Trialing);
    assert_eq!(held(&stage).ends_at, stage.now + TimeDelta::days(14));
}

/// S13: what is said counts: an end, a status, or that there be none. Unasked, the trial is one for those that had no plan with
/// one: it takes no paid month from anybody.
#[test]
fn a_trial_is_not_begun_where_something_else_is_said() {
    for (trial, status) in [(Some(false), None), (None, Some(Status::Active))] {
        let mut stage = fresh();
        stage.done("user:a", with_trial("pro", trial, status));
        assert_eq!(held(&stage).status, Status::Active);
        assert_eq!(held(&stage).ends_at, at("2027-04-10T12:00:00Z"));
        stage.done("user:a", consume("articles", 5));
        stage.later(TimeDelta::days(2));
        stage.done("user:a", subscribe("pro"));
        assert_eq!(held(&stage).status, Status::Active);
        // Nor is it forgotten with another plan in between.
        stage.done("user:a", subscribe("basic"));
        stage.done("user:a", subscribe("pro"));
        assert_eq!(held(&stage).status, Status::Active);
        stage.done("user:a", with_trial("pro", Some(true), None));
        assert_eq!(held(&stage).status, Status::Trialing);
    }
    let mut stage = fresh();
    let with_end = Command::Subscribe(Subscribe {
        ends_at: Some(stage.now + TimeDelta::days(3)),
        ..Subscribe::to(plan_code("pro"))
    });
    stage.done("user:a", with_end);
    assert_eq!(held(&stage).status, Status::Active);
    let none = Rejection::NoTrial(plan_code("basic"));
    assert_eq!(
        refused(&mut stage, with_trial("basic", Some(true), None)),
        none
    );
    for (trial, status) in [(true, Status::Active), (false, Status::Trialing)] {
        let both = with_trial("pro", Some(trial), Some(status));
        let against = Rejection::TrialAgainstStatus { status };
        assert_eq!(refused(&mut stage, both), against);
    }
}

/// S13: what was not paid is none that the account had; and a plan that gets a trial later gives none to who has it.
#[test]
fn who_has_or_had_the_plan_is_given_no_trial_unasked() {
    let mut stage = fresh();
    stage.done("user:a", with_trial("pro", None, Some(Status::Unpaid)));
    stage.done("user:a", subscribe("pro"));
    assert_eq!(held(&stage).status, Status::Trialing);

    let mut stage = Stage::user("pro");
    stage.with_trial("pro", 14);
    stage.later(TimeDelta::days(2));
    stage.done("user:a", subscribe("pro"));
    assert_eq!(held(&stage).status, Status::Active);
}

fn change_plan(plan: &str) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Restart,
    })
}

fn said(stage: &mut Stage, command: Command) -> String {
    let Answer::Changed { detail, .. } = stage.done("user:a", command).answer else {
        unreachable!("expected a change")
    };
    detail.expect("it is said")
}

/// S5 and S13: out of a trial, a plan without one is sold from now on; to a plan that has one the trial goes on, and no longer
/// than it would have. What is dropped is called what it is.
#[test]
fn a_change_of_plan_out_of_a_trial_gives_no_unpaid_month() {
    let mut stage = fresh();
    stage.done("user:a", subscribe("pro"));
    let trial_ends = Some(at("2027-03-24T12:00:00Z"));
    stage.later(TimeDelta::days(4));
    let told = said(&mut stage, change_plan("max"));
    assert!(
        told.ends_with("; the trial of pro, to 2027-03-24T12:00:00Z, is dropped"),
        "{told}"
    );
    let year = Some(at("2028-03-14T12:00:00Z"));
    let sold = ("max".to_owned(), Status::Active, stage.now, year);
    assert_eq!(span(&stage), sold);

    let mut stage = fresh();
    stage.with_trial("max", 30);
    stage.done("user:a", subscribe("pro"));
    stage.later(TimeDelta::days(4));
    stage.done("user:a", change_plan("max"));
    let tried = ("max".to_owned(), Status::Trialing, stage.now, trial_ends);
    assert_eq!(span(&stage), tried);
    stage.later(TimeDelta::days(10));
    assert_eq!(held(&stage).plan, plan_code("free"));
}

/// S8: a start in the past whose period is over already would end what runs and give nothing: it is refused, with the field
/// that says so. One that renews by itself still runs.
#[test]
fn a_start_whose_period_is_over_is_refused() {
    let mut stage = fresh();
    stage.done("user:a", subscribe("basic"));
    stage.done("user:a", consume("articles", 5));
    stage.later(TimeDelta::days(4));
    let before = stage.records();
    let (early, end) = (at("2020-01-01T00:00:00Z"), at("2020-02-01T00:00:00Z"));
    let start = |plan: &str, ends_at| {
        Command::Subscribe(Subscribe {
            starts_at: Some(early),
            ends_at,
            ..Subscribe::to(plan_code(plan))
        })
    };
    let over = |field, ended_at| Rejection::OverAlready { field, ended_at };
    for (plan, ends_at, why) in [
        ("basic", None, over("starts_at", end)),
        ("pro", None, over("starts_at", early + TimeDelta::days(14))),
        ("basic", Some(stage.now), over("ends_at", stage.now)),
        ("free", Some(end), over("ends_at", end)),
    ] {
        assert_eq!(refused(&mut stage, start(plan, ends_at)), why);
        assert_eq!(why.code(), "over_already");
    }
    assert_eq!(stage.records(), before);
    // Where nothing runs it is the record of one that was.
    let mut other = fresh();
    let told = said(&mut other, start("basic", Some(end)));
    let with_status = Command::Subscribe(Subscribe {
        starts_at: Some(early),
        status: Some(Status::Active),
        ..Subscribe::to(plan_code("basic"))
    });
    assert_eq!(
        refused(&mut stage, with_status.clone()),
        over("starts_at", end)
    );
    assert_eq!(said(&mut fresh(), with_status), told);
    let was = "basic from 2020-01-01T00:00:00Z to 2020-02-01T00:00:00Z; ended at 2020-02-01T00:00:00Z already";
    assert_eq!(told, was);
    assert_eq!(held(&other).plan, plan_code("free"));
    let later = stage.now + TimeDelta::days(1);
    stage.done("user:a", start("basic", Some(later)));
    stage.done("user:a", start("free", None));
    stage.done("user:a", subscribe("pro"));
    assert_eq!(held(&stage).status, Status::Trialing);
}

/// S13: a renewal puts a paid period behind the trial, and the billing day is that of its start.
#[test]
fn a_paid_period_follows_a_trial() {
    let mut stage = fresh();
    stage.done("user:a", subscribe("pro"));
    stage.later(TimeDelta::days(5));
    stage.done("user:a", RENEW);
    assert_eq!(held(&stage).status, Status::Trialing);
    stage.later(TimeDelta::days(9));
    let (begins, ends) = (at("2027-03-24T12:00:00Z"), at("2027-04-24T12:00:00Z"));
    let paid = ("pro".to_owned(), Status::Active, begins, Some(ends));
    assert_eq!(span(&stage), paid);
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
}

/// How often the end of a plan was told.
fn told_ends(stage: &Stage, plan: &str) -> usize {
    let plan = plan_code(plan);
    let expired = EventKind::SubscriptionExpired { plan };
    let told = stage.events.iter().map(|event| &event.kind);
    told.filter(|kind| **kind == expired).count()
}

/// S9 and C14: each end is told once, whichever command sees it first: the job, or one that goes on from the default plan that
/// the account fell back to, or from a new start; and before what that command did.
#[test]
fn an_end_is_told_once_whichever_command_sees_it_first() {
    let seats = Command::SetSeats(SetSeats {
        seats: Quantity::new(3).expect("in range"),
    });
    let status = Command::SetStatus(SetStatus {
        status: Status::Unpaid,
    });
    let expire = Command::ExpireSubscription;
    for first in [
        seats,
        status,
        change_plan("basic"),
        subscribe("basic"),
        expire.clone(),
    ] {
        let mut stage = fresh();
        stage.done("user:a", with_trial("pro", Some(false), None));
        stage.later(TimeDelta::days(32));
        let before = stage.events.len();
        stage.done("user:a", first.clone());
        assert_eq!(told_ends(&stage, "pro"), 1, "{first:?}");
        let plan = plan_code("pro");
        let told = &stage.events[before].kind;
        assert_eq!(*told, EventKind::SubscriptionExpired { plan }, "{first:?}");
        for _ in 0..2 {
            let _unchanged = stage.run("user:a", expire.clone());
        }
        stage.later(TimeDelta::days(1));
        stage.done("user:a", subscribe("max"));
        assert_eq!(told_ends(&stage, "pro"), 1, "{first:?}");
        let numbers: Vec<u64> = stage.events.iter().map(|event| event.number).collect();
        let expected: Vec<u64> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, expected, "Y6: they grow by one");
    }
}

/// S9 and S8: canceled at once it ended, and what follows at the same instant tells it too; what has not ended is not told, nor
/// is an end that a late renewal takes back, and a status that is refused leaves it to the job.
#[test]
fn what_did_not_end_is_not_told() {
    let mut stage = fresh();
    stage.done("user:a", with_trial("pro", Some(false), None));
    stage.done("user:a", subscribe("basic"));
    assert_eq!(told_ends(&stage, "pro"), 0, "its place was taken");
    stage.later(TimeDelta::days(1));
    stage.done("user:a", cancel(true));
    stage.done("user:a", subscribe("pro"));
    assert_eq!(told_ends(&stage, "basic"), 1);
    stage.later(TimeDelta::days(40));
    stage.done("user:a", RENEW);
    assert_eq!(told_ends(&stage, "pro"), 0, "renewed");

    let mut stage = Stage::user("pro");
    stage.later(TimeDelta::days(40));
    let status = Status::PastDue;
    let refused = stage.run("user:a", Command::SetStatus(SetStatus { status }));
    assert!(refused.is_err(), "it has ended");
    assert_eq!(told_ends(&stage, "pro"), 0);
    stage.done("user:a", Command::ExpireSubscription);
    assert_eq!(told_ends(&stage, "pro"), 1);
}
