//! What happened before a move is refunded and settled late after it, each part where it belongs (X3).

use crate::relocated::relocated;
use crate::stage::{
    Stage, code, commit, consume, grant, id, member, put_account, refund, reserve, track,
};
use chrono::TimeDelta;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::balance::Balance;
use quota_core::command::{AccountSpec, Command, Reset};
use quota_core::draw::Scope;
use quota_core::operation::Operation;

fn used(stage: &mut Stage, account: &str, scope: Scope) -> u64 {
    stage.standing(account, scope, "articles").0
}

/// X3: what was consumed before a move is refunded after it, in parts too and never more than was taken: the user's part
/// where it lives now, the org's part at the org that was charged.
#[test]
fn what_was_consumed_before_a_move_is_refunded_where_its_parts_are() {
    let (mut left, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
    left.done("user:a", put_account(member()));
    let first = left.done("user:a", consume("articles", 1));
    let spent = left.done("user:a", consume("articles", 5));
    left.done("user:a", refund(spent.id, Some(1)));
    relocated(&mut left, &mut own);
    let part = own.settle_former(&mut left, refund(spent.id, Some(2)));
    let scopes = |done: &Operation| -> Vec<(Scope, i64)> {
        done.entries
            .iter()
            .map(|entry| (entry.scope, entry.used))
            .collect()
    };
    assert_eq!(scopes(&part.expect("refunded")), [(Scope::User, -2)]);
    let at_org = left.operations.last().expect("booked there too");
    assert_eq!(
        (scopes(at_org), at_org.refers_to),
        (vec![(Scope::Org, -2)], Some(spent.id))
    );
    assert_eq!(used(&mut own, "user:a", Scope::User), 3);
    assert_eq!(used(&mut left, "org:o", Scope::Org), 3);
    let too_much = own.settle_former(&mut left, refund(spent.id, Some(3)));
    let refundable = 2;
    assert_eq!(too_much, Err(Rejection::RefundTooLarge { refundable }));
    own.settle_former(&mut left, refund(spent.id, None))
        .expect("the rest");
    assert_eq!(used(&mut own, "user:a", Scope::User), 1);
    // What an operator set to 0 after the move stays 0; the org's part comes back all the same.
    own.later(TimeDelta::seconds(1));
    let features = Vec::new();
    own.done(
        "user:a",
        Command::Reset(Reset {
            features,
            token: None,
        }),
    );
    own.done("user:a", track("articles", 7));
    own.settle_former(&mut left, refund(first.id, None))
        .expect("refunded");
    assert_eq!(used(&mut left, "org:o", Scope::Org), 0);
    let standing = own.standing("user:a", Scope::User, "articles");
    assert_eq!(standing.0 + standing.2, 7);
    // Back in the org, what was refunded meanwhile is known.
    own.later(TimeDelta::seconds(1));
    left.now = own.now;
    relocated(&mut own, &mut left);
    let again = left.run("user:a", refund(spent.id, Some(1)));
    assert_eq!(again, Err(Rejection::AlreadyRefunded));
    for home in [own, left] {
        assert_eq!(audit(&home.records()), []);
    }
}

/// X3, R6: credits go back to the grant that the user took along.
#[test]
fn credits_spent_before_a_move_go_back_to_their_grant() {
    let mut own = Stage::user("pro");
    own.done("user:a", grant("pack", 9));
    let spent = own.done("user:a", consume("renders", 7));
    let mut to = Stage::org_alone("pro");
    relocated(&mut own, &mut to);
    assert_eq!(to.grant("user:a", "pack").0, 4);
    own.home.accounts.clear();
    to.settle_former(&mut own, refund(spent.id, Some(3)))
        .expect("refunded");
    assert_eq!(to.grant("user:a", "pack").0, 0);
    assert_eq!(to.standing("user:a", Scope::User, "renders").0, 4);
    assert_eq!(to.standing("org:o", Scope::Org, "renders").0, 0);
    assert_eq!(audit(&to.records()), []);
}

/// X3, R5: a hold that ran out before a move is committed late after it: the user is charged where it lives now, and the org
/// of the hold where that is; asked again, it gives the same answer.
#[test]
fn a_hold_from_before_a_move_is_committed_late_after_it() {
    let (mut left, mut to) = (Stage::org_alone("pro"), Stage::new("user:a"));
    left.done("user:a", put_account(member()));
    let held = left.done("user:a", reserve("articles", 4, 60));
    left.later(TimeDelta::minutes(2));
    left.done("org:o", consume("articles", 1));
    to.now = left.now;
    relocated(&mut left, &mut to);
    let late = to.settle_former(&mut left, commit(held.id, 3));
    let late = late.expect("committed");
    assert!(matches!(late.answer, Answer::Settled { late: true, .. }));
    let (_, _, overage) = to.standing("user:a", Scope::User, "articles");
    assert_eq!(overage, 3, "its default ended with the membership");
    assert_eq!(used(&mut left, "org:o", Scope::Org), 4);
    let org = &left.home.accounts[&id("org:o")];
    let charged_late = &org.terms.left_members[&id("user:a")].shares;
    assert_eq!(
        charged_late.values().map(|share| share.units).sum::<u64>(),
        3
    );
    let again = to.run("user:a", commit(held.id, 3)).expect("answered");
    assert_eq!(*again.operation, late);
    let other = to.run("user:a", commit(held.id, 2));
    assert_eq!(other.expect_err("it is over").code(), "reservation_ended");
    assert_eq!(audit(&left.records()), []);
    assert_eq!(audit(&to.records()), []);
}

/// X3, O8: the move gave the org back what the user occupied there; what is told late of it is occupied where the user lives,
/// and charged to no org, for no member could give it back.
#[test]
fn a_late_commit_of_a_capacity_charges_no_org_after_a_move() {
    let (mut left, mut to) = (Stage::org_alone("pro"), Stage::new("user:a"));
    left.done("user:a", put_account(member()));
    let held = left.done("user:a", reserve("albums", 4, 60));
    left.later(TimeDelta::minutes(2));
    left.done("org:o", consume("albums", 1));
    to.now = left.now;
    relocated(&mut left, &mut to);
    to.settle_former(&mut left, commit(held.id, 3))
        .expect("committed");
    let occupied = |stage: &mut Stage, account, scope| {
        let (used, _, overage) = stage.standing(account, scope, "albums");
        used + overage
    };
    assert_eq!(occupied(&mut to, "user:a", Scope::User), 3);
    assert_eq!(occupied(&mut left, "org:o", Scope::Org), 1);
    assert_eq!(audit(&left.records()), []);
    assert_eq!(audit(&to.records()), []);
}

/// O8 and X3: the org got back what a member that left had occupied. A refund after that takes nothing more of it, also
/// when the feature has left the catalog meanwhile: what is still occupied is another member's.
#[test]
fn a_refund_after_a_move_gives_back_no_capacity_of_others() {
    let albums = code("albums");
    for is_gone in [false, true] {
        let (mut left, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
        left.done("user:a", put_account(member()));
        left.done("user:b", put_account(member()));
        let occupied = left.done("user:a", consume("albums", 3));
        left.done("user:b", consume("albums", 2));
        relocated(&mut left, &mut own);
        if is_gone {
            left.catalog.features.remove(&albums);
            own.catalog.features.remove(&albums);
        }
        own.settle_former(&mut left, refund(occupied.id, None))
            .expect("refunded");
        let balances = left.home.accounts[&id("org:o")].books.balances.iter();
        let of_albums = balances.filter(|balance| balance.bucket.feature() == Some(&albums));
        let counted: u64 = of_albums.map(Balance::spent).sum();
        assert_eq!(counted, 2, "gone: {is_gone}");
        assert_eq!(audit(&left.records()), []);
        assert_eq!(audit(&own.records()), []);
    }
}

/// R3 and X3: a hold from before a move that was committed late where the account lived then is not taken again where it
/// comes back to.
#[test]
fn a_late_commit_counts_once_wherever_the_account_moves() {
    let (mut own, mut there) = (Stage::user("pro"), Stage::org_alone("pro"));
    let held = own.done("user:a", reserve("articles", 1, 60));
    own.later(TimeDelta::minutes(2));
    own.done("user:a", Command::Sweep);
    there.now = own.now;
    relocated(&mut own, &mut there);
    there
        .settle_former(&mut own, commit(held.id, 1))
        .expect("committed late");
    relocated(&mut there, &mut own);
    for actual in [1, 0] {
        let again = own.run("user:a", commit(held.id, actual));
        assert!(
            matches!(again, Err(Rejection::ReservationEnded { .. })),
            "{again:?}"
        );
    }
    let mut third = Stage::new("org:p");
    third.now = own.now;
    third.done("org:p", put_account(AccountSpec::default()));
    relocated(&mut own, &mut third);
    let again = third.settle_former(&mut own, commit(held.id, 1));
    assert!(
        matches!(again, Err(Rejection::ReservationEnded { .. })),
        "{again:?}"
    );
}

/// R3: a late commit is not carried out again where the account comes back to, when so much was refunded after it that it is
/// forgotten. What was held since is committed.
#[test]
fn a_late_commit_that_was_forgotten_is_not_made_again() {
    let (mut own, mut there) = (Stage::user("pro"), Stage::org_alone(""));
    let held = own.done("user:a", reserve("articles", 5, 60));
    let spent: Vec<_> = (0..260)
        .map(|_| own.done("user:a", track("requests", 1)).id)
        .collect();
    own.later(TimeDelta::minutes(2));
    own.done("user:a", Command::Sweep);
    there.now = own.now;
    relocated(&mut own, &mut there);
    there
        .settle_former(&mut own, commit(held.id, 5))
        .expect("committed late");
    for id in spent {
        there
            .settle_former(&mut own, refund(id, None))
            .expect("refunded");
    }
    relocated(&mut there, &mut own);
    let again = own.run("user:a", commit(held.id, 5));
    assert!(
        matches!(again, Err(Rejection::ReservationEnded { .. })),
        "{again:?}"
    );
    assert_eq!(own.lifetime("user:a", "articles"), 5);
    let held = own.done("user:a", reserve("articles", 2, 60));
    own.later(TimeDelta::minutes(2));
    own.done("user:a", commit(held.id, 2));
    assert_eq!(own.lifetime("user:a", "articles"), 7);
}

/// X3: so much was refunded since a move that the first of it is forgotten: it is not refunded a second time.
#[test]
fn a_refund_that_was_forgotten_is_not_made_again() {
    let (mut left, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
    left.done("user:a", put_account(member()));
    let spent: Vec<_> = (0..300)
        .map(|_| left.done("user:a", track("articles", 1)).id)
        .collect();
    relocated(&mut left, &mut own);
    for id in &spent {
        own.settle_former(&mut left, refund(*id, None))
            .expect("refunded");
    }
    for id in &spent {
        let again = own.settle_former(&mut left, refund(*id, None));
        assert!(
            matches!(
                again,
                Err(Rejection::AlreadyRefunded | Rejection::NotRefundable { .. })
            ),
            "{again:?}"
        );
    }
    let kept = own.home.accounts[&id("user:a")].books.refunded.len();
    assert_eq!(kept, 256);
}

/// O8: what a member occupied before it left, and what it occupies since it came back, are told apart.
#[test]
fn a_refund_of_an_earlier_stay_takes_nothing_of_the_present_one() {
    let (mut there, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
    there.done("user:a", put_account(member()));
    let first = there.done("user:a", consume("albums", 3));
    relocated(&mut there, &mut own);
    relocated(&mut own, &mut there);
    there.done("user:a", track("albums", 2));
    there.done("user:a", refund(first.id, None));
    let (used, _, overage) = there.standing("org:o", Scope::Org, "albums");
    assert_eq!(used + overage, 2);
    assert_eq!(audit(&there.records()), []);
}
