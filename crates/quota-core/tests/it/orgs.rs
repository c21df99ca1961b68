//! Orgs: members' use is theirs and the org's.

use crate::stage::{
    Stage, code, consume, consume_with, grant, item, member, put_account, put_token, refund,
    release_capacity, reserve, subscribe, token_id, track,
};
use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::Answer;
use quota_core::audit::audit;
use quota_core::change::Effect;
use quota_core::command::{
    AccountSpec, ChangePlan, ClearOverride, Command, Consume, Reset, SetOverride, UsageAfterChange,
};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::operation::OperationKind;
use quota_core::terms::Policy;

/// O1: whatever a member uses is charged to the org too: same feature, same amount, same operation.
#[test]
fn every_use_of_a_member_is_charged_to_the_org() {
    let mut stage = Stage::org("pro");
    let limited = AccountSpec {
        unlimited: Some(false),
        ..member()
    };
    stage.done("user:b", put_account(limited));
    stage.done("user:b", crate::stage::subscribe("basic"));
    stage.done("user:a", consume("articles", 3));
    stage.done("user:b", consume("articles", 4));
    stage.done("user:a", track("articles", 5));
    let held = stage.done("user:b", reserve("articles", 9, 60));
    stage.done("user:b", crate::stage::commit(held.id, 6));
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (8, 0, 0));
    assert_eq!(
        stage.standing("user:b", Scope::User, "articles"),
        (10, 0, 0)
    );
    assert_eq!(stage.standing("org:o", Scope::Org, "articles"), (18, 0, 0));
    for operation in &stage.operations {
        let is_use = matches!(
            operation.kind,
            OperationKind::Consume | OperationKind::Track
        );
        let of = |scope| {
            let entries = operation
                .entries
                .iter()
                .filter(move |entry| entry.scope == scope);
            entries
                .map(|entry| (entry.feature.clone(), entry.used))
                .collect::<Vec<_>>()
        };
        assert!(
            !is_use || of(Scope::User) == of(Scope::Org),
            "{operation:?}"
        );
    }
}

/// O5: token, user and org are charged together or not at all, whichever of them refuses.
#[test]
fn a_refusal_of_one_scope_charges_none() {
    let mut stage = Stage::org("basic");
    stage.done("user:a", put_token("t", Limit::Of(60)));
    stage.done("user:a", consume_with("t", "articles", 45));
    let before = stage.home.clone();
    let by_org = stage.denied("user:a", consume_with("t", "articles", 6));
    assert_eq!(
        (by_org.reason, by_org.available),
        (Reason::OrgLimitReached, 5)
    );
    assert_eq!(stage.home, before);
    let by_token = stage.denied("user:a", consume_with("t", "articles", 16));
    assert_eq!(
        (by_token.scope, by_token.available, by_token.of_scope),
        (Scope::Token, 5, Some(15))
    );
    assert_eq!(stage.home, before);
    // The org refuses the second item when the first is drawn already.
    let items = vec![item("articles", 4), item("albums", 3)];
    let batch = Command::Consume(Consume {
        token: Some(token_id("t")),
        items,
    });
    assert_eq!(
        stage.denied("user:a", batch).reason,
        Reason::OrgLimitReached
    );
    assert_eq!(stage.home.accounts, before.accounts);
    stage.done("user:a", consume_with("t", "articles", 5));
    assert_eq!(
        stage.balance_of("user:a", Scope::Token, "", Some("t")).used,
        50
    );
    assert_eq!(stage.standing("user:a", Scope::User, "articles").0, 50);
    assert_eq!(stage.standing("org:o", Scope::Org, "articles").0, 50);
}

/// O6: a member sees which scope refused, and how each of them stands.
#[test]
fn a_member_sees_which_scope_refused() {
    let mut stage = Stage::org("basic");
    let limited = AccountSpec {
        unlimited: Some(false),
        ..member()
    };
    stage.done("user:b", put_account(limited));
    stage.done("user:b", crate::stage::subscribe("free"));
    let by_user = stage.denied("user:b", consume("articles", 6));
    assert_eq!(
        (by_user.scope, by_user.reason),
        (Scope::User, Reason::LimitReached)
    );
    stage.done("user:a", consume("articles", 48));
    let asked = stage
        .run("user:b", consume("articles", 3))
        .expect("a denial is an outcome");
    let Answer::Denied {
        denial, balances, ..
    } = &asked.operation.answer
    else {
        unreachable!("expected a denial")
    };
    assert_eq!(
        (denial.scope, denial.reason, denial.available),
        (Scope::Org, Reason::OrgLimitReached, 2)
    );
    let left: Vec<_> = balances
        .iter()
        .map(|balance| (balance.scope, balance.remaining))
        .collect();
    assert_eq!(left, [(Scope::User, Some(5)), (Scope::Org, Some(2))]);
}

