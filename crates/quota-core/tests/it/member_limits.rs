//! An org limits each of its members (O7).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use quota_core::amount::Limit;
use quota_core::answer::{Answer, MemberBalance, Rejection};
use quota_core::audit::audit;
use quota_core::catalog::{PlanLimit, PlanValue};
use quota_core::change::Effect;
use quota_core::command::{
    AccountSpec, ClearMemberLimit, Command, Release, Renew, Reset, SetMemberLimit, SetOverride,
};
use quota_core::denial::{Denial, Reason};
use quota_core::draw::Scope;
use quota_core::ids::OrgId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::AuditHome;
use quota_core::rules::entitlements::entitlements;
use quota_core::rules::member_limit::member_balance;
use quota_core::share::Share;
use quota_core::terms::Policy;

use crate::boosts::boost;
use crate::relocated::relocated;
use crate::stage::{
    Stage, code, commit, consume, grant, id, member, put_account, refund, release_capacity,
    reserve, start, subscribe, track, track_at,
};

pub fn limit(feature: &str, limit: u64) -> Command {
    Command::SetMemberLimit(SetMemberLimit {
        feature: code(feature),
        limit: Limit::Of(limit),
        expires_at: None,
        member_of: None,
    })
}

fn limit_of_one(feature: &str, limit: Limit) -> Command {
    Command::SetMemberLimit(SetMemberLimit {
        feature: code(feature),
        limit,
        expires_at: None,
        member_of: Some(OrgId::new("o").expect("a literal id")),
    })
}

fn spec(unlimited: bool) -> AccountSpec {
    AccountSpec {
        unlimited: Some(unlimited),
        ..member()
    }
}

/// How a member of the stage's org stands under its limit.
pub fn balance(stage: &Stage, user: &str, feature: &str) -> Option<MemberBalance> {
    let accounts = &stage.home.accounts;
    let (user, org) = (&accounts[&id(user)], &accounts[&id("org:o")]);
    let feature = &stage.catalog.features[&code(feature)];
    let own = stage.context().allowance(org, feature);
    member_balance(stage.now, (user, org), feature, &own).map(|balance| *balance)
}

/// Used and held.
pub fn counted(stage: &Stage, user: &str, feature: &str) -> (u64, u64) {
    let balance = balance(stage, user, feature).expect("a limit binds it");
    (balance.used, balance.held)
}

fn is_sound(stage: &Stage) {
    assert_eq!(audit(&stage.records()), []);
}

fn refused(stage: &mut Stage, user: &str, command: Command) -> u64 {
    let Denial {
        reason,
        scope,
        available,
        ..
    } = stage.denied(user, command);
    assert_eq!((reason, scope), (Reason::MemberLimitReached, Scope::Org));
    available
}

/// An org on `pro` (100 articles a month) that limits its members to 30 articles; `user:a` is unlimited by default.
fn limited() -> Stage {
    let mut stage = Stage::org("pro");
    stage.done("org:o", limit("articles", 30));
    stage
}

/// O7, E39: a member that is unlimited by default is bound, one of which that was said is not, nor one that has its own limit
/// instead; an override for one takes the place of what counts for all.
#[test]
fn e39_a_member_is_bound_unless_it_was_said_to_be_unlimited() {
    let mut stage = limited();
    stage.done("user:b", put_account(spec(true)));
    stage.done("user:a", consume("articles", 30));
    stage.done("user:b", consume("articles", 31));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 1)), 0);
    assert_eq!(balance(&stage, "user:b", "articles"), None);
    stage.done("user:a", limit_of_one("articles", Limit::Of(35)));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 6)), 5);
    stage.done("user:a", consume("articles", 5));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 1)), 0);
    stage.done("user:a", limit_of_one("articles", Limit::Unlimited));
    stage.done("user:a", consume("articles", 4));
    let org_full = stage.denied("user:a", consume("articles", 31));
    assert_eq!(org_full.reason, Reason::OrgLimitReached);
    let clear = Command::ClearMemberLimit(ClearMemberLimit {
        feature: code("articles"),
        member_of: Some(OrgId::new("o").expect("a literal id")),
    });
    stage.done("user:a", clear);
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 1)), 0);
    assert_eq!(counted(&stage, "user:a", "articles"), (39, 0));
    is_sound(&stage);
}

