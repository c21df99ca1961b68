//! Room of a capacity: what credits or the trial paid for is occupied too, and comes back as room, not as credits (X4).

use crate::relocated::relocated;
use crate::stage::{
    Stage, code, commit, consume, grant, id, member, put_account, refund, release_capacity,
    reserve, subscribe, track,
};
use chrono::TimeDelta;
use quota_core::answer::Answer;
use quota_core::audit::audit;
use quota_core::catalog::{Kind, OnRenewal};
use quota_core::command::{CloseWindows, Command, Release, Renew, Reset};
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::operation::Operation;
use quota_core::rules::context::Context;
use quota_core::rules::entitlements::entitlements;
use quota_core::rules::share::charged;

const PROJECTS: &str = "projects";

fn scope_of(account: &str) -> Scope {
    if account.starts_with("org") {
        Scope::Org
    } else {
        Scope::User
    }
}

/// Bought, occupied, held and free room of an account.
fn room(stage: &mut Stage, account: &str) -> (u64, u64, u64, u64) {
    let balance = stage.balance_of(account, scope_of(account), PROJECTS, None);
    balance.room.map_or((0, 0, 0, 0), |room| {
        (room.granted, room.used, room.held, room.remaining)
    })
}

/// What is used in the allowance's window.
fn used(stage: &mut Stage, account: &str) -> u64 {
    stage.standing(account, scope_of(account), PROJECTS).0
}

/// What paid for an operation at a scope; what gave room back or bought it is none of that.
fn paid(operation: &Operation, scope: Scope) -> Vec<(Source, i64)> {
    let entries = operation.entries.iter();
    let draws = entries.filter(|entry| entry.scope == scope && !entry.is_beside());
    let amounts = draws.map(|entry| (entry.source, entry.used + entry.held + entry.overage));
    amounts.filter(|(_, amount)| *amount != 0).collect()
}

/// How much was given back at each scope.
fn released(operation: &Operation) -> Vec<(Scope, u64)> {
    let Answer::Released { released, .. } = &operation.answer else {
        unreachable!("a release of capacity: {operation:?}")
    };
    let parts = released.iter();
    parts.map(|part| (part.scope, part.amount)).collect()
}

fn use_of(value: u64) -> Command {
    consume(PROJECTS, value)
}

fn reset() -> Command {
    Command::Reset(Reset {
        features: vec![code(PROJECTS)],
        token: None,
    })
}

fn is_sound(stage: &Stage) {
    assert_eq!(audit(&stage.records()), [], "{}", stage.home.id);
}

/// A user of a plan with 3 projects and 5 credits, that occupies 5.
fn five_of_three() -> (Stage, Operation) {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 5));
    let spent = stage.done("user:a", use_of(5));
    let wanted = [(Source::Allowance, 3), (Source::Credits, 2)];
    assert_eq!(paid(&spent, Scope::User), wanted);
    (stage, spent)
}

/// X4: what credits paid is occupied, comes back as room before the allowance's does, and is taken again before credits are
/// burnt; not below 0.
#[test]
fn x4_what_credits_paid_is_occupied_and_comes_back_as_room() {
    let (mut stage, _) = five_of_three();
    assert_eq!(room(&mut stage, "user:a"), (2, 2, 0, 0));
    let back = stage.done("user:a", release_capacity(PROJECTS, 4));
    assert_eq!(released(&back), [(Scope::User, 4)]);
    assert_eq!(
        paid(&back, Scope::User),
        [(Source::Room, -2), (Source::Allowance, -2)]
    );
    assert_eq!(room(&mut stage, "user:a"), (2, 0, 0, 2));
    assert_eq!(stage.grant("user:a", "pack"), (2, 0), "no credits");
    let denied = stage.denied("user:a", use_of(8));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::LimitReached, 2 + 2 + 3)
    );
    let again = stage.done("user:a", use_of(5));
    let wanted = [
        (Source::Allowance, 2),
        (Source::Room, 2),
        (Source::Credits, 1),
    ];
    assert_eq!(paid(&again, Scope::User), wanted);
    assert_eq!(room(&mut stage, "user:a"), (3, 3, 0, 0));
    assert_eq!(stage.lifetime("user:a", PROJECTS), 10);
    let all = stage.done("user:a", release_capacity(PROJECTS, 500));
    assert_eq!(released(&all), [(Scope::User, 6)]);
    assert_eq!(used(&mut stage, "user:a"), 0);
    assert_eq!(room(&mut stage, "user:a"), (3, 0, 0, 3));
    assert_eq!(stage.lifetime("user:a", PROJECTS), 10);
    is_sound(&stage);
}