/// O5: when a counter of the org is full, nothing of a use, nor of a commit, is charged to anybody.
#[test]
fn a_counter_that_is_full_changes_nothing_anywhere() {
    let mut stage = Stage::org("pro");
    stage.done("user:a", put_token("t", Limit::Of(60)));
    let held = stage.done("user:a", reserve("articles", 5, 60));
    let org = stage.home.account_mut(&crate::stage::id("org:o"));
    let lifetime = &mut org.expect("it is here").books.lifetime;
    lifetime.insert(
        crate::stage::code("articles"),
        quota_core::amount::COUNT_MAX - 1,
    );
    let before = stage.home.accounts.clone();
    let commands = [
        consume_with("t", "articles", 2),
        track("articles", 2),
        crate::stage::commit(held.id, 4),
        crate::stage::commit(held.id, 9),
    ];
    for command in commands {
        let refused = stage.run("user:a", command).expect_err("there is no room");
        assert_eq!(refused.code(), "counter_full");
        assert_eq!(stage.home.accounts, before);
    }
    stage.done("user:a", crate::stage::commit(held.id, 1));
}

fn set_override(feature: &str, limit: Limit) -> Command {
    Command::SetOverride(SetOverride {
        feature: code(feature),
        limit,
        expires_at: None,
    })
}

fn policy(policy: Policy) -> Command {
    put_account(AccountSpec {
        policy: Some(policy),
        ..AccountSpec::default()
    })
}

/// O3, E49: what the org's plan does not name is denied to its unlimited members too; under `track` it is overage.
#[test]
fn e49_a_feature_that_the_orgs_plan_does_not_name_is_not_in_plan() {
    let mut stage = Stage::org("max");
    let denied = stage.denied("user:a", consume("albums", 1));
    assert_eq!(
        (denied.reason, denied.scope, denied.available),
        (Reason::OrgNotInPlan, Scope::Org, 0)
    );
    assert_eq!(stage.standing("user:a", Scope::User, "albums"), (0, 0, 0));
    stage.done("org:o", policy(Policy::Track));
    stage.done("user:a", consume("albums", 1));
    assert_eq!(stage.standing("org:o", Scope::Org, "albums"), (0, 0, 1));
    assert_eq!(stage.standing("user:a", Scope::User, "albums"), (1, 0, 0));
    // The wallet of the org pays for what its plan does not name (F2).
    stage.done("org:o", policy(Policy::Enforce));
    stage.done("org:o", grant("pack", 5));
    stage.done("user:a", consume("try_on", 5));
    let denied = stage.denied("user:a", consume("try_on", 1));
    assert_eq!(denied.reason, Reason::OrgNotInPlan);
    assert_eq!(audit(&stage.records()), []);
}

/// O3: an org that never had a subscription is tracked, but for features with an override, which holds by itself: in a
/// window of the feature's cadence, counted from the org's making or by the calendar of its zone.
#[test]
fn the_override_of_an_org_that_never_subscribed_holds_by_itself() {
    let mut stage = Stage::org("");
    stage.done("org:o", set_override("articles", Limit::Of(5)));
    stage.done("org:o", set_override("requests", Limit::Of(2)));
    stage.done("org:o", set_override("albums", Limit::Of(1)));
    stage.done("org:o", set_override("lessons", Limit::Unlimited));
    stage.done("user:a", consume("articles", 5));
    let denied = stage.denied("user:a", consume("articles", 1));
    let in_a_month = "2027-04-10T12:00:00Z".parse().ok();
    assert_eq!(
        (denied.reason, denied.available, denied.resets_at),
        (Reason::OrgLimitReached, 0, in_a_month)
    );
    assert_eq!(stage.remaining("org:o", "articles"), Some(0));
    stage.done("user:a", consume("requests", 2));
    let denied = stage.denied("user:a", consume("requests", 1));
    let midnight = "2027-03-11T00:00:00Z".parse().ok();
    assert_eq!(denied.resets_at, midnight);
    stage.done("user:a", consume("albums", 1));
    stage.denied("user:a", consume("albums", 1));
    stage.done("user:a", consume("lessons", 1_000_000));
    stage.done("user:a", consume("renders", 1_000_000));
    stage.later(TimeDelta::days(1));
    stage.done("user:a", consume("requests", 2));
    stage.later(TimeDelta::days(30));
    stage.done("user:a", consume("articles", 5));
    stage.denied("user:a", consume("articles", 1));
    let feature = code("articles");
    let clear = Command::ClearOverride(ClearOverride { feature });
    stage.done("org:o", clear);
    stage.done("user:a", consume("articles", 100));
    assert_eq!(audit(&stage.records()), []);
}