/// O7: a member that is not unlimited needs no subscription of its own for the limit to hold: but what it may use is decided by
/// its own scope first (F7).
#[test]
fn the_users_own_scope_is_asked_first() {
    let mut stage = limited();
    stage.done("user:b", put_account(spec(false)));
    let none = stage.denied("user:b", consume("articles", 1));
    assert_eq!(none.reason, Reason::NoSubscription);
    stage.done("user:b", subscribe("basic"));
    stage.done("user:b", consume("articles", 30));
    assert_eq!(refused(&mut stage, "user:b", consume("articles", 1)), 0);
    let both = stage.denied("user:b", consume("articles", 21));
    assert_eq!(both.reason, Reason::LimitReached);
    is_sound(&stage);
}

/// O7: the limit counts in the org's window and begins anew with it; it binds only while the org's subscription is in force.
#[test]
fn the_count_begins_anew_with_the_orgs_window() {
    let mut stage = limited();
    stage.done("user:a", consume("articles", 30));
    let denial = stage.denied("user:a", consume("articles", 1));
    let ends_at = stage.home.accounts[&id("org:o")].terms.subscription.clone();
    let ends_at = ends_at.expect("it has one").ends_at;
    assert_eq!(denial.resets_at, Some(ends_at));
    stage.done("org:o", Command::Renew(Renew::default()));
    stage.now = ends_at;
    assert_eq!(counted(&stage, "user:a", "articles"), (0, 0));
    stage.done("user:a", consume("articles", 30));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 1)), 0);
    stage.later(TimeDelta::days(40));
    assert_eq!(balance(&stage, "user:a", "articles"), None);
    let ended = stage.denied("user:a", consume("articles", 1));
    assert_eq!(ended.reason, Reason::OrgSubscriptionExpired);
    is_sound(&stage);
}

/// O7: what is held counts; what is released or refunded does not; a commit beyond the limit is done, and counts.
#[test]
fn holds_count_and_what_is_given_back_does_not() {
    let mut stage = limited();
    let id_of = |operation: &Operation| operation.id;
    let held = id_of(&stage.done("user:a", reserve("articles", 20, 600)));
    assert_eq!(counted(&stage, "user:a", "articles"), (0, 20));
    assert_eq!(
        refused(&mut stage, "user:a", reserve("articles", 11, 600)),
        10
    );
    let other = id_of(&stage.done("user:a", reserve("articles", 10, 600)));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 1)), 0);
    stage.done("user:a", commit(held, 15));
    assert_eq!(counted(&stage, "user:a", "articles"), (15, 10));
    let release = Command::Release(Release { reservation: other });
    stage.done("user:a", release);
    assert_eq!(counted(&stage, "user:a", "articles"), (15, 0));
    let late = id_of(&stage.done("user:a", reserve("articles", 15, 600)));
    stage.later(TimeDelta::seconds(600));
    assert_eq!(counted(&stage, "user:a", "articles"), (15, 15));
    let spent = stage.done("user:a", consume("articles", 10));
    assert_eq!(counted(&stage, "user:a", "articles"), (25, 0));
    stage.done("user:a", commit(late, 12));
    assert_eq!(counted(&stage, "user:a", "articles"), (37, 0));
    stage.done("user:a", refund(spent.id, Some(8)));
    assert_eq!(counted(&stage, "user:a", "articles"), (29, 0));
    stage.done("user:a", track("articles", 5));
    assert_eq!(counted(&stage, "user:a", "articles"), (34, 0));
    is_sound(&stage);
}

