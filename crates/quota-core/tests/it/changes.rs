//! Changes of plan that wait, and what becomes of them: they act, they end, and nothing paid for is lost (section 3).

use crate::stage::{Stage, consume, id, plan_code, put_account, subscribe};
use chrono::TimeDelta;
use quota_core::answer::Answer;
use quota_core::catalog::{CatalogFile, Plan};
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, Command, Renew, SetStatus, Subscribe,
    UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::event::EventKind;
use quota_core::terms::{Status, Subscription};

fn change_plan(plan: &str, when: ChangeWhen) -> Command {
    Command::ChangePlan(ChangePlan {
        plan: plan_code(plan),
        when: Some(when),
        usage: UsageAfterChange::Restart,
    })
}

const RENEW: Command = Command::Renew(Renew { ends_at: None });

fn held(stage: &Stage) -> Subscription {
    let account = &stage.home.accounts[&id("user:a")];
    account.terms.subscription.clone().expect("subscribed")
}

fn due_at(stage: &Stage) -> Option<chrono::DateTime<chrono::Utc>> {
    stage.home.accounts[&id("user:a")].due_at()
}

/// S5 with S7: a downgrade to a free plan acts by itself at the end of what was paid for, and runs on by itself.
#[test]
fn a_downgrade_to_a_free_plan_acts_by_itself() {
    let mut stage = Stage::user("pro");
    let end = held(&stage).ends_at;
    stage.done("user:a", change_plan("free", ChangeWhen::PeriodEnd));
    assert_eq!(held(&stage).scheduled.expect("it is listed").at, end);
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    assert_eq!(held(&stage).ends_for_good_at(), None);
    let early = stage.done("user:a", RENEW);
    assert_eq!(early.answer, Answer::Unchanged, "nothing is paid for");
    stage.now = end + TimeDelta::days(70);
    assert_eq!(stage.remaining("user:a", "articles"), Some(5));
    let ended = stage.done("user:a", Command::ExpireSubscription);
    assert_eq!(ended.answer, Answer::Unchanged);
    stage.done("user:a", consume("articles", 5));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// S5 and S8: the last word counts: another change, or a cancellation, takes the place of the one that waits.
#[test]
fn a_change_that_waits_is_replaced_by_the_next_one() {
    let mut stage = Stage::user("pro");
    let end = held(&stage).ends_at;
    stage.done("user:a", change_plan("free", ChangeWhen::PeriodEnd));
    stage.done("user:a", change_plan("basic", ChangeWhen::PeriodEnd));
    assert_eq!(held(&stage).upcoming, None, "basic has to be paid for");
    assert_eq!(held(&stage).ends_for_good_at(), Some(end));
    stage.done("user:a", change_plan("free", ChangeWhen::PeriodEnd));
    stage.done("user:a", Command::Cancel(Cancel { at_once: false }));
    assert_eq!(
        (held(&stage).scheduled, held(&stage).upcoming),
        (None, None)
    );
    stage.now = end;
    stage.denied("user:a", consume("articles", 1));
}

/// S5: a change that is scheduled after an early renewal acts at the end of the period that was paid ahead.
#[test]
fn a_change_after_an_early_renewal_waits_for_the_end_of_what_is_paid() {
    for (plan, limit) in [("free", 5), ("basic", 50)] {
        let mut stage = Stage::user("pro");
        stage.done("user:a", RENEW);
        stage.done("user:a", change_plan(plan, ChangeWhen::PeriodEnd));
        let ahead = held(&stage).upcoming.expect("it is paid for");
        assert_eq!(ahead.plan, plan_code("pro"));
        stage.now = ahead.starts_at;
        assert_eq!(stage.remaining("user:a", "articles"), Some(100));
        stage.now = ahead.ends_at - TimeDelta::days(1);
        assert_eq!(stage.remaining("user:a", "articles"), Some(100));
        stage.done("user:a", RENEW);
        stage.now = ahead.ends_at;
        assert_eq!(stage.remaining("user:a", "articles"), Some(limit), "{plan}");
    }
}

/// S1: a status that is set stands in the period that was paid ahead too.
#[test]
fn a_status_goes_on_in_the_period_that_was_paid_ahead() {
    let mut stage = Stage::user("pro");
    let end = held(&stage).ends_at;
    stage.done("user:a", RENEW);
    let status = Status::Unpaid;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    stage.now = end + TimeDelta::days(1);
    stage.denied("user:a", consume("articles", 1));
    let status = Status::Active;
    stage.done("user:a", Command::SetStatus(SetStatus { status }));
    stage.done("user:a", consume("articles", 1));
}

/// S1: a status that is set is said, before what became of the subscription.
#[test]
fn a_status_that_is_set_is_said() {
    let mut stage = Stage::user("pro");
    for status in [Status::PastDue, Status::Unpaid, Status::Active] {
        let set = stage.done("user:a", Command::SetStatus(SetStatus { status }));
        let Answer::Changed { detail, .. } = set.answer else {
            unreachable!("expected a change")
        };
        let detail = detail.expect("it is told");
        let said = format!("{}; pro from ", status.as_str());
        assert!(detail.starts_with(&said), "{detail}");
    }
}

/// S5: a change at once says that it drops what was paid ahead.
#[test]
fn a_change_at_once_says_what_it_drops() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", RENEW);
    let changed = stage.done("user:a", change_plan("pro", ChangeWhen::Now));
    let Answer::Changed { detail, .. } = changed.answer else {
        unreachable!("expected a change")
    };
    let detail = detail.expect("it is told");
    assert!(detail.contains("; basic, paid ahead to "), "{detail}");
    let again = stage.done("user:a", change_plan("max", ChangeWhen::Now));
    let Answer::Changed { detail, .. } = again.answer else {
        unreachable!("expected a change")
    };
    let detail = detail.expect("it is told");
    assert!(detail.contains("; pro, paid for to "), "{detail}");
    assert!(!detail.contains("basic"), "{detail}");
}