/// X4 and F2: without a subscription, free room comes first, then credits, then the trial; what the trial paid is room too.
#[test]
fn x4_what_a_trial_paid_comes_back_as_room_without_a_subscription() {
    let mut stage = Stage::user("");
    stage.done("user:a", grant("pack", 2));
    let spent = stage.done("user:a", use_of(3));
    let wanted = [(Source::Credits, 2), (Source::Trial, 1)];
    assert_eq!(paid(&spent, Scope::User), wanted);
    let back = stage.done("user:a", release_capacity(PROJECTS, 2));
    assert_eq!(released(&back), [(Scope::User, 2)]);
    assert_eq!(room(&mut stage, "user:a"), (3, 1, 0, 2));
    let balance = stage.balance_of("user:a", Scope::User, PROJECTS, None);
    assert_eq!(balance.trial, Some(1), "a use of the trial is used");
    let denied = stage.denied("user:a", use_of(4));
    assert_eq!(
        (denied.reason, denied.available),
        (Reason::CreditsExhausted, 3)
    );
    let again = stage.done("user:a", use_of(3));
    let wanted = [(Source::Room, 2), (Source::Trial, 1)];
    assert_eq!(paid(&again, Scope::User), wanted);
    assert_eq!(room(&mut stage, "user:a"), (4, 4, 0, 0));
    is_sound(&stage);
}

/// X4: overage was drawn last of all and goes back first, then what was bought, then what the allowance paid.
#[test]
fn overage_goes_back_before_bought_room() {
    let (mut stage, _) = five_of_three();
    stage.done("user:a", track(PROJECTS, 4));
    let standing = stage.standing("user:a", Scope::User, PROJECTS);
    assert_eq!(standing, (3, 0, 1));
    assert_eq!(room(&mut stage, "user:a"), (5, 5, 0, 0));
    let back = stage.done("user:a", release_capacity(PROJECTS, 2));
    let wanted = [(Source::Room, -1), (Source::Allowance, -1)];
    assert_eq!(paid(&back, Scope::User), wanted);
    let standing = stage.standing("user:a", Scope::User, PROJECTS);
    assert_eq!(standing, (3, 0, 0));
    assert_eq!(room(&mut stage, "user:a"), (5, 4, 0, 1));
    is_sound(&stage);
}

/// X4 and R2: a hold buys nothing; what is committed of it does. Free room is held, and settled, like an allowance.
#[test]
fn x4_a_hold_buys_room_when_it_is_committed() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 5));
    let held = stage.done("user:a", reserve(PROJECTS, 5, 60));
    assert_eq!(room(&mut stage, "user:a"), (0, 0, 0, 0));
    stage.done("user:a", commit(held.id, 4));
    assert_eq!(stage.grant("user:a", "pack"), (1, 0));
    assert_eq!(room(&mut stage, "user:a"), (1, 1, 0, 0));
    stage.done("user:a", release_capacity(PROJECTS, 2));
    let held = stage.done("user:a", reserve(PROJECTS, 3, 60));
    let wanted = [
        (Source::Allowance, 1),
        (Source::Room, 1),
        (Source::Credits, 1),
    ];
    assert_eq!(paid(&held, Scope::User), wanted);
    assert_eq!(room(&mut stage, "user:a"), (1, 0, 1, 0));
    // More than was held, and more than all credits: the rest is overage.
    stage.done("user:a", commit(held.id, 7));
    assert_eq!(room(&mut stage, "user:a"), (5, 5, 0, 0));
    let standing = stage.standing("user:a", Scope::User, PROJECTS);
    assert_eq!(standing, (3, 0, 1));
    assert_eq!(stage.lifetime("user:a", PROJECTS), 4 + 7);
    is_sound(&stage);
}