/// O7, X6: a reset of the org's window sets what its members used there to 0, and leaves what they hold.
#[test]
fn a_reset_of_the_org_resets_its_members() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", limit("try_on", 15));
    stage.done("org:o", grant("pack", 50));
    stage.done("user:a", consume("try_on", 12));
    stage.done("user:a", reserve("try_on", 3, 600));
    assert_eq!(counted(&stage, "user:a", "try_on"), (12, 3));
    let reset = Command::Reset(Reset {
        features: Vec::new(),
        token: None,
    });
    stage.done("org:o", reset);
    assert_eq!(counted(&stage, "user:a", "try_on"), (0, 3));
    stage.done("user:a", consume("try_on", 12));
    assert_eq!(refused(&mut stage, "user:a", consume("try_on", 1)), 0);
    assert_eq!(counted(&stage, "user:a", "try_on"), (12, 3));
    is_sound(&stage);
}

/// O7: whatever of the org pays counts: what its credits paid is within the limit, held, settled and refunded.
#[test]
fn what_the_orgs_credits_pay_counts() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", limit("renders", 9));
    stage.done("org:o", grant("pack", 100));
    let spent = stage.done("user:a", consume("renders", 7));
    assert_eq!(counted(&stage, "user:a", "renders"), (7, 0));
    assert_eq!(refused(&mut stage, "user:a", consume("renders", 3)), 2);
    let held = stage.done("user:a", reserve("renders", 2, 600)).id;
    assert_eq!(counted(&stage, "user:a", "renders"), (7, 2));
    stage.done("user:a", commit(held, 1));
    assert_eq!(counted(&stage, "user:a", "renders"), (8, 0));
    stage.done("user:a", refund(spent.id, Some(1)));
    stage.done("user:a", refund(spent.id, Some(3)));
    assert_eq!(counted(&stage, "user:a", "renders"), (4, 0));
    stage.done("user:a", consume("renders", 5));
    assert_eq!(refused(&mut stage, "user:a", consume("renders", 1)), 0);
    is_sound(&stage);
}

/// O7: a limit that is set in the middle of a window counts what the org's window was charged for the member before, holds that
/// are settled later included.
#[test]
fn a_limit_counts_what_was_used_before_it_was_set() {
    let mut stage = Stage::org("pro");
    let spent = stage.done("user:a", consume("articles", 10));
    let held = stage.done("user:a", reserve("articles", 5, 600)).id;
    stage.done("org:o", limit("articles", 20));
    assert_eq!(counted(&stage, "user:a", "articles"), (10, 0));
    let other = stage.done("user:a", reserve("articles", 10, 600)).id;
    stage.done("user:a", commit(held, 5));
    assert_eq!(counted(&stage, "user:a", "articles"), (15, 10));
    stage.done("user:a", refund(spent.id, None));
    stage.done("user:a", commit(other, 10));
    assert_eq!(counted(&stage, "user:a", "articles"), (15, 0));
    is_sound(&stage);
}

/// O7: what a member uses counts in the org's window, whatever paid it and whether or not a limit was set then: credits, boosts and
/// what is sold on demand as well as the allowance. A limit that is set after them counts them all, and so does its refund.
#[test]
fn a_limit_counts_what_credits_boosts_and_sales_paid_before_it_was_set() {
    let mut stage = Stage::org("meter");
    stage.done("org:o", grant("pack", 6));
    stage.done("org:o", boost("extra", "try_on", 5));
    // Allowance 10, boost 5, credits 6, on demand 4.
    let spent = stage.done("user:a", consume("try_on", 25));
    stage.done("org:o", limit("try_on", 27));
    assert_eq!(counted(&stage, "user:a", "try_on"), (25, 0));
    assert_eq!(refused(&mut stage, "user:a", consume("try_on", 3)), 2);
    stage.done("user:a", refund(spent.id, Some(12)));
    assert_eq!(counted(&stage, "user:a", "try_on"), (13, 0));
    is_sound(&stage);
}