/// O3, S3: with a subscription that ended, an override is worth nothing any more.
#[test]
fn the_override_of_an_org_whose_subscription_ended_counts_no_more() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", set_override("articles", Limit::Unlimited));
    stage.done("user:a", consume("articles", 500));
    stage.later(TimeDelta::days(40));
    let denied = stage.denied("user:a", consume("articles", 1));
    assert_eq!(denied.reason, Reason::OrgSubscriptionExpired);
}

/// F6, S3: the answer to an override that changes nothing now says so, and why; and the standing shows the override.
#[test]
fn an_override_that_has_no_effect_says_so() {
    let effect = |stage: &mut Stage, account: &str| {
        let done = stage.done(account, set_override("articles", Limit::Of(7)));
        let Answer::Changed { effect, detail, .. } = done.answer else {
            unreachable!("expected a change")
        };
        let detail = detail.expect("it says what it set");
        assert_eq!(detail.contains("no effect now"), effect.is_some());
        effect
    };
    let mut stage = Stage::org("pro");
    let unlimited = effect(&mut stage, "user:a");
    assert_eq!(unlimited, Some(Effect::IdleForUnlimited));
    let standing = stage.balance_of("user:a", Scope::User, "articles", None);
    assert_eq!(
        (standing.granted, standing.override_value),
        (Some(Limit::Unlimited), Some(Limit::Of(7)))
    );
    assert_eq!(effect(&mut stage, "org:o"), None);
    let mut never = Stage::org("");
    assert_eq!(effect(&mut never, "org:o"), None, "it holds by itself");
    let mut user = Stage::user("");
    let no_plan = effect(&mut user, "user:a");
    assert_eq!(no_plan, Some(Effect::IdleForSubscription));
}

fn released(stage: &mut Stage, account: &str, feature: &str, amount: u64) -> Vec<(Scope, u64)> {
    let done = stage.run(account, release_capacity(feature, amount));
    let done = done.expect("it fits").operation;
    let Answer::Released { released, .. } = &done.answer else {
        unreachable!("expected a release")
    };
    let given = released.iter().any(|part| part.amount != 0);
    assert_eq!(done.answer.is_allowed(), given);
    released
        .iter()
        .map(|part| (part.scope, part.amount))
        .collect()
}

/// An org without a subscription, whose albums are limited by an override, and two members.
fn with_albums() -> Stage {
    let mut stage = Stage::org("");
    stage.done("org:o", set_override("albums", Limit::Of(20)));
    stage.done("user:b", put_account(member()));
    stage
}

fn occupied(stage: &mut Stage, feature: &str) -> (u64, u64) {
    let user = stage.standing("user:a", Scope::User, feature).0;
    (user, stage.standing("org:o", Scope::Org, feature).0)
}

/// O8, X4, E51: ann holds 9 of the org's albums, bob none; ann's own window restarts. Bob gives back nothing, ann 2.
#[test]
fn e51_a_member_gives_back_what_it_holds_whatever_its_own_window_did() {
    let mut stage = with_albums();
    stage.done("user:a", subscribe("pro"));
    stage.done("user:a", consume("albums", 9));
    stage.later(TimeDelta::days(31));
    stage.done("user:a", subscribe("pro"));
    assert_eq!(occupied(&mut stage, "albums"), (0, 9));
    let nothing = [(Scope::User, 0), (Scope::Org, 0)];
    assert_eq!(released(&mut stage, "user:b", "albums", 1), nothing);
    let wanted = [(Scope::User, 0), (Scope::Org, 2)];
    assert_eq!(released(&mut stage, "user:a", "albums", 2), wanted);
    assert_eq!(occupied(&mut stage, "albums"), (0, 7));
    let wanted = [(Scope::User, 0), (Scope::Org, 7)];
    assert_eq!(released(&mut stage, "user:a", "albums", 99), wanted);
    assert_eq!(audit(&stage.records()), []);
}