/// S9: a plan that began through a scheduled change makes its account due, and its end is recorded as its own.
#[test]
fn a_plan_that_was_scheduled_ends_and_that_is_recorded() {
    let mut stage = Stage::user("free");
    stage.done("user:a", change_plan("basic", ChangeWhen::PeriodEnd));
    let turn = held(&stage).scheduled.expect("it is listed").at;
    stage.now = turn;
    assert_eq!(stage.remaining("user:a", "articles"), Some(50));
    let end = due_at(&stage).expect("it ends");
    assert!(turn < end);
    stage.done("user:a", consume("articles", 20));
    stage.now = end;
    let done = stage.done("user:a", Command::ExpireSubscription);
    assert_ne!(done.answer, Answer::Unchanged);
    let plan = plan_code("basic");
    assert_eq!(
        stage.events.last().expect("published").kind,
        EventKind::SubscriptionExpired { plan }
    );
    let last = held(&stage).chain().last().map(|last| last.plan.clone());
    assert_eq!(last, Some(plan_code("basic")));
    assert_eq!(held(&stage).unrecorded_end(), None);
    let again = stage.done("user:a", Command::ExpireSubscription);
    assert_eq!(again.answer, Answer::Unchanged);
    stage.denied("user:a", consume("articles", 1));
}

/// S4 and S9: a plan that is renewed after its end was recorded ends again: that end is due, recorded and told too.
#[test]
fn a_plan_that_is_renewed_after_its_end_was_recorded_ends_again() {
    let mut stage = Stage::user("basic");
    for ends in 1..=3 {
        let end = held(&stage).ends_at;
        assert_eq!(held(&stage).unrecorded_end(), Some(end));
        stage.done("user:a", consume("articles", 50));
        stage.now = end;
        assert_eq!(due_at(&stage), Some(end));
        stage.later(TimeDelta::seconds(5));
        stage.done("user:a", Command::ExpireSubscription);
        assert_eq!(held(&stage).end_recorded_at, Some(stage.now));
        let plan = plan_code("basic");
        let expired = EventKind::SubscriptionExpired { plan };
        let told = stage.events.iter().filter(|event| event.kind == expired);
        assert_eq!(told.count(), ends);
        stage.later(TimeDelta::days(2));
        stage.done("user:a", RENEW);
        assert_eq!(held(&stage).starts_at, end);
    }
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// C7: a pinned plan that was scheduled begins, and stays, in the version in which it was chosen.
#[test]
fn a_pinned_plan_that_was_scheduled_keeps_its_version() {
    let mut stage = Stage::new("user:a");
    stage.done("user:a", put_account(AccountSpec::default()));
    let apply = |stage: &mut Stage, articles: u64| {
        let newest = |versions: &Vec<Plan>| versions.last().cloned();
        let mut file = CatalogFile {
            default_plan: None,
            features: stage.catalog.features.values().cloned().collect(),
            plans: stage.catalog.plans.values().filter_map(newest).collect(),
            packs: Vec::new(),
        };
        let basic = file
            .plans
            .iter_mut()
            .find(|plan| plan.code == plan_code("basic"));
        let basic = basic.expect("in the file");
        basic.pinned = true;
        let limit = quota_core::amount::Limit::Of(articles);
        basic
            .limits
            .insert(crate::stage::code("articles"), limit.into());
        stage.catalog = stage.catalog.applied(&file).expect("valid");
    };
    apply(&mut stage, 60);
    stage.done("user:a", subscribe("free"));
    stage.done("user:a", change_plan("basic", ChangeWhen::PeriodEnd));
    apply(&mut stage, 7);
    stage.later(TimeDelta::days(31));
    assert_eq!(stage.remaining("user:a", "articles"), Some(60));
    apply(&mut stage, 8);
    assert_eq!(stage.remaining("user:a", "articles"), Some(60));
}

/// S8: what was canceled at once has ended: no status brings it back, a new subscription does.
#[test]
fn what_was_canceled_at_once_is_not_brought_back_by_a_status() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", Command::Cancel(Cancel { at_once: true }));
    stage.later(TimeDelta::hours(1));
    for status in [Status::Active, Status::PastDue, Status::Unpaid] {
        let refused = stage.run("user:a", Command::SetStatus(SetStatus { status }));
        assert_eq!(refused.expect_err("it ended").code(), "subscription_ended");
    }
    let status = Status::Canceled;
    let again = stage.done("user:a", Command::SetStatus(SetStatus { status }));
    assert_eq!(again.answer, Answer::Unchanged);
    stage.done("user:a", subscribe("pro"));
    stage.done("user:a", consume("articles", 1));
}