/// O7: of a hold that was made before a limit was set counts what credits will pay; what the window will pay counts when it is
/// committed.
#[test]
fn a_limit_counts_what_credits_hold_when_it_is_set() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", grant("pack", 100));
    let held = stage.done("user:a", reserve("try_on", 14, 600)).id;
    stage.done("org:o", limit("try_on", 20));
    assert_eq!(counted(&stage, "user:a", "try_on"), (0, 4));
    stage.done("user:a", commit(held, 13));
    assert_eq!(counted(&stage, "user:a", "try_on"), (13, 0));
    is_sound(&stage);
}

/// O7, X6: what credits paid before a limit was set is gone with a reset of the org's window, as what the window paid is; and who was said
/// to be unlimited has its use counted for the time when it is not (U5).
#[test]
fn what_credits_paid_before_a_limit_follows_the_orgs_window() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", grant("pack", 100));
    stage.done("user:b", put_account(spec(true)));
    stage.done("user:b", consume("try_on", 14));
    stage.done("user:b", put_account(spec(false)));
    stage.done("user:b", subscribe("pro"));
    stage.done("org:o", limit("try_on", 20));
    assert_eq!(counted(&stage, "user:b", "try_on"), (14, 0));
    stage.done("org:o", Command::Reset(Reset::default()));
    assert_eq!(counted(&stage, "user:b", "try_on"), (0, 0));
    is_sound(&stage);
}

/// O7, O8: of a capacity a member may occupy so much of its org's; what it gives back, it may occupy again.
#[test]
fn of_a_capacity_a_member_may_occupy_so_much() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", limit("storage", 4));
    stage.done("org:o", limit("projects", 4));
    stage.done("org:o", grant("pack", 50));
    stage.done("user:a", consume("storage", 40));
    assert_eq!(refused(&mut stage, "user:a", consume("storage", 1)), 0);
    stage.done("user:a", release_capacity("storage", 15));
    assert_eq!(refused(&mut stage, "user:a", consume("storage", 16)), 15);
    stage.done("user:a", consume("projects", 4));
    assert_eq!(refused(&mut stage, "user:a", consume("projects", 1)), 0);
    stage.done("user:a", release_capacity("projects", 2));
    assert_eq!(counted(&stage, "user:a", "projects"), (2, 0));
    let held = stage.done("user:a", reserve("projects", 2, 600)).id;
    assert_eq!(refused(&mut stage, "user:a", consume("projects", 1)), 0);
    stage.done("user:a", commit(held, 2));
    assert_eq!(counted(&stage, "user:a", "projects"), (4, 0));
    is_sound(&stage);
}

/// O7, O4: under policy `track` nobody is denied by an exhausted org, and a member is denied by its limit all the same.
#[test]
fn under_policy_track_a_member_limit_denies() {
    let mut stage = limited();
    let policy = AccountSpec {
        policy: Some(Policy::Track),
        ..AccountSpec::default()
    };
    stage.done("org:o", put_account(policy));
    stage.done("org:o", limit("articles", 120));
    stage.done("user:a", consume("articles", 110));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 11)), 10);
    let held = stage.done("user:a", reserve("articles", 10, 600)).id;
    assert_eq!(counted(&stage, "user:a", "articles"), (110, 10));
    stage.done("user:a", commit(held, 10));
    assert_eq!(counted(&stage, "user:a", "articles"), (120, 0));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 1)), 0);
    is_sound(&stage);
}

/// O7: a limit of 0 means none; of several items the first reason is told, and `entitlements` show what the member may use.
#[test]
fn zero_means_none_and_entitlements_say_so() {
    let mut stage = limited();
    stage.done("org:o", limit("articles", 0));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 1)), 0);
    stage.done("org:o", limit("articles", 25));
    stage.done("user:a", consume("articles", 5));
    let accounts = &stage.home.accounts;
    let member = (&*accounts[&id("user:a")], Some(&*accounts[&id("org:o")]));
    let told = entitlements(&stage.context(), &id("user:a"), member);
    let mut limits = told.limits.iter();
    let articles = limits.find(|left| left.feature == Some(code("articles")));
    let articles = articles.expect("it is counted");
    let left = (articles.scope, articles.granted, articles.remaining);
    assert_eq!(left, (Scope::Org, Some(Limit::Of(25)), Some(20)));
    is_sound(&stage);
}

