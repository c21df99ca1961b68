//! Whose member limits may be set, and what is said of those that change nothing (O7).

use quota_core::amount::Limit;
use quota_core::answer::{Answer, Rejection};
use quota_core::change::Effect;
use quota_core::command::{
    AccountSpec, Cancel, ClearMemberLimit, Command, Reset, SetMemberLimit, SetStatus,
};
use quota_core::denial::Reason;
use quota_core::ids::OrgId;
use quota_core::rules::scope_balances::overview;
use quota_core::terms::{Policy, Status};

use crate::member_limits::{balance, counted, limit};
use crate::stage::{Stage, code, consume, grant, id, member, put_account, reserve};

/// A limit of one, asked for by whoever answers for that org.
fn of_one(org: Option<&str>) -> Command {
    Command::SetMemberLimit(SetMemberLimit {
        feature: code("articles"),
        limit: Limit::Of(3),
        expires_at: None,
        member_of: org.map(|org| OrgId::new(org).expect("a literal id")),
    })
}

fn clear_one(org: Option<&str>) -> Command {
    Command::ClearMemberLimit(ClearMemberLimit {
        feature: code("articles"),
        member_of: org.map(|org| OrgId::new(org).expect("a literal id")),
    })
}

/// O7: a limit of one is set and taken away for a member of the very org that asks: for a member of another one, and for who lives in none,
/// it is refused, and nothing changes.
#[test]
fn o7_a_limit_of_one_is_for_a_member_of_the_org_that_asks() {
    let (mut inside, mut alone) = (Stage::org("pro"), Stage::user("pro"));
    inside.done("user:a", of_one(Some("o")));
    let refused = |stage: &mut Stage, command| {
        let before = stage.home.clone();
        let refused = stage.run("user:a", command).err();
        assert_eq!(refused, Some(Rejection::UnknownMember));
        assert_eq!(stage.home, before);
    };
    for org in [Some("other"), None] {
        refused(&mut inside, of_one(org));
        refused(&mut inside, clear_one(org));
    }
    for org in [Some("o"), None] {
        refused(&mut alone, of_one(org));
        refused(&mut alone, clear_one(org));
    }
    inside.done("user:a", clear_one(Some("o")));
}

fn effect(stage: &mut Stage, account: &str, command: Command) -> Option<Effect> {
    let Answer::Changed { effect, .. } = stage.done(account, command).answer else {
        unreachable!("a limit was set")
    };
    effect
}

/// O7: a limit says that it changes nothing now for a member that was said to be unlimited, and not for one that is by default; while the
/// org's subscription is not in force; and of what the org has no way to pay for, unless it books the excess (O4).
#[test]
fn o7_a_limit_that_changes_nothing_now_says_why() {
    let mut stage = Stage::org("free");
    assert_eq!(effect(&mut stage, "user:a", of_one(Some("o"))), None);
    let said = AccountSpec {
        unlimited: Some(true),
        ..member()
    };
    stage.done("user:b", put_account(said));
    let idle = effect(&mut stage, "user:b", of_one(Some("o")));
    assert_eq!(idle, Some(Effect::IdleForUnlimited));
    let idle = effect(&mut stage, "org:o", limit("albums", 1));
    assert_eq!(idle, Some(Effect::IdleForPlan));
    let track = AccountSpec {
        policy: Some(Policy::Track),
        ..AccountSpec::default()
    };
    stage.done("org:o", put_account(track));
    assert_eq!(effect(&mut stage, "org:o", limit("albums", 2)), None);
    stage.done("org:o", Command::Cancel(Cancel { at_once: true }));
    let idle = effect(&mut stage, "org:o", limit("articles", 2));
    assert_eq!(idle, Some(Effect::IdleForSubscription));
}

/// O7: what an org says to its members holds, and is shown, while its subscription is in force.
#[test]
fn o7_no_limit_of_members_is_shown_while_nothing_is_in_force() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", limit("articles", 30));
    let shown = |stage: &Stage| {
        let org = (&*stage.home.accounts[&id("org:o")], None);
        let overview = overview(&stage.context(), &id("org:o"), stage.home.version, org);
        let mut features = overview.features.into_iter();
        let articles = features.find(|one| one.feature.code == code("articles"));
        let each = articles.expect("it is counted").each_member;
        each.expect("an org has members").limit()
    };
    assert_eq!(shown(&stage), Some(Limit::Of(30)));
    for (status, limit) in [
        (Status::Unpaid, None),
        (Status::PastDue, Some(Limit::Of(30))),
    ] {
        stage.done("org:o", Command::SetStatus(SetStatus { status }));
        assert_eq!(shown(&stage), limit, "{status:?}");
    }
}

/// O7, O3 and O4: a limit of one holds while the org's subscription is in force and no longer: then the org itself decides, which limits nobody
/// if it never had one.
#[test]
fn o7_a_limit_of_one_holds_while_the_orgs_subscription_does() {
    let mut never = Stage::org("");
    never.done("user:a", of_one(Some("o")));
    never.done("user:a", consume("articles", 4));
    let mut ended = Stage::org("pro");
    ended.done("user:a", of_one(Some("o")));
    let denial = ended.denied("user:a", consume("articles", 4));
    assert_eq!(denial.reason, Reason::MemberLimitReached);
    ended.done("org:o", Command::Cancel(Cancel { at_once: true }));
    let denial = ended.denied("user:a", consume("articles", 4));
    assert_eq!(denial.reason, Reason::OrgSubscriptionExpired);
    let track = AccountSpec {
        policy: Some(Policy::Track),
        ..AccountSpec::default()
    };
    ended.done("org:o", put_account(track));
    ended.done("user:a", consume("articles", 4));
}

/// O7, R1: what a member is told to have left is what its next request gets: without what it holds.
#[test]
fn o7_what_a_member_has_left_is_without_what_it_holds() {
    let mut stage = Stage::org("pro");
    stage.done("org:o", limit("articles", 30));
    stage.done("user:a", consume("articles", 4));
    stage.done("user:a", reserve("articles", 5, 600));
    let told = balance(&stage, "user:a", "articles").expect("a limit binds it");
    assert_eq!((told.used, told.held, told.remaining), (4, 5, Some(21)));
    let denial = stage.denied("user:a", consume("articles", 22));
    assert_eq!(denial.available, 21);
}

/// O7, X6: where credits alone pay, and nothing is drawn from the org's window, a reset of it begins the member's count anew too.
#[test]
fn o7_a_reset_begins_anew_what_only_credits_paid() {
    let mut stage = Stage::org("free");
    stage.done("org:o", limit("try_on", 5));
    stage.done("org:o", grant("pack", 50));
    stage.done("user:a", consume("try_on", 4));
    assert_eq!(counted(&stage, "user:a", "try_on"), (4, 0));
    stage.done("org:o", Command::Reset(Reset::default()));
    assert_eq!(counted(&stage, "user:a", "try_on"), (0, 0));
    stage.done("user:a", consume("try_on", 5));
    let denial = stage.denied("user:a", consume("try_on", 1));
    assert_eq!(denial.available, 0);
}
