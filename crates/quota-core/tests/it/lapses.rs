//! What is not in force, and why: unpaid, ended, to a plan that left the catalog; and which version of a plan is held (S1, S2, C7).

use chrono::TimeDelta;
use quota_core::answer::{Answer, Rejection};
use quota_core::catalog::CatalogFile;
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, Command, Renew, SetStatus, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::operation::Operation;
use quota_core::rules::entitlements::entitlements;
use quota_core::terms::{Lapse, Status};

use crate::addons::set_addon;
use crate::stage::{Stage, consume, id, plan_code, put_account, refund, subscribe};
use crate::with_catalog::with_catalog;

const RENEW: Command = Command::Renew(Renew { ends_at: None });

fn status(status: Status) -> Command {
    Command::SetStatus(SetStatus { status })
}

fn cancel(at_once: bool) -> Command {
    Command::Cancel(Cancel { at_once })
}

/// Why the user's next article is denied.
fn lapse(stage: &mut Stage) -> (Reason, Option<Lapse>) {
    let denial = stage.denied("user:a", consume("articles", 1));
    (denial.reason, denial.lapse)
}

fn is_in_force(stage: &Stage) -> bool {
    let context = stage.context();
    let account = &stage.home.accounts[&id("user:a")];
    entitlements(&context, &id("user:a"), (account, None)).is_in_force
}

/// A file with the catalog's newest plans, changed.
fn applied(stage: &mut Stage, change: impl Fn(&mut CatalogFile)) {
    let plans = stage.catalog.plans.values();
    let mut file = CatalogFile {
        default_plan: None,
        features: stage.catalog.features.values().cloned().collect(),
        plans: plans.filter_map(|all| all.last().cloned()).collect(),
        packs: Vec::new(),
    };
    change(&mut file);
    let next = stage.catalog.applied(&file).expect("valid");
    stage.catalog = next.without_plans_left_out(&file);
}

/// S1: what is not paid for is not renewed: a period behind it would help nobody. When it is over, a renewal begins the next.
#[test]
fn what_is_not_paid_for_is_not_renewed_while_it_runs() {
    for unpaid in [Status::Unpaid, Status::PastDue] {
        let mut stage = Stage::user("basic");
        stage.done("user:a", status(unpaid));
        if unpaid == Status::PastDue {
            // In grace it is in force, and may be renewed.
            let mut in_grace = Stage::user("basic");
            in_grace.done("user:a", status(unpaid));
            in_grace.done("user:a", RENEW);
            stage.later(TimeDelta::days(4));
        }
        let refused = stage.run("user:a", RENEW);
        assert_eq!(refused.err(), Some(Rejection::NotPaid { status: unpaid }));
        let why = if unpaid == Status::Unpaid {
            Lapse::Unpaid
        } else {
            Lapse::PastDue
        };
        assert_eq!(lapse(&mut stage), (Reason::SubscriptionExpired, Some(why)));
        stage.later(TimeDelta::days(40));
        assert_eq!(
            lapse(&mut stage),
            (Reason::SubscriptionExpired, Some(Lapse::Ended))
        );
        let late = stage.run("user:a", RENEW);
        assert!(late.is_ok(), "{late:?}");
        let mut stage = Stage::user("basic");
        stage.done("user:a", status(unpaid));
        stage.later(TimeDelta::days(31));
        stage.done("user:a", RENEW);
        assert!(is_in_force(&stage));
    }
    let mut free = Stage::user("free");
    free.done("user:a", status(Status::Unpaid));
    let refused = free.run("user:a", RENEW).err();
    let unpaid = Status::Unpaid;
    assert_eq!(refused, Some(Rejection::NotPaid { status: unpaid }));
}

/// S8: what has ended is not canceled: nothing would change. A cancellation that waits is not made twice.
#[test]
fn what_has_ended_is_not_canceled() {
    for at_once in [true, false] {
        let mut stage = Stage::user("basic");
        stage.done("user:a", cancel(true));
        let refused = stage.run("user:a", cancel(at_once)).err();
        assert!(matches!(
            refused,
            Some(Rejection::Ended {
                was_canceled: true,
                ..
            })
        ));
        assert_eq!(lapse(&mut stage).1, Some(Lapse::Canceled));
        let mut stage = Stage::user("basic");
        stage.later(TimeDelta::days(40));
        let refused = stage.run("user:a", cancel(at_once)).err();
        assert!(matches!(
            refused,
            Some(Rejection::Ended {
                was_canceled: false,
                ..
            })
        ));
    }
}

/// S1 and S2: a status says nothing of what has ended, and none brings it back: a renewal does. What was paid ahead has not ended.
#[test]
fn no_status_is_set_of_what_has_ended() {
    let all = [
        Status::Active,
        Status::Trialing,
        Status::PastDue,
        Status::Unpaid,
        Status::Canceled,
    ];
    for set in all {
        let mut stage = Stage::user("basic");
        stage.later(TimeDelta::days(40));
        let refused = stage.run("user:a", status(set)).err();
        assert!(
            matches!(
                refused,
                Some(Rejection::Ended {
                    was_canceled: false,
                    ..
                })
            ),
            "{set:?}"
        );
        stage.done("user:a", RENEW);
        stage.done("user:a", status(set));
        let mut ahead = Stage::user("basic");
        ahead.done("user:a", RENEW);
        ahead.later(TimeDelta::days(40));
        ahead.done("user:a", status(set));
    }
}