/// O7: who leaves its org and comes back in the same window goes on where it was; a limit of its own stayed with the org.
#[test]
fn who_comes_back_goes_on_where_it_was() {
    let (mut stage, mut own) = (limited(), Stage::new("user:a"));
    stage.done("user:a", limit_of_one("articles", Limit::Of(40)));
    stage.done("user:a", consume("articles", 25));
    relocated(&mut stage, &mut own);
    stage.later(TimeDelta::minutes(1));
    own.now = stage.now;
    relocated(&mut own, &mut stage);
    stage.done("user:a", subscribe("pro"));
    assert_eq!(counted(&stage, "user:a", "articles"), (25, 0));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 6)), 5);
    assert!(
        stage.home.accounts[&id("org:o")]
            .terms
            .left_members
            .is_empty()
    );
    stage.done("user:a", consume("articles", 5));
    is_sound(&stage);
}

/// O7, X5: what is told late counts in the org's window of that instant.
#[test]
fn what_is_told_late_counts_in_its_window() {
    let mut stage = limited();
    stage.done("org:o", Command::Renew(Renew::default()));
    let item = crate::stage::item("articles", 7);
    stage.later(TimeDelta::days(32));
    stage.done("user:a", consume("articles", 4));
    stage.done(
        "user:a",
        track_at(start() + TimeDelta::days(20), vec![item]),
    );
    assert_eq!(counted(&stage, "user:a", "articles"), (4, 0));
    is_sound(&stage);
}

/// O7: a limit for all and one for a member have the bounds and the words of any limit; nothing is set for who is no member.
#[test]
fn what_cannot_be_limited_is_refused() {
    let mut stage = limited();
    let mut run = |account: &str, command| stage.run(account, command).map(drop);
    let unknown = Err(Rejection::UnknownFeature(code("nothing")));
    assert_eq!(run("org:o", limit("nothing", 1)), unknown);
    let (field, least) = ("limit", 0);
    let most = 900_000_000_000_000_000;
    let large = run("org:o", limit("storage", most + 1));
    assert_eq!(large, Err(Rejection::OutOfRange { field, least, most }));
    let own = limit("articles", 1);
    assert_eq!(run("user:a", own), Err(Rejection::UnknownMember));
    let now = start();
    let past = Command::SetMemberLimit(SetMemberLimit {
        feature: code("articles"),
        limit: Limit::Of(1),
        expires_at: Some(now),
        member_of: None,
    });
    let field = "expires_at";
    assert_eq!(run("org:o", past), Err(Rejection::NotInFuture { field }));
    let again = stage.run("org:o", limit("articles", 30));
    assert!(!again.expect("nothing to do").is_booked);
}

/// O7: a limit that has an end counts no more from then on, and what was set before it is not back.
#[test]
fn a_limit_with_an_end_ends() {
    let mut stage = limited();
    let until = Command::SetMemberLimit(SetMemberLimit {
        feature: code("articles"),
        limit: Limit::Of(3),
        expires_at: Some(start() + TimeDelta::hours(1)),
        member_of: None,
    });
    stage.done("org:o", until);
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 4)), 3);
    stage.later(TimeDelta::hours(1));
    stage.done("user:a", consume("articles", 40));
    assert_eq!(balance(&stage, "user:a", "articles"), None);
    is_sound(&stage);
}

/// O7, F6: the org's own limit may be raised by an override; its members' limits are another matter.
#[test]
fn an_override_of_the_org_leaves_its_members_limits() {
    let mut stage = limited();
    let own = Command::SetOverride(SetOverride {
        feature: code("articles"),
        limit: Limit::Unlimited,
        expires_at: None,
    });
    stage.done("org:o", own);
    stage.done("user:a", consume("articles", 30));
    assert_eq!(refused(&mut stage, "user:a", consume("articles", 1)), 0);
    is_sound(&stage);
}

