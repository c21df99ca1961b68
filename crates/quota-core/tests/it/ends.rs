//! Ends that are set, by a cancellation or from the start, and what moves them: nothing does so unsaid (S5, S7, S8).

use crate::stage::{Stage, consume, id, plan_code, subscribe};
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::answer::{Answer, Rejection};
use quota_core::catalog::{CatalogFile, Plan};
use quota_core::change::Change;
use quota_core::command::{
    Cancel, ChangePlan, ChangeWhen, Command, Renew, SetStatus, Subscribe, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::terms::{Status, Subscription};

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

fn change_plan(plan: &str, when: Option<ChangeWhen>) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when,
        usage: UsageAfterChange::Restart,
    })
}

fn start(plan: &str, starts_at: Option<DateTime<Utc>>, ends_at: Option<DateTime<Utc>>) -> Command {
    Command::Subscribe(Subscribe {
        starts_at,
        ends_at,
        ..Subscribe::to(plan_code(plan))
    })
}

/// What changed, and in words.
fn told(stage: &mut Stage, command: Command) -> (Change, String) {
    let Answer::Changed { change, detail, .. } = stage.done("user:a", command).answer else {
        unreachable!("expected a change")
    };
    (change, detail.expect("it is said"))
}

fn refused(stage: &mut Stage, command: Command) -> Rejection {
    stage.run("user:a", command).expect_err("it does not fit")
}

fn is_unchanged(stage: &mut Stage, command: Command) -> bool {
    stage.done("user:a", command).answer == Answer::Unchanged
}

/// A user on 31 March at noon, with `plan` since then unless that is empty.
fn from_31_march(plan: &str) -> Stage {
    let mut stage = Stage::user("");
    stage.now = at("2027-03-31T12:00:00Z");
    if !plan.is_empty() {
        stage.done("user:a", subscribe(plan));
    }
    stage
}

/// S5 and S8: a change of plan takes the place of a cancellation, and says so; what ends all the same is not named.
#[test]
fn a_change_of_plan_says_that_it_drops_a_cancellation() {
    let dropped = "; the cancellation at 2027-04-30T12:00:00Z is dropped";
    for (plan, when) in [
        ("basic", None),
        ("free", None),
        ("max", Some(ChangeWhen::Now)),
    ] {
        let mut stage = from_31_march("pro");
        stage.done("user:a", CANCEL);
        let (_, said) = told(&mut stage, change_plan(plan, when));
        assert!(said.contains(dropped), "{plan}: {said}");
        assert_eq!(held(&stage).canceled_at(), None);
    }
    let mut stage = from_31_march("pro");
    stage.done("user:a", CANCEL);
    let (_, said) = told(&mut stage, subscribe("basic"));
    assert!(said.contains(dropped), "{said}");
    let mut stage = from_31_march("pro");
    stage.done("user:a", CANCEL);
    let behind = start("basic", Some(at("2027-05-20T00:00:00Z")), None);
    let (_, said) = told(&mut stage, behind);
    assert!(
        !said.contains("dropped"),
        "it ends, then there is a gap: {said}"
    );
    let at_once = Command::Cancel(Cancel { at_once: true });
    let mut stage = from_31_march("pro");
    stage.done("user:a", CANCEL);
    let (_, said) = told(&mut stage, at_once);
    assert!(
        !said.contains("the cancellation at"),
        "it ends sooner: {said}"
    );
}

/// S5: a change to the plan that goes on anyway has nothing to do: no period begins anew, no use, and no cancellation is
/// taken back.
#[test]
fn a_change_to_the_same_plan_has_nothing_to_do() {
    for when in [None, Some(ChangeWhen::Now), Some(ChangeWhen::PeriodEnd)] {
        for plan in ["pro", "free"] {
            let mut stage = from_31_march(plan);
            stage.done("user:a", consume("articles", 3));
            stage.later(TimeDelta::days(3));
            let before = held(&stage);
            assert!(is_unchanged(&mut stage, change_plan(plan, when)), "{plan}");
            stage.done("user:a", CANCEL);
            assert!(is_unchanged(&mut stage, change_plan(plan, when)), "{plan}");
            stage.done("user:a", Command::Resume);
            assert_eq!(held(&stage), before);
            let (used, ..) = stage.standing("user:a", quota_core::draw::Scope::User, "articles");
            assert_eq!(used, 3);
        }
    }
}

/// S5: a change to the running plan takes back the change that waits; behind another that is paid ahead it is a change.
#[test]
fn a_change_to_the_running_plan_drops_the_change_that_waits() {
    for (waits, when) in [
        ("basic", None),
        ("free", None),
        ("free", Some(ChangeWhen::Now)),
    ] {
        let mut stage = from_31_march("pro");
        let before = held(&stage);
        stage.done("user:a", change_plan(waits, None));
        let (change, said) = told(&mut stage, change_plan("pro", when));
        assert_eq!(change, Change::PlanChangeDropped);
        let dropped = format!("; the change to {waits} at 2027-04-30T12:00:00Z is dropped");
        assert!(said.contains(&dropped), "{said}");
        assert_eq!(held(&stage), before);
    }
    let mut stage = from_31_march("pro");
    let end = held(&stage).ends_at;
    stage.done("user:a", start("basic", Some(end), None));
    let (change, _) = told(&mut stage, change_plan("pro", None));
    assert_eq!(change, Change::PlanChangeScheduled);
}