/// X4, R3 and R4: what is released, or expires, buys nothing and leaves room as it was; a late commit buys.
#[test]
fn x4_a_hold_that_is_given_back_buys_no_room() {
    let (mut stage, _) = five_of_three();
    stage.done("user:a", release_capacity(PROJECTS, 1));
    let held = stage.done("user:a", reserve(PROJECTS, 2, 60));
    assert_eq!(room(&mut stage, "user:a"), (2, 1, 1, 0));
    let reservation = held.id;
    stage.done("user:a", Command::Release(Release { reservation }));
    assert_eq!(room(&mut stage, "user:a"), (2, 1, 0, 1));
    let held = stage.done("user:a", reserve(PROJECTS, 2, 60));
    stage.later(TimeDelta::seconds(60));
    stage.done("user:a", Command::Sweep);
    assert_eq!(room(&mut stage, "user:a"), (2, 1, 0, 1));
    assert_eq!(stage.grant("user:a", "pack"), (2, 0));
    stage.done("user:a", commit(held.id, 2));
    assert_eq!(room(&mut stage, "user:a"), (3, 3, 0, 0));
    is_sound(&stage);
}

/// X4 and X3: a refund of what credits paid gives the credits back, and the room is bought no more.
#[test]
fn x4_a_refund_gives_credits_back_for_the_room() {
    let (mut stage, spent) = five_of_three();
    stage.done("user:a", refund(spent.id, Some(1)));
    assert_eq!(stage.grant("user:a", "pack"), (1, 0));
    assert_eq!(room(&mut stage, "user:a"), (1, 1, 0, 0));
    stage.done("user:a", refund(spent.id, None));
    assert_eq!(stage.grant("user:a", "pack"), (0, 0));
    assert_eq!(room(&mut stage, "user:a"), (0, 0, 0, 0));
    assert_eq!(used(&mut stage, "user:a"), 0);
    assert_eq!(stage.lifetime("user:a", PROJECTS), 0);
    is_sound(&stage);
}

/// X4 and X3: what was given back as room is refunded as credits, and there is no room then; what was drawn from room goes
/// back there.
#[test]
fn x4_a_refund_after_a_release_takes_the_free_room_away() {
    let (mut stage, spent) = five_of_three();
    stage.done("user:a", release_capacity(PROJECTS, 4));
    let again = stage.done("user:a", use_of(3));
    let wanted = [(Source::Allowance, 2), (Source::Room, 1)];
    assert_eq!(paid(&again, Scope::User), wanted);
    let back = stage.done("user:a", refund(again.id, Some(2)));
    let wanted = [(Source::Allowance, -1), (Source::Room, -1)];
    assert_eq!(paid(&back, Scope::User), wanted);
    assert_eq!(room(&mut stage, "user:a"), (2, 0, 0, 2));
    stage.done("user:a", refund(spent.id, Some(2)));
    assert_eq!(stage.grant("user:a", "pack"), (0, 0));
    assert_eq!(room(&mut stage, "user:a"), (0, 0, 0, 0));
    // Of its five units four were released, the first ones; the last goes back now.
    assert_eq!(used(&mut stage, "user:a"), 1);
    let denied = stage.denied("user:a", use_of(8));
    assert_eq!(denied.available, 2 + 5);
    is_sound(&stage);
}

/// X4 and F3: where a unit costs several credits of two grants, room is counted in units.
#[test]
fn room_is_counted_in_units_whatever_they_cost() {
    let mut stage = Stage::user("pro");
    let feature = stage.catalog.features.get_mut(&code(PROJECTS));
    feature.expect("it is in the catalog").credit_cost = Some(3);
    stage.done("user:a", grant("one", 4));
    stage.done("user:a", grant("two", 8));
    let spent = stage.done("user:a", use_of(7));
    assert_eq!(room(&mut stage, "user:a"), (4, 4, 0, 0));
    stage.done("user:a", refund(spent.id, Some(3)));
    assert_eq!(room(&mut stage, "user:a"), (1, 1, 0, 0));
    let left = (stage.grant("user:a", "one"), stage.grant("user:a", "two"));
    assert_eq!(left, ((3, 0), (0, 0)));
    is_sound(&stage);
}

/// An org with 3 projects in its plan, 4 credits, and two members.
fn org() -> Stage {
    let mut stage = Stage::org("pro");
    stage.done("user:b", put_account(member()));
    stage.done("org:o", grant("team", 4));
    stage
}