/// S5: a change that waits is listed, also one that waits for the end of a period that was paid ahead; and it is said.
#[test]
fn a_change_that_waits_is_listed_after_an_early_renewal() {
    let mut stage = Stage::user("pro");
    let end = held(&stage).ends_at;
    stage.done("user:a", RENEW);
    let said = stage.done("user:a", change_plan("free", ChangeWhen::PeriodEnd));
    let listed = held(&stage).scheduled_change().cloned().expect("it waits");
    assert_eq!(listed.plan, plan_code("free"));
    assert!(end < listed.at, "what was paid for comes first");
    let Answer::Changed { detail, .. } = said.answer else {
        panic!("{said:?}");
    };
    let named = format!("free from {}", quota_core::instant::text(&listed.at));
    assert!(detail.expect("a detail").contains(&named));
}

/// S8 and S5: whoever cancels and then changes the plan goes on with that one.
#[test]
fn a_change_after_a_cancellation_goes_on() {
    for plan in ["free", "basic"] {
        let mut stage = Stage::user("pro");
        let end = held(&stage).ends_at;
        stage.done("user:a", Command::Cancel(Cancel { at_once: false }));
        assert_eq!(held(&stage).canceled_at(), Some(end));
        stage.done("user:a", change_plan(plan, ChangeWhen::PeriodEnd));
        assert_eq!(held(&stage).canceled_at(), None);
        stage.done("user:a", RENEW);
        stage.now = end + TimeDelta::days(1);
        let limit = if plan == "free" { 5 } else { 50 };
        assert_eq!(stage.remaining("user:a", "articles"), Some(limit));
    }
}

/// F7: a subscription that has not begun has not ended.
#[test]
fn what_has_not_begun_has_not_expired() {
    let mut stage = Stage::user("");
    let later = Command::Subscribe(Subscribe {
        starts_at: Some(stage.now + TimeDelta::days(3)),
        ..Subscribe::to(plan_code("pro"))
    });
    stage.done("user:a", later);
    let reason = |stage: &mut Stage, feature| stage.denied("user:a", consume(feature, 9)).reason;
    assert_eq!(reason(&mut stage, "articles"), Reason::NoSubscription);
    assert_eq!(reason(&mut stage, "try_on"), Reason::CreditsExhausted);
    stage.later(TimeDelta::days(3));
    stage.done("user:a", consume("articles", 9));
    stage.later(TimeDelta::days(40));
    assert_eq!(reason(&mut stage, "articles"), Reason::SubscriptionExpired);
}

/// S5 and W4: also what was used in the very instant in which the new plan begins starts again, but for the calendar's day.
#[test]
fn an_upgrade_in_the_same_instant_starts_again() {
    let mut stage = Stage::user("basic");
    stage.done("user:a", consume("articles", 5));
    stage.done("user:a", consume("requests", 2));
    stage.done("user:a", change_plan("pro", ChangeWhen::Now));
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    assert_eq!(stage.remaining("user:a", "requests"), Some(8));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}