/// S5 and C7: the newest version of a pinned plan is another plan to one that stays on an older one.
#[test]
fn a_change_to_a_newer_version_of_a_pinned_plan_is_a_change() {
    let mut stage = Stage::user("");
    let apply = |stage: &mut Stage, price: u64| {
        let newest = |versions: &Vec<Plan>| versions.last().cloned();
        let mut file = CatalogFile {
            default_plan: None,
            features: stage.catalog.features.values().cloned().collect(),
            plans: stage.catalog.plans.values().filter_map(newest).collect(),
            packs: Vec::new(),
        };
        let mut plans = file.plans.iter_mut();
        let basic = plans.find(|plan| plan.code == plan_code("basic"));
        let basic = basic.expect("in the file");
        (basic.pinned, basic.price) = (true, price);
        stage.catalog = stage.catalog.applied(&file).expect("valid");
    };
    apply(&mut stage, 600);
    stage.done("user:a", subscribe("basic"));
    assert!(is_unchanged(&mut stage, change_plan("basic", None)));
    apply(&mut stage, 700);
    let (change, _) = told(&mut stage, change_plan("basic", Some(ChangeWhen::Now)));
    assert_eq!(change, Change::PlanChanged);
    assert_eq!(held(&stage).plan_version, Some(3));
}

/// S1 and S8: a subscription does not start canceled; what runs stays.
#[test]
fn a_start_that_is_canceled_is_refused_and_drops_nothing() {
    let mut stage = from_31_march("pro");
    let before = held(&stage);
    let canceled = Command::Subscribe(Subscribe {
        status: Some(Status::Canceled),
        ..Subscribe::to(plan_code("basic"))
    });
    let said = refused(&mut stage, canceled);
    assert_eq!(
        (said.code(), said.field()),
        ("starts_canceled", Some("status"))
    );
    assert_eq!(held(&stage), before);
}

/// S7 and S8: what says that it renews by itself is true: not of what was canceled, ends, or is followed by another.
#[test]
fn what_ends_does_not_renew() {
    let renews = |stage: &Stage| held(stage).renews_after(stage.now);
    let mut stage = from_31_march("free");
    assert!(renews(&stage));
    stage.done("user:a", CANCEL);
    assert!(!renews(&stage), "canceled");
    stage.done("user:a", Command::Resume);
    assert!(renews(&stage), "resumed");
    stage.done("user:a", change_plan("basic", Some(ChangeWhen::PeriodEnd)));
    assert!(!renews(&stage), "another plan takes over");
    let status = Status::Canceled;
    let mut stage = from_31_march("free");
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    assert!(!renews(&stage), "canceled at once");
    let mut stage = from_31_march("");
    stage.done(
        "user:a",
        start("free", None, Some(at("2027-05-15T00:00:00Z"))),
    );
    assert!(renews(&stage), "its last month is not the first");
    stage.now = at("2027-04-30T12:00:00Z");
    assert!(!renews(&stage), "the last month");
    assert!(!renews(&from_31_march("pro")), "it has to be paid for");
}