/// X4 and O8: an org's credits can pay; a member gives back of that room what it was charged for, and no more; the report
/// of members has it.
#[test]
fn x4_an_orgs_room_comes_back_by_the_member_that_it_was_charged_for() {
    let mut stage = org();
    stage.done("user:a", use_of(3));
    let of_b = stage.done("user:b", use_of(2));
    assert_eq!(paid(&of_b, Scope::Org), [(Source::Credits, 2)]);
    let both = [(Scope::User, 3), (Scope::Org, 3)];
    let back = stage.done("user:a", release_capacity(PROJECTS, 5));
    assert_eq!(released(&back), both, "of the org no more than its own");
    assert_eq!(room(&mut stage, "org:o"), (2, 2, 0, 0));
    let back = stage.done("user:b", release_capacity(PROJECTS, 1));
    assert_eq!(paid(&back, Scope::Org), [(Source::Room, -1)]);
    let again = stage.done("user:a", use_of(4));
    let wanted = [(Source::Allowance, 3), (Source::Room, 1)];
    assert_eq!(paid(&again, Scope::Org), wanted);
    let of = |user: &str| {
        let context = stage.context();
        let feature = &stage.catalog.features[&code(PROJECTS)];
        let org = &stage.home.accounts[&id("org:o")];
        let shares = &stage.home.accounts[&id(user)].books.shares;
        charged(&context, org, feature, shares)
    };
    assert_eq!((of("user:a"), of("user:b")), (4, 1));
    // Of what b's use bought, a occupies one: that stays, beyond what is bought then, and nothing more is granted.
    stage.done("user:b", refund(of_b.id, None));
    assert_eq!(stage.grant("org:o", "team"), (0, 0));
    assert_eq!(room(&mut stage, "org:o"), (0, 1, 0, 0));
    let back = stage.done("user:a", release_capacity(PROJECTS, 9));
    assert_eq!(released(&back), [(Scope::User, 4), (Scope::Org, 4)]);
    assert_eq!(room(&mut stage, "org:o"), (0, 0, 0, 0));
    is_sound(&stage);
}

/// X4 and X6: a reset leaves nothing occupied of bought room, and the room bought; what is refunded later is bought no more,
/// and nothing is given back twice. What a member occupies no more, its org is charged for no more.
#[test]
fn x4_a_reset_sets_bought_room_free() {
    let (mut stage, spent) = five_of_three();
    stage.done("user:a", reset());
    assert_eq!(room(&mut stage, "user:a"), (2, 0, 0, 2));
    assert_eq!(stage.lifetime("user:a", PROJECTS), 5);
    stage.done("user:a", use_of(4));
    assert_eq!(room(&mut stage, "user:a"), (2, 1, 0, 1));
    stage.done("user:a", refund(spent.id, None));
    assert_eq!(room(&mut stage, "user:a"), (0, 1, 0, 0));
    assert_eq!(used(&mut stage, "user:a"), 3);
    is_sound(&stage);
    let mut stage = org();
    stage.done("user:b", use_of(1));
    stage.done("user:a", use_of(4));
    stage.done("user:a", reset());
    assert_eq!(room(&mut stage, "org:o"), (2, 0, 0, 2));
    assert_eq!(used(&mut stage, "org:o"), 1, "that of b");
    stage.done("org:o", reset());
    stage.done("user:b", release_capacity(PROJECTS, 1));
    assert_eq!(used(&mut stage, "org:o"), 0);
    is_sound(&stage);
}

/// X4, S3 and S4: bought room outlasts subscription, renewal and closing of windows, whether a renewal sets use to 0 or not.
#[test]
fn x4_bought_room_stays_bought_and_occupied() {
    for on_renewal in [OnRenewal::Reset, OnRenewal::Carry] {
        let mut stage = Stage::user("");
        let feature = stage.catalog.features.get_mut(&code(PROJECTS));
        feature.expect("it is in the catalog").on_renewal = Some(on_renewal);
        stage.done("user:a", subscribe("pro"));
        stage.done("user:a", grant("pack", 5));
        stage.done("user:a", use_of(5));
        stage.done("user:a", Command::Renew(Renew { ends_at: None }));
        stage.later(TimeDelta::days(35));
        let close = Command::CloseWindows(CloseWindows::default());
        stage.done("user:a", close.clone());
        assert_eq!(room(&mut stage, "user:a"), (2, 2, 0, 0));
        stage.later(TimeDelta::days(60));
        stage.done("user:a", close);
        stage.done("user:a", release_capacity(PROJECTS, 1));
        let spent = stage.done("user:a", use_of(1));
        assert_eq!(paid(&spent, Scope::User), [(Source::Room, 1)]);
        is_sound(&stage);
    }
}

