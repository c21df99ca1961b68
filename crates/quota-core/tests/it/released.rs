//! A capacity that is released and refunded: no unit is given back twice (X3, X4).

use std::collections::VecDeque;

use crate::cases::at_least;
use crate::relocated::relocated;
use crate::stage::{
    Stage, code, commit, consume, grant, id, item, refund, release_capacity, reserve, subscribe,
    track, track_at,
};
use chrono::TimeDelta;
use proptest::prelude::*;
use quota_core::audit::audit;
use quota_core::command::{Command, Reset};
use quota_core::draw::Scope;

const STORAGE: &str = "storage";

/// What is counted of the capacity at a scope, room included.
fn counted(stage: &mut Stage, account: &str, scope: Scope, feature: &str) -> u64 {
    let balance = stage.balance_of(account, scope, feature, None);
    let room = balance.room.map_or(0, |room| room.used);
    balance.used + balance.overage + room
}

fn of_user(stage: &mut Stage) -> u64 {
    counted(stage, "user:a", Scope::User, STORAGE)
}

/// X3 and X4: what was released of a consumption is not refunded, whatever was consumed since.
#[test]
fn x4_what_was_released_is_not_refunded_too() {
    let mut stage = Stage::user("pro");
    let first = stage.done("user:a", consume(STORAGE, 60));
    stage.done("user:a", release_capacity(STORAGE, 60));
    let second = stage.done("user:a", consume(STORAGE, 60));
    stage.done("user:a", refund(first.id, None));
    assert_eq!(of_user(&mut stage), 60, "the second is there");
    stage.denied("user:a", consume(STORAGE, 41));
    stage.done("user:a", refund(second.id, None));
    assert_eq!(of_user(&mut stage), 0);
    assert_eq!(audit(&stage.records()), []);
}

/// X4: a release names no consumption: it is taken to be of what was drawn first.
#[test]
fn x4_a_release_is_of_what_was_drawn_first() {
    let mut stage = Stage::user("pro");
    let first = stage.done("user:a", consume(STORAGE, 60));
    let second = stage.done("user:a", consume(STORAGE, 40));
    stage.done("user:a", release_capacity(STORAGE, 50));
    stage.done("user:a", refund(second.id, Some(30)));
    assert_eq!(of_user(&mut stage), 20, "10 of the first and of the second");
    stage.done("user:a", refund(first.id, None));
    assert_eq!(of_user(&mut stage), 10, "those of the second");
    stage.done("user:a", refund(second.id, None));
    assert_eq!(of_user(&mut stage), 0);
    assert_eq!(audit(&stage.records()), []);
}

/// X3 and X4: what could not be made is refunded though another unit was released meanwhile.
#[test]
fn x4_a_release_of_another_unit_stops_no_refund() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume(STORAGE, 1));
    let made = stage.done("user:a", consume(STORAGE, 1));
    stage.done("user:a", release_capacity(STORAGE, 1));
    stage.done("user:a", refund(made.id, None));
    assert_eq!(of_user(&mut stage), 0);
}

/// X3 and X4: room that was bought, released and taken again stays counted when what bought it is refunded.
#[test]
fn x4_room_that_another_consumption_took_stays_counted() {
    let mut stage = Stage::user("");
    stage.done("user:a", grant("pack", 10));
    let first = stage.done("user:a", consume("projects", 5));
    stage.done("user:a", release_capacity("projects", 5));
    stage.done("user:a", consume("projects", 5));
    stage.done("user:a", refund(first.id, None));
    assert_eq!(counted(&mut stage, "user:a", Scope::User, "projects"), 5);
    assert_eq!(
        stage.grant("user:a", "pack"),
        (0, 0),
        "the credits are back"
    );
    stage.done("user:a", release_capacity("projects", 5));
    assert_eq!(counted(&mut stage, "user:a", Scope::User, "projects"), 0);
    assert_eq!(audit(&stage.records()), []);
}

/// X4 and O8: the same at the org, for the member that asks.
#[test]
fn x4_an_org_gets_nothing_back_twice() {
    let mut stage = Stage::org("pro");
    let first = stage.done("user:a", consume(STORAGE, 30));
    stage.done("user:a", release_capacity(STORAGE, 30));
    stage.done("user:a", consume(STORAGE, 30));
    stage.done("user:a", refund(first.id, None));
    let of_org = counted(&mut stage, "org:o", Scope::Org, STORAGE);
    assert_eq!((of_user(&mut stage), of_org), (30, 30));
    assert_eq!(audit(&stage.records()), []);
}