/// S4: a renewal adds a whole period, also behind one whose end was said: that is not whole months after the anchor.
#[test]
fn a_renewal_behind_an_end_that_was_said_is_a_whole_period() {
    let end = at("2027-04-20T00:00:00Z");
    let mut stage = from_31_march("");
    stage.done("user:a", start("pro", None, Some(end)));
    for ends in ["2027-05-20T00:00:00Z", "2027-06-20T00:00:00Z"] {
        stage.done("user:a", RENEW);
        let chain = held(&stage);
        let last = chain.chain().last().expect("itself at least");
        assert_eq!(last.ends_at, at(ends));
    }
    stage.now = end;
    stage.done("user:a", consume("articles", 100));
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(
        denied.resets_at,
        Some(at("2027-05-20T00:00:00Z")),
        "W4: one window"
    );
    // Also behind a renewal with an end of its own, and of a plan by the year.
    let mut stage = from_31_march("max");
    let short = Some(at("2028-04-10T00:00:00Z"));
    stage.done("user:a", Command::Renew(Renew { ends_at: short }));
    stage.done("user:a", RENEW);
    let chain = held(&stage);
    let last = chain.chain().last().expect("itself at least");
    assert_eq!(last.ends_at, at("2029-04-10T00:00:00Z"));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// S7: what renews by itself has no period that could be given an end, also where it follows by itself.
#[test]
fn what_renews_by_itself_is_given_no_end_by_a_renewal() {
    let mut free = from_31_march("free");
    let mut follows = from_31_march("pro");
    follows.done("user:a", change_plan("free", None));
    for stage in [&mut free, &mut follows] {
        let before = held(stage);
        for days in [1, 100] {
            let ends_at = Some(stage.now + TimeDelta::days(days));
            let said = refused(stage, Command::Renew(Renew { ends_at }));
            assert_eq!(
                (said.code(), said.field()),
                ("renews_by_itself", Some("ends_at"))
            );
        }
        assert!(is_unchanged(stage, RENEW));
        assert_eq!(held(stage), before);
    }
}

/// S7 and S8: a free plan with an end renews by itself every month until it. That end is no cancellation: there is nothing
/// to resume, it is canceled sooner, and that is taken back without the end.
#[test]
fn a_free_plan_with_an_end_keeps_it() {
    let mut stage = from_31_march("");
    let end = at("2027-07-09T00:00:00Z");
    stage.done("user:a", start("free", None, Some(end)));
    let free = held(&stage);
    assert_eq!(
        (free.canceled_at(), free.ends_for_good_at()),
        (None, Some(end))
    );
    let status = Status::Active;
    let not_canceled = Rejection::NotCanceled { status };
    assert_eq!(refused(&mut stage, Command::Resume), not_canceled);
    for month in [
        "2027-03-31T12:00:00Z",
        "2027-04-30T12:00:00Z",
        "2027-05-31T12:00:00Z",
    ] {
        stage.now = at(month);
        stage.done("user:a", consume("articles", 5));
        stage.denied("user:a", consume("articles", 1));
    }
    stage.now = at("2027-06-01T00:00:00Z");
    stage.done("user:a", CANCEL);
    assert_eq!(held(&stage).canceled_at(), Some(at("2027-06-30T12:00:00Z")));
    stage.done("user:a", Command::Resume);
    assert_eq!(held(&stage), free, "the end that was said is back");
    stage.now = end;
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(denied.reason, Reason::SubscriptionExpired);
    let ended = Rejection::Ended {
        ended_at: end,
        was_canceled: false,
    };
    assert_eq!(refused(&mut stage, Command::Resume), ended);
    stage.done("user:a", RENEW);
    let renewed = held(&stage);
    assert_eq!(
        (renewed.starts_at, renewed.ends_for_good_at()),
        (end, Some(at("2027-08-09T00:00:00Z")))
    );
    stage.done("user:a", consume("articles", 5));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// S7 and S8: a free plan with an end that waits behind a paid one renews by itself too, month by month, until its end;
/// where another free plan takes over for ever, the answer names the end that is gone.
#[test]
fn a_free_plan_with_an_end_waits_behind_a_paid_one() {
    let mut stage = from_31_march("pro");
    let (turn, end) = (held(&stage).ends_at, at("2027-07-09T00:00:00Z"));
    stage.done("user:a", start("free", Some(turn), Some(end)));
    for month in [turn, at("2027-05-30T12:00:00Z"), at("2027-06-30T12:00:00Z")] {
        stage.now = month;
        assert!(held(&stage).is_in_force(stage.now, TimeDelta::zero()));
        stage.done("user:a", consume("articles", 5));
        stage.denied("user:a", consume("articles", 1));
    }
    let (_, said) = told(&mut stage, start("free", None, None));
    assert!(
        said.ends_with("; the end at 2027-07-09T00:00:00Z is dropped"),
        "{said}"
    );
    stage.now = at("2027-07-30T12:00:00Z");
    stage.done("user:a", consume("articles", 1));
}

/// S7 and C3: what counts by the period of the subscription counts by the month under a free plan with an end.
#[test]
fn a_free_plan_with_an_end_counts_by_the_month() {
    let mut stage = from_31_march("");
    let plan = stage.catalog.plans.get_mut(&plan_code("free"));
    let free = &mut plan.expect("in the catalog")[0];
    let limit = quota_core::amount::Limit::Of(2);
    free.limits
        .insert(crate::stage::code("renders"), limit.into());
    stage.done(
        "user:a",
        start("free", None, Some(at("2027-07-09T00:00:00Z"))),
    );
    for month in [
        "2027-03-31T12:00:00Z",
        "2027-04-30T12:00:00Z",
        "2027-06-30T12:00:00Z",
    ] {
        stage.now = at(month);
        stage.done("user:a", consume("renders", 2));
        stage.denied("user:a", consume("renders", 1));
    }
}

/// S8, E42: a cancellation that is taken back gives the end back that a free plan has, also where it was put off.
#[test]
fn a_resumed_free_plan_has_the_end_that_it_had() {
    let mut stage = from_31_march("");
    stage.done(
        "user:a",
        start("free", None, Some(at("2027-05-15T00:00:00Z"))),
    );
    let behind = start(
        "free",
        Some(at("2027-05-15T00:00:00Z")),
        Some(at("2027-06-15T00:00:00Z")),
    );
    stage.done("user:a", behind);
    let before = held(&stage);
    assert_eq!(before.ends_for_good_at(), Some(at("2027-06-15T00:00:00Z")));
    stage.done("user:a", CANCEL);
    stage.done("user:a", Command::Resume);
    assert_eq!(held(&stage), before);
}
