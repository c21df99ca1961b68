//! Starts that wait, periods paid ahead, and cancellations that are taken back (S5, S8).

use crate::stage::{Stage, consume, id, plan_code, subscribe};
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::answer::{Answer, Rejection};
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, Command, Renew, SetStatus, Subscribe, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::operation::Operation;
use quota_core::terms::{PERIODS_AHEAD_MAX, Status, Subscription};

const RENEW: Command = Command::Renew(Renew { ends_at: None });
const CANCEL: Command = Command::Cancel(Cancel { at_once: false });

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

fn held(stage: &Stage) -> Subscription {
    let account = &stage.home.accounts[&id("user:a")];
    let stored = account.terms.subscription.as_ref().expect("subscribed");
    stored.current(&stage.catalog, stage.now).into_owned()
}

fn start_at(plan: &str, starts_at: DateTime<Utc>) -> Command {
    Command::Subscribe(Subscribe {
        starts_at: Some(starts_at),
        ..Subscribe::to(plan_code(plan))
    })
}

fn change_plan(plan: &str, when: Option<ChangeWhen>) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when,
        usage: UsageAfterChange::Restart,
    })
}

fn detail(done: Operation) -> String {
    let Answer::Changed { detail, .. } = done.answer else {
        unreachable!("expected a change")
    };
    detail.expect("it is said")
}

fn refused(stage: &mut Stage, command: Command) -> Rejection {
    stage.run("user:a", command).expect_err("it does not fit")
}

/// A user of `plan` that began on 31 March.
fn from_31_march(plan: &str) -> Stage {
    let mut stage = Stage::user("");
    stage.now = at("2027-03-31T12:00:00Z");
    stage.done("user:a", subscribe(plan));
    stage
}