/// X4, R2 and X5: commits and what was recorded are numbered like what was consumed, overage too.
#[test]
fn x4_commits_and_recorded_use_are_not_given_back_twice() {
    let mut stage = Stage::user("pro");
    let held = stage.done("user:a", reserve(STORAGE, 20, 60));
    let committed = stage.done("user:a", commit(held.id, 30));
    let told = stage.done("user:a", track(STORAGE, 90));
    assert_eq!(of_user(&mut stage), 120);
    stage.done("user:a", release_capacity(STORAGE, 30));
    stage.done("user:a", refund(committed.id, None));
    assert_eq!(of_user(&mut stage), 90, "the commit's were released");
    stage.done("user:a", refund(told.id, None));
    assert_eq!(of_user(&mut stage), 0);
    assert_eq!(audit(&stage.records()), []);
}

/// X4, X6 and S3: a reset, or a subscription that ends and comes again, begins a new count: nothing of it is given back for
/// what was drawn before.
#[test]
fn x4_what_a_reset_gave_back_is_not_refunded() {
    let mut stage = Stage::user("pro");
    let first = stage.done("user:a", consume(STORAGE, 10));
    let reset = Command::Reset(Reset {
        features: Vec::new(),
        token: None,
    });
    stage.done("user:a", reset);
    let second = stage.done("user:a", consume(STORAGE, 10));
    stage.done("user:a", refund(first.id, None));
    assert_eq!(of_user(&mut stage), 10);
    stage.later(TimeDelta::days(32));
    stage.done("user:a", subscribe("pro"));
    let there = of_user(&mut stage);
    stage.done("user:a", consume(STORAGE, 7));
    stage.done("user:a", refund(second.id, None));
    assert_eq!(of_user(&mut stage), 7, "of {there} before");
    assert_eq!(audit(&stage.records()), []);
}

/// X3, X4 and X5: of what is told late, that which is counted in a window that is over occupies nothing. A refund of it takes no number of
/// what was drawn since.
#[test]
fn x4_a_refund_of_late_use_takes_nothing_of_what_was_drawn_since() {
    let mut stage = Stage::user("");
    let albums = stage.catalog.features.get_mut(&code("albums"));
    albums.expect("a capacity").credit_cost = Some(1);
    stage.done("user:a", grant("pack", 10));
    let before = stage.now;
    stage.later(TimeDelta::days(1));
    stage.done("user:a", subscribe("pro"));
    let told = track_at(before, vec![item("albums", 12)]);
    let told = stage.done("user:a", told);
    let in_room = counted(&mut stage, "user:a", Scope::User, "albums");
    assert_eq!(
        in_room, 10,
        "the other 2 are in the window before the start"
    );
    let drawn = stage.done("user:a", consume("albums", 3));
    stage.done("user:a", refund(told.id, None));
    assert_eq!(counted(&mut stage, "user:a", Scope::User, "albums"), 3);
    stage.done("user:a", refund(drawn.id, None));
    assert_eq!(counted(&mut stage, "user:a", Scope::User, "albums"), 0);
    assert_eq!(audit(&stage.records()), []);
}

/// R2, X3 and X4: a hold of a window that is over is counted there, and what is used beyond it in the window that counts. The same in
/// parts.
#[test]
fn x4_a_refund_of_a_commit_over_two_windows_takes_nothing_of_what_was_drawn_since() {
    for parts in [
        vec![None],
        vec![Some(1), None],
        vec![Some(2), Some(1), Some(2)],
    ] {
        let mut stage = Stage::user("pro");
        stage.later(TimeDelta::days(20));
        let held = stage.done("user:a", reserve("albums", 3, 2_000_000));
        stage.later(TimeDelta::days(12));
        stage.done("user:a", subscribe("pro"));
        let committed = stage.done("user:a", commit(held.id, 5));
        assert_eq!(counted(&mut stage, "user:a", Scope::User, "albums"), 2);
        let drawn = stage.done("user:a", consume("albums", 3));
        for part in &parts {
            stage.done("user:a", refund(committed.id, *part));
        }
        assert_eq!(counted(&mut stage, "user:a", Scope::User, "albums"), 3);
        stage.done("user:a", refund(drawn.id, None));
        assert_eq!(counted(&mut stage, "user:a", Scope::User, "albums"), 0);
        assert_eq!(audit(&stage.records()), [], "{parts:?}");
    }
}