/// O8, X3 and X4: the same of a refund: the org gets back what it is charged for still, and the member what it holds.
#[test]
fn a_refund_gives_an_org_back_what_the_members_own_window_forgot() {
    let mut stage = with_albums();
    stage.done("user:a", subscribe("pro"));
    let first = stage.done("user:a", consume("albums", 4));
    stage.later(TimeDelta::days(31));
    stage.done("user:a", subscribe("pro"));
    stage.done("user:a", consume("albums", 1));
    assert_eq!(occupied(&mut stage, "albums"), (1, 5));
    stage.done("user:a", refund(first.id, None));
    assert_eq!(occupied(&mut stage, "albums"), (1, 1));
    assert_eq!(audit(&stage.records()), []);
}

/// O8: when the org's own count is set to 0, a release of what was held before lowers nobody else's.
#[test]
fn after_a_reset_of_the_org_a_release_lowers_no_other_members_count() {
    let mut stage = with_albums();
    stage.done("user:a", consume("albums", 5));
    let features = Vec::new();
    stage.done(
        "org:o",
        Command::Reset(Reset {
            features,
            token: None,
        }),
    );
    stage.done("user:b", consume("albums", 4));
    let wanted = [(Scope::User, 5), (Scope::Org, 0)];
    assert_eq!(released(&mut stage, "user:a", "albums", 5), wanted);
    stage.done("user:a", consume("albums", 1));
    let wanted = [(Scope::User, 1), (Scope::Org, 1)];
    assert_eq!(released(&mut stage, "user:a", "albums", 5), wanted);
    assert_eq!(occupied(&mut stage, "albums").1, 4);
    assert_eq!(audit(&stage.records()), []);
}

/// O8, X6: a reset of the member gives the org back what it was charged for that member; a refund after it finds nothing
/// more to give back, and takes none from others.
#[test]
fn a_reset_of_a_member_gives_its_org_back_what_it_held() {
    let mut stage = with_albums();
    stage.done("user:b", consume("albums", 3));
    let spent = stage.done("user:a", consume("albums", 5));
    stage.done("user:a", consume("articles", 5));
    let features = Vec::new();
    stage.done(
        "user:a",
        Command::Reset(Reset {
            features,
            token: None,
        }),
    );
    assert_eq!(occupied(&mut stage, "albums"), (0, 3));
    assert_eq!(occupied(&mut stage, "articles"), (0, 5));
    stage.done("user:a", crate::stage::refund(spent.id, None));
    assert_eq!(occupied(&mut stage, "albums"), (0, 3));
    assert_eq!(audit(&stage.records()), []);
}

/// O8, R2, X3: a commit is held by the member too, and a refund gives the org back what is still held.
#[test]
fn what_a_member_commits_and_refunds_is_counted_with_it() {
    let mut stage = with_albums();
    stage.done("user:b", consume("albums", 3));
    let held = stage.done("user:a", reserve("albums", 4, 60));
    let spent = stage.done("user:a", crate::stage::commit(held.id, 6));
    assert_eq!(occupied(&mut stage, "albums"), (6, 9));
    released(&mut stage, "user:a", "albums", 4);
    stage.done("user:a", crate::stage::refund(spent.id, None));
    assert_eq!(occupied(&mut stage, "albums"), (0, 3));
    assert_eq!(audit(&stage.records()), []);
}

/// O8: when the org's plan changes and its count moves to another window, members hold what they held.
#[test]
fn a_change_of_the_orgs_plan_leaves_members_what_they_hold() {
    let mut stage = Stage::org("basic");
    stage.done("user:a", consume("albums", 2));
    let plan = crate::stage::plan_code("pro");
    let change = Command::ChangePlan(ChangePlan {
        plan,
        when: None,
        usage: UsageAfterChange::Keep,
    });
    stage.later(TimeDelta::days(3));
    stage.done("org:o", change);
    let counted = stage.standing("org:o", Scope::Org, "albums").0;
    let wanted = [(Scope::User, 2), (Scope::Org, counted)];
    assert_eq!(released(&mut stage, "user:a", "albums", 9), wanted);
    assert_eq!(stage.standing("org:o", Scope::Org, "albums").0, 0);
    assert_eq!(audit(&stage.records()), []);
}