/// X4 and O8: a user takes its room along when it moves; of the room that its org bought for it nothing is occupied then.
/// A late commit after that buys the org room, and occupies none.
#[test]
fn x4_room_goes_along_with_its_account() {
    let mut left = org();
    let unlimited = quota_core::command::AccountSpec {
        unlimited: Some(false),
        ..Default::default()
    };
    left.done("user:a", put_account(unlimited));
    left.done("user:a", grant("pack", 9));
    let spent = left.done("user:a", use_of(5));
    let held = left.done("user:a", reserve(PROJECTS, 2, 60));
    left.later(TimeDelta::minutes(2));
    let mut own = Stage::new("user:a");
    own.now = left.now;
    left.done("user:b", Command::Sweep);
    assert_eq!(room(&mut left, "org:o"), (2, 2, 0, 0));
    relocated(&mut left, &mut own);
    assert_eq!(room(&mut left, "org:o"), (2, 0, 0, 2));
    assert_eq!(room(&mut own, "user:a"), (5, 5, 0, 0));
    is_sound(&left);
    // Of the org's room one is free afterwards, and two more are paid by its last credits: none is occupied.
    left.done("user:b", use_of(5));
    own.settle_former(&mut left, commit(held.id, 2))
        .expect("committed late");
    assert_eq!(room(&mut left, "org:o"), (4, 2, 0, 2));
    assert_eq!(room(&mut own, "user:a"), (7, 7, 0, 0));
    own.settle_former(&mut left, refund(spent.id, Some(4)))
        .expect("refunded");
    assert_eq!(room(&mut left, "org:o"), (2, 2, 0, 0));
    assert_eq!(room(&mut own, "user:a"), (3, 3, 0, 0));
    for home in [&left, &own] {
        is_sound(home);
    }
}

/// X4: what credits paid before it was room is refunded as credits, and takes no other room away; a consumable has none.
#[test]
fn what_was_never_room_is_refunded_without_it() {
    let mut stage = Stage::user("");
    stage.done("user:a", grant("pack", 9));
    let kind = |stage: &mut Stage, kind| {
        let feature = stage.catalog.features.get_mut(&code(PROJECTS));
        feature.expect("it is in the catalog").kind = kind;
    };
    kind(&mut stage, Kind::Consumable);
    let before = stage.done("user:a", use_of(3));
    assert_eq!(before.entries.len(), 1, "the credits and nothing else");
    kind(&mut stage, Kind::Capacity);
    stage.done("user:a", use_of(2));
    stage.done("user:a", refund(before.id, None));
    assert_eq!(stage.grant("user:a", "pack"), (2, 0));
    assert_eq!(room(&mut stage, "user:a"), (2, 2, 0, 0));
    is_sound(&stage);
}

/// X4: an unlimited user draws on no room, and entitlements count free room where they say of whom less is left.
#[test]
fn entitlements_count_free_room_in() {
    let (mut stage, _) = five_of_three();
    stage.done("user:a", release_capacity(PROJECTS, 2));
    let context = Context {
        now: stage.now,
        catalog: &stage.catalog,
        grace: crate::stage::GRACE,
    };
    let account = &stage.home.accounts[&id("user:a")];
    let said = entitlements(&context, &id("user:a"), (account, None));
    let mut limits = said.limits.iter();
    let limit = limits.find(|limit| limit.feature == Some(code(PROJECTS)));
    let limit = limit.expect("it is counted");
    assert_eq!(limit.remaining, Some(0));
    assert_eq!(limit.room.map(|room| room.remaining), Some(2));
    let unlimited = quota_core::command::AccountSpec {
        unlimited: Some(true),
        ..Default::default()
    };
    stage.done("user:a", put_account(unlimited));
    let spent = stage.done("user:a", use_of(1));
    assert_eq!(paid(&spent, Scope::User), [(Source::Unlimited, 1)]);
    assert_eq!(room(&mut stage, "user:a"), (2, 0, 0, 2));
    is_sound(&stage);
}