/// X3 and X4: the numbers go along when a user moves.
#[test]
fn x4_what_was_released_before_a_move_is_not_refunded_after_it() {
    let mut left = Stage::org("pro");
    left.done("user:a", subscribe("pro"));
    let first = left.done("user:a", consume(STORAGE, 40));
    left.done("user:a", release_capacity(STORAGE, 40));
    left.done("user:a", consume(STORAGE, 40));
    let mut own = Stage::new("user:a");
    own.now = left.now;
    relocated(&mut left, &mut own);
    let before = counted(&mut own, "user:a", Scope::User, STORAGE);
    own.settle_former(&mut left, refund(first.id, None))
        .expect("it is refunded");
    assert_eq!(counted(&mut own, "user:a", Scope::User, STORAGE), before);
    assert_eq!(before, 40);
    assert!(own.home.accounts.contains_key(&id("user:a")));
}

/// One step of a history of a capacity.
#[derive(Debug, Clone)]
enum Step {
    Consume(u64),
    Release(u64),
    /// Of the consumption at this place, so much.
    Refund(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_u64..6).prop_map(Step::Consume),
        2 => (1_u64..8).prop_map(Step::Release),
        2 => (0_usize..30, 1_u64..6).prop_map(|(of, units)| Step::Refund(of, units)),
    ]
}

/// Carries a history out with a capacity that a user draws: `counted` is what must be there after each step.
fn no_unit_is_given_back_twice(
    (mut stage, feature): (Stage, &str),
    steps: &[Step],
    counted: impl Fn(&mut Stage) -> Vec<u64>,
) -> Result<(), TestCaseError> {
    let mut done = Vec::new();
    // Each unit that is there, by the place of its consumption.
    let mut there: VecDeque<usize> = VecDeque::new();
    for step in steps {
        match *step {
            Step::Consume(units) => {
                let spent = stage.done("user:a", track(feature, units));
                there.extend((0..units).map(|_| done.len()));
                done.push((spent.id, units));
            }
            Step::Release(units) => {
                let released = stage.run("user:a", release_capacity(feature, units));
                released.expect("it is carried out");
                there.drain(..few(units).min(there.len()));
            }
            Step::Refund(of, units) => {
                let Some((id, not_refunded)) = done.get_mut(of) else {
                    continue;
                };
                let units = units.min(*not_refunded);
                if units == 0 {
                    continue;
                }
                stage.done("user:a", refund(*id, Some(units)));
                *not_refunded -= units;
                // Its units that are gone were released, the first ones; the last go back.
                for _ in 0..units {
                    let last = there.iter().rposition(|place| *place == of);
                    last.and_then(|last| there.remove(last));
                }
            }
        }
        for counted in counted(&mut stage) {
            prop_assert_eq!(few(counted), there.len());
        }
    }
    prop_assert_eq!(audit(&stage.records()), []);
    Ok(())
}

fn few(units: u64) -> usize {
    usize::try_from(units).expect("few")
}

proptest! {
    #![proptest_config(at_least(64))]

    /// X3 and X4: in any history, what is counted is what is there when releases take what was drawn first, and refunds the
    /// last units of their consumption: where credits pay, where the plan pays and overage follows, and at an org.
    #[test]
    fn x4_no_unit_is_given_back_twice(steps in prop::collection::vec(step(), 1..40)) {
        let mut paid = Stage::user("");
        paid.done("user:a", grant("pack", 1_000_000));
        no_unit_is_given_back_twice((paid, "projects"), &steps, |stage| {
            vec![counted(stage, "user:a", Scope::User, "projects")]
        })?;
        no_unit_is_given_back_twice((Stage::user("pro"), "albums"), &steps, |stage| {
            vec![counted(stage, "user:a", Scope::User, "albums")]
        })?;
        let mut mixed = Stage::user("pro");
        mixed.done("user:a", grant("pack", 5));
        no_unit_is_given_back_twice((mixed, "projects"), &steps, |stage| {
            vec![counted(stage, "user:a", Scope::User, "projects")]
        })?;
        let mut org = Stage::org("pro");
        org.done("org:o", grant("team", 7));
        no_unit_is_given_back_twice((org, "projects"), &steps, |stage| {
            let of_user = counted(stage, "user:a", Scope::User, "projects");
            vec![of_user, counted(stage, "org:o", Scope::Org, "projects")]
        })?;
    }
}