/// C7 and S2: with its plan, a subscription and what is beside it grants nothing, and says so; another plan, or the plan come back,
/// grants again.
#[test]
fn a_subscription_to_a_plan_that_was_removed_is_not_in_force() {
    let basic = plan_code("basic");
    let without = |stage: &mut Stage| {
        applied(stage, |file| file.plans.retain(|plan| plan.code != basic));
    };
    let mut stage = Stage::user("basic");
    stage.done("user:a", consume("articles", 4));
    let before = stage.catalog.clone();
    without(&mut stage);
    let gone = (Reason::SubscriptionExpired, Some(Lapse::PlanRemoved));
    assert_eq!((lapse(&mut stage), is_in_force(&stage)), (gone, false));
    let refused = stage.run("user:a", RENEW).err();
    assert_eq!(refused, Some(Rejection::PlanRemoved(basic.clone())));
    let there = stage.catalog.clone();
    stage.catalog = before;
    assert_eq!(stage.remaining("user:a", "articles"), Some(46));
    stage.catalog = there;
    let to_pro = Command::ChangePlan(ChangePlan {
        plan: plan_code("pro"),
        when: None,
        usage: UsageAfterChange::Restart,
    });
    stage.done("user:a", to_pro);
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    assert!(is_in_force(&stage));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// C7 and C13: an add-on whose plan was removed is had no more.
#[test]
fn an_add_on_whose_plan_was_removed_is_not_listed() {
    let mut stage = crate::addons::user_of("team", 1);
    stage.done("user:a", set_addon("more", 2));
    let addons = |stage: &Stage| {
        let account = &stage.home.accounts[&id("user:a")];
        entitlements(&stage.context(), &id("user:a"), (account, None))
            .addons
            .len()
    };
    assert_eq!(addons(&stage), 1);
    applied(&mut stage, |file| {
        file.plans.retain(|plan| plan.code != plan_code("more"));
    });
    assert_eq!(addons(&stage), 0);
}

/// Articles of `basic`, pinned or not.
fn basic(stage: &mut Stage, articles: u64, pinned: bool) {
    applied(stage, |file| {
        let plan = file.plans.iter_mut();
        let mut basic = plan.filter(|plan| plan.code == plan_code("basic"));
        let basic = basic.next().expect("in the file");
        basic.pinned = pinned;
        let limit = quota_core::amount::Limit::Of(articles);
        basic
            .limits
            .insert(crate::stage::code("articles"), limit.into());
    });
}

/// C7: a file that pins a plan keeps those who have it already on what they have; one that pins it no more lets all follow.
#[test]
fn a_pinned_plan_keeps_earlier_subscribers_until_it_is_pinned_no_more() {
    let mut stage = Stage::user("basic");
    basic(&mut stage, 60, false);
    assert_eq!(stage.remaining("user:a", "articles"), Some(60));
    basic(&mut stage, 7, true);
    assert_eq!(stage.remaining("user:a", "articles"), Some(60));
    basic(&mut stage, 8, true);
    assert_eq!(stage.remaining("user:a", "articles"), Some(60));
    stage.done("user:a", RENEW);
    stage.later(TimeDelta::days(31));
    assert_eq!(stage.remaining("user:a", "articles"), Some(60));
    // A start is to the newest, and stays on it.
    stage.done("user:a", subscribe("basic"));
    assert_eq!(stage.remaining("user:a", "articles"), Some(8));
    basic(&mut stage, 9, true);
    assert_eq!(stage.remaining("user:a", "articles"), Some(8));
    // Pinned no more, all follow; and pinned again, all stay on what they then have.
    basic(&mut stage, 9, false);
    assert_eq!(stage.remaining("user:a", "articles"), Some(9));
    basic(&mut stage, 10, true);
    assert_eq!(stage.remaining("user:a", "articles"), Some(9));
    let to_newest = Command::ChangePlan(ChangePlan {
        plan: plan_code("basic"),
        when: Some(ChangeWhen::Now),
        usage: UsageAfterChange::Keep,
    });
    stage.done("user:a", to_newest);
    assert_eq!(stage.remaining("user:a", "articles"), Some(10));
}

/// X4: a refund that gives nothing back says so, as a release of capacity does.
#[test]
fn a_refund_that_gives_nothing_back_was_not_carried_out() {
    let mut stage = Stage::user("basic");
    let spent = |stage: &mut Stage| -> Operation { stage.done("user:a", consume("articles", 2)) };
    let first = spent(&mut stage);
    let given = stage.done("user:a", refund(first.id, None));
    assert!(given.is_allowed());
    let second = spent(&mut stage);
    let reset = Command::Reset(quota_core::command::Reset::default());
    stage.done("user:a", reset);
    let nothing = stage.done("user:a", refund(second.id, None));
    assert!(!nothing.is_allowed(), "{nothing:?}");
}

const FIRST_USE: &str = r#"
[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "5h"
anchor = "first_use"

[[plan]]
code = "basic"
name = "Basic"
price = 100
limits = { articles = 5 }
"#;

/// W6: without a subscription in force nothing of an unlimited user becomes whole again, also where a first use began a window.
#[test]
fn what_nothing_limits_says_no_reset() {
    let mut stage = with_catalog(Stage::user(""), FIRST_USE);
    let spec = AccountSpec {
        unlimited: Some(true),
        ..AccountSpec::default()
    };
    stage.done("user:a", put_account(spec));
    let spent = stage.done("user:a", consume("articles", 2));
    let resets = |answer: &Answer| answer.balances()[0].resets_at;
    assert_eq!(resets(&spent.answer), None);
    let shown = stage.balance_of("user:a", Scope::User, "articles", None);
    assert_eq!((shown.used, shown.resets_at), (2, None));
    stage.done("user:a", subscribe("basic"));
    let spent = stage.done("user:a", consume("articles", 2));
    let ends_at = stage.now + TimeDelta::hours(5);
    assert_eq!(resets(&spent.answer), Some(ends_at));
}