/// O7, O8: what is counted of a member, what it holds, and what an answer says of it are found when one of them is changed: so
/// is a share that would give the member more than its limit.
#[test]
fn tampering_with_what_a_member_used_is_found() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", limit("renders", 9));
    stage.done("org:o", grant("pack", 100));
    stage.done("user:a", consume("renders", 7));
    stage.done("user:a", reserve("renders", 1, 600));
    is_sound(&stage);
    let found = |tamper: &dyn Fn(&mut AuditHome)| {
        let mut home = stage.records();
        tamper(&mut home);
        let found = audit(&home).into_iter().map(|finding| finding.invariant);
        found.collect::<BTreeSet<_>>()
    };
    let share = |is_counted: bool, change: fn(&mut Share)| {
        found(&|home: &mut AuditHome| {
            let mut accounts = home.accounts.iter_mut();
            let member = accounts.find(|(of, _)| *of == id("user:a"));
            let shares = &mut member.expect("it is here").1.books.shares;
            let mut shares = shares.iter_mut();
            let share = shares.find(|(bucket, _)| bucket.is_member() == is_counted);
            change(share.expect("it is counted").1);
        })
    };
    let o7 = BTreeSet::from(["O7"]);
    assert_eq!(share(true, |share| share.units -= 1), o7);
    assert_eq!(share(true, |share| share.held = 0), o7);
    let o8 = BTreeSet::from(["O8"]);
    assert_eq!(share(false, |share| share.units -= 1), o8);
    let gone = found(&|home| {
        home.accounts.iter_mut().for_each(|(_, account)| {
            account.books.shares.clear();
        });
    });
    assert_eq!(gone, BTreeSet::from(["O7", "O8"]));
    let more = found(&|home| {
        let mut operations = home.operations.iter_mut();
        let spent = operations.find(|done| done.kind == OperationKind::Consume);
        let Answer::Allowed { balances } = &mut spent.expect("one").answer else {
            unreachable!("it was allowed")
        };
        let member = balances.iter_mut().find_map(|of| of.member.as_mut());
        member.expect("it was bound").limit = Limit::Of(6);
    });
    assert_eq!(more, o7);
}

/// O7: a member limit says that it changes nothing while the org has no way to pay for the feature.
#[test]
fn a_member_limit_of_what_the_org_does_not_have_says_so() {
    let mut stage = Stage::org("free");
    let of = |stage: &mut Stage, feature: &str| {
        let Answer::Changed { effect, .. } = stage.done("org:o", limit(feature, 3)).answer else {
            unreachable!("a limit was set")
        };
        effect
    };
    assert_eq!(of(&mut stage, "articles"), None);
    assert_eq!(of(&mut stage, "albums"), Some(Effect::IdleForPlan));
    // Credits could pay for it.
    assert_eq!(of(&mut stage, "try_on"), None);
}

/// O7, C1: what the plan lets each member use is said in shown units, as its limit is: of 4 kB a member may occupy 40.
#[test]
fn o7_a_plans_member_limit_is_in_shown_units() {
    let mut stage = Stage::org("pro");
    let mut file = stage.catalog.clone();
    let plan = file.plans.get_mut(&crate::stage::plan_code("pro"));
    let plan = plan.and_then(|versions| versions.last_mut());
    let limits = &mut plan.expect("a plan of the stage").limits;
    for (feature, member_limit) in [("storage", 4), ("articles", 30)] {
        let limit = PlanLimit {
            member_limit: Some(Limit::Of(member_limit)),
            ..PlanLimit::new(Limit::Of(100))
        };
        limits.insert(code(feature), PlanValue::Limits(vec![limit]));
    }
    stage.catalog = file;
    for (feature, units) in [("storage", 40), ("articles", 30)] {
        assert_eq!(
            refused(&mut stage, "user:a", consume(feature, units + 1)),
            units
        );
        stage.done("user:a", consume(feature, units));
        assert_eq!(refused(&mut stage, "user:a", consume(feature, 1)), 0);
    }
    is_sound(&stage);
}