/// S8 and E41: a start in the future waits behind what runs, which goes on to its end; the answer says when it begins.
#[test]
fn a_start_in_the_future_waits_behind_what_runs() {
    let mut stage = from_31_march("pro");
    let end = at("2027-04-30T12:00:00Z");
    stage.done("user:a", consume("articles", 40));
    let said = detail(stage.done("user:a", start_at("basic", end)));
    assert!(
        said.contains("; then basic from 2027-04-30T12:00:00"),
        "{said}"
    );
    assert!(!said.contains("dropped"), "{said}");
    stage.done("user:a", consume("articles", 1));
    assert_eq!(stage.remaining("user:a", "articles"), Some(59));
    stage.now = end;
    stage.done("user:a", consume("articles", 1));
    assert_eq!(stage.remaining("user:a", "articles"), Some(49));
    assert_eq!(held(&stage).ends_at, at("2027-05-30T12:00:00Z"));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// S8: a start that is asked for earlier begins at the end of what is paid for; one for later leaves a gap.
#[test]
fn what_is_paid_for_is_never_cut() {
    let (end, gap) = (at("2027-04-30T12:00:00Z"), at("2027-05-10T00:00:00Z"));
    for (asked, begins) in [(at("2027-04-10T00:00:00Z"), end), (gap, gap)] {
        let mut stage = from_31_march("pro");
        let said = detail(stage.done("user:a", start_at("basic", asked)));
        assert!(said.contains(&quota_core::instant::text(&begins)), "{said}");
        stage.now = asked.min(end - TimeDelta::seconds(1));
        assert_eq!(stage.remaining("user:a", "articles"), Some(100));
        stage.now = begins - TimeDelta::seconds(1);
        if begins != end {
            let denied = stage.denied("user:a", consume("articles", 1));
            assert_eq!(denied.reason, Reason::SubscriptionExpired);
        }
        stage.now = begins;
        assert_eq!(stage.remaining("user:a", "articles"), Some(50));
    }
}

/// S7 and S8: a free plan that renews by itself has no paid end: the new plan takes over when it is to start.
#[test]
fn a_start_in_the_future_takes_over_from_a_free_plan() {
    let mut stage = from_31_march("free");
    let turn = at("2027-04-10T00:00:00Z");
    stage.done("user:a", start_at("pro", turn));
    let denied = stage.denied("user:a", consume("articles", 6));
    assert_eq!(denied.resets_at, Some(turn), "W6");
    stage.now = turn;
    stage.done("user:a", consume("articles", 100));
    stage.now = at("2027-05-11T00:00:00Z");
    stage.denied("user:a", consume("articles", 1));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// S5 and S8: an answer says once what follows, and of what runs only the time that is left to it.
#[test]
fn what_follows_is_said_once() {
    let mut stage = from_31_march("free");
    let said = detail(stage.done("user:a", start_at("pro", at("2027-04-10T00:00:00Z"))));
    let (first, turn) = ("2027-03-31T12:00:00Z", "2027-04-10T00:00:00Z");
    let expected =
        format!("free from {first} to {turn}; then pro from {turn} to 2027-05-10T00:00:00Z");
    assert_eq!(said, expected);
    let mut stage = from_31_march("pro");
    let said = detail(stage.done("user:a", change_plan("free", None)));
    let end = "2027-04-30T12:00:00Z";
    let expected =
        format!("pro from {first} to {end}; then free from {end} to 2027-05-31T12:00:00Z");
    assert_eq!(said, expected);
}

/// S8: a start in the future leaves a cancellation of what runs as it is, and a change that waited gives way to it.
#[test]
fn a_start_in_the_future_leaves_a_cancellation_as_it_is() {
    let mut stage = from_31_march("pro");
    let (end, later) = (at("2027-04-30T12:00:00Z"), at("2027-05-20T00:00:00Z"));
    stage.done("user:a", CANCEL);
    stage.done("user:a", start_at("basic", later));
    stage.now = end;
    stage.denied("user:a", consume("articles", 1));
    stage.now = later;
    stage.done("user:a", consume("articles", 50));
    stage.done("user:a", change_plan("free", None));
    let said = detail(stage.done("user:a", start_at("pro", later + TimeDelta::days(60))));
    assert!(!said.contains("dropped"), "free follows, then pro: {said}");
    let mut stage = from_31_march("pro");
    stage.done("user:a", change_plan("basic", None));
    let said = detail(stage.done("user:a", start_at("pro", end)));
    assert!(said.contains("; the change to basic at "), "{said}");
}

/// S8: periods that are paid ahead queue; each renewal adds one behind the last, from the anchor (W2).
#[test]
fn periods_paid_ahead_queue_up_to_their_bound() {
    let mut stage = from_31_march("pro");
    for _ in 0..PERIODS_AHEAD_MAX {
        stage.done("user:a", RENEW);
    }
    let full = Rejection::PeriodsAheadFull { most: 24 };
    assert_eq!(refused(&mut stage, RENEW), full);
    let behind = start_at("basic", at("2030-01-01T00:00:00Z"));
    assert_eq!(refused(&mut stage, behind), full);
    let chain = held(&stage);
    let ends: Vec<_> = chain.chain().map(|one| one.ends_at).collect();
    assert_eq!(
        ends[..3],
        [
            "2027-04-30T12:00:00Z",
            "2027-05-31T12:00:00Z",
            "2027-06-30T12:00:00Z"
        ]
        .map(at)
    );
    assert_eq!(ends.last(), Some(&at("2029-04-30T12:00:00Z")));
    for end in ends {
        stage.now = end - TimeDelta::seconds(1);
        stage.done("user:a", consume("articles", 100));
    }
    stage.later(TimeDelta::seconds(1));
    stage.denied("user:a", consume("articles", 1));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// S8: canceled at the period's end, what is paid ahead runs to its end; at once, nothing of it is left, and that is said.
#[test]
fn a_cancellation_leaves_what_is_paid_ahead() {
    let mut stage = from_31_march("pro");
    for _ in 0..2 {
        stage.done("user:a", RENEW);
    }
    stage.done("user:a", CANCEL);
    let end = at("2027-06-30T12:00:00Z");
    assert_eq!(held(&stage).canceled_at(), Some(end));
    let canceled = Rejection::Canceled { ends_at: end };
    assert_eq!(refused(&mut stage, RENEW), canceled);
    stage.now = end - TimeDelta::seconds(1);
    stage.done("user:a", consume("articles", 1));
    stage.now = end;
    stage.denied("user:a", consume("articles", 1));
    let mut stage = from_31_march("pro");
    for _ in 0..2 {
        stage.done("user:a", RENEW);
    }
    let at_once = Command::Cancel(Cancel { at_once: true });
    let said = detail(stage.done("user:a", at_once));
    assert!(
        said.contains("; 2 periods, paid ahead to 2027-06-30"),
        "{said}"
    );
    stage.denied("user:a", consume("articles", 1));
    stage.now = end - TimeDelta::days(1);
    stage.denied("user:a", consume("articles", 1));
}

/// S1 and S8: a status that is set stands in all that is paid ahead.
#[test]
fn a_status_stands_in_all_that_is_paid_ahead() {
    let mut stage = from_31_march("pro");
    for _ in 0..3 {
        stage.done("user:a", RENEW);
    }
    let status = Status::Unpaid;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    let statuses: Vec<_> = held(&stage).chain().map(|one| one.status).collect();
    assert_eq!(statuses, [Status::Unpaid; 4]);
}

/// S5 and S8: a start now in place of what runs says what it drops: time and periods that were paid for, and a change.
#[test]
fn a_start_now_says_what_it_drops() {
    let mut stage = from_31_march("pro");
    stage.done("user:a", RENEW);
    stage.done("user:a", change_plan("free", None));
    let said = detail(stage.done("user:a", subscribe("basic")));
    for lost in [
        "; pro, paid for to 2027-04-30T12:00:00",
        "; pro, paid ahead to 2027-05-31T12:00:00",
        "; the change to free at 2027-05-31T12:00:00",
    ] {
        assert!(said.contains(lost), "{lost} in {said}");
    }
}

/// S8 and E42: resumed, a cancellation has never been: use, period and anchor are what they were, and it renews.
#[test]
fn a_cancellation_is_taken_back() {
    for plan in ["pro", "free"] {
        let mut stage = from_31_march(plan);
        let before = held(&stage);
        stage.done("user:a", consume("articles", 4));
        stage.done("user:a", CANCEL);
        stage.later(TimeDelta::days(3));
        stage.done("user:a", Command::Resume);
        assert_eq!(held(&stage), before, "{plan}");
        assert_eq!(stage.standing("user:a", Scope::User, "articles").0, 4);
        stage.now = before.ends_at;
        stage.done("user:a", RENEW);
        stage.done("user:a", consume("articles", 5));
    }
}

/// S8: where there is nothing to take back, or it has acted, the error says in which state that is.
#[test]
fn what_cannot_be_resumed_says_its_state() {
    let mut stage = Stage::user("");
    assert_eq!(
        refused(&mut stage, Command::Resume),
        Rejection::NoSubscription
    );
    let mut stage = from_31_march("pro");
    let status = Status::Active;
    assert_eq!(
        refused(&mut stage, Command::Resume),
        Rejection::NotCanceled { status }
    );
    let end = at("2027-04-30T12:00:00Z");
    stage.done("user:a", CANCEL);
    stage.now = end;
    for command in [Command::Resume, RENEW, change_plan("max", None)] {
        let refused = refused(&mut stage, command);
        assert_eq!(
            refused,
            Rejection::Ended {
                ended_at: end,
                was_canceled: true
            }
        );
        assert!(
            refused.to_string().contains("2027-04-30T12:00:00"),
            "{refused}"
        );
    }
    let mut stage = from_31_march("pro");
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    let ended_at = stage.now;
    stage.later(TimeDelta::days(1));
    let ended = Rejection::Ended {
        ended_at,
        was_canceled: true,
    };
    assert_eq!(refused(&mut stage, Command::Resume), ended);
}

/// S5 and S8: what needs a subscription in force says which one it met.
#[test]
fn an_error_names_the_state_that_it_met() {
    let change = || change_plan("max", None);
    let mut stage = from_31_march("pro");
    let end = held(&stage).ends_at;
    stage.done("user:a", CANCEL);
    assert_eq!(
        refused(&mut stage, RENEW),
        Rejection::Canceled { ends_at: end }
    );
    let mut stage = from_31_march("pro");
    stage.now = end;
    assert_eq!(
        refused(&mut stage, change()),
        Rejection::Ended {
            ended_at: end,
            was_canceled: false
        }
    );
    stage.done("user:a", RENEW);
    let status = Status::Unpaid;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    assert_eq!(refused(&mut stage, change()), Rejection::NotPaid { status });
    let mut stage = Stage::user("");
    let starts_at = stage.now + TimeDelta::days(1);
    stage.done("user:a", start_at("pro", starts_at));
    assert_eq!(
        refused(&mut stage, change()),
        Rejection::NotBegun { starts_at }
    );
}

/// S5 and E43: a change at the period's end leaves the anchor's day as it was.
#[test]
fn a_change_at_the_periods_end_leaves_the_anchors_day() {
    for (plan, limit) in [("basic", 50), ("free", 5)] {
        let mut stage = from_31_march("pro");
        stage.done("user:a", change_plan(plan, None));
        stage.now = at("2027-04-30T12:00:00Z");
        stage.done("user:a", RENEW);
        assert_eq!(stage.remaining("user:a", "articles"), Some(limit));
        let period = held(&stage).period(stage.now);
        assert_eq!(period.starts_at, stage.now);
        assert_eq!(period.ends_at, Some(at("2027-05-31T12:00:00Z")), "{plan}");
    }
}

/// S5 and E44: what is dearer for a day but shorter waits for the end of what is paid for; a longer one acts at once.
#[test]
fn a_shorter_plan_waits_for_the_end_of_what_is_paid() {
    let mut stage = Stage::user("max");
    let year = held(&stage).ends_at;
    let plans = stage.catalog.plans.get_mut(&plan_code("pro"));
    plans.expect("in the catalog")[0].price = 9_000;
    let said = detail(stage.done("user:a", change_plan("pro", None)));
    assert!(!said.contains("dropped"), "{said}");
    let scheduled = held(&stage).scheduled.expect("it waits");
    assert_eq!((scheduled.plan, scheduled.at), (plan_code("pro"), year));
    let mut stage = Stage::user("basic");
    let said = detail(stage.done("user:a", change_plan("max", None)));
    assert_eq!(held(&stage).plan, plan_code("max"));
    assert!(said.contains("; basic, paid for to "), "{said}");
}

/// F7: an account that never had a subscription is told so where nothing else could ever pay.
#[test]
fn who_never_had_a_subscription_is_told_so() {
    let mut stage = Stage::user("");
    let reason = |stage: &mut Stage, feature| stage.denied("user:a", consume(feature, 9)).reason;
    assert_eq!(reason(&mut stage, "articles"), Reason::NoSubscription);
    assert_eq!(reason(&mut stage, "renders"), Reason::CreditsExhausted);
    // One that was canceled before it began was none.
    stage.done("user:a", start_at("pro", stage.now + TimeDelta::days(2)));
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.later(TimeDelta::days(3));
    assert_eq!(reason(&mut stage, "articles"), Reason::NoSubscription);
    stage.done("user:a", subscribe("basic"));
    assert_eq!(reason(&mut stage, "lessons"), Reason::NotInPlan);
    stage.later(TimeDelta::days(40));
    assert_eq!(reason(&mut stage, "lessons"), Reason::SubscriptionExpired);
}
