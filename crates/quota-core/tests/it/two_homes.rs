//! What lies over two homes, given back: a late commit whose org's part is booked elsewhere, and windows closed before.

use crate::boosts::boost;
use crate::relocated::relocated;
use crate::stage::{Stage, code, commit, consume, grant, id, member, put_account, refund, reserve};
use chrono::TimeDelta;
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::balance::Balance;
use quota_core::command::{
    AccountSpec, ChangePlan, CloseWindows, Command, Reset, UsageAfterChange,
};
use quota_core::draw::Scope;
use quota_core::operation::{Operation, OperationKind};
use quota_core::unrefundable::Unrefundable;
use uuid::Uuid;

const CLOSE: Command = Command::CloseWindows(CloseWindows {
    cadence: None,
    features: Vec::new(),
});

/// A user that held 4 articles in an org and left it, and the late commit of 3 of them: the hold, and the commit.
fn committed_late(left: &mut Stage, to: &mut Stage) -> (Uuid, Operation) {
    left.done("user:a", put_account(member()));
    let held = left.done("user:a", reserve("articles", 4, 60));
    left.later(TimeDelta::minutes(2));
    left.done("org:o", consume("articles", 1));
    to.now = left.now;
    relocated(left, to);
    let late = to.settle_former(left, commit(held.id, 3));
    (held.id, late.expect("committed"))
}

/// What an operation changed at each scope, in either home.
fn parts(operation: &Operation) -> Vec<(Scope, i64)> {
    let entries = operation.all_entries();
    entries
        .map(|entry| (entry.scope, entry.used + entry.overage))
        .collect()
}

fn counted(stage: &mut Stage, account: &str, scope: Scope) -> u64 {
    let (used, _, overage) = stage.standing(account, scope, "articles");
    used + overage
}

fn of_user(stage: &mut Stage) -> u64 {
    counted(stage, "user:a", Scope::User)
}

fn of_org(stage: &mut Stage) -> u64 {
    counted(stage, "org:o", Scope::Org)
}

fn are_sound(homes: &[&Stage]) {
    for home in homes {
        assert_eq!(audit(&home.records()), [], "{}", home.home.id);
    }
}

/// X3: a late commit over two homes shows both parts, and a refund of it gives both back, in parts too and never more than
/// was taken, wherever the user lives by then.
#[test]
fn a_refund_of_a_late_commit_gives_the_orgs_part_back() {
    let (mut left, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
    let (_, late) = committed_late(&mut left, &mut own);
    assert_eq!(parts(&late), [(Scope::User, 3), (Scope::Org, 3)]);
    assert_eq!((of_user(&mut own), of_org(&mut left)), (3, 4));
    // In one home alone it is not to be had.
    let alone = own.run("user:a", refund(late.id, None));
    assert_eq!(alone, Err(Rejection::UnknownOperation));
    let part = own.settle_former(&mut left, refund(late.id, Some(1)));
    let part = part.expect("refunded");
    assert_eq!(parts(&part), [(Scope::User, -1), (Scope::Org, -1)]);
    assert_eq!((of_user(&mut own), of_org(&mut left)), (2, 3));
    let too_much = own.settle_former(&mut left, refund(late.id, Some(3)));
    let refundable = 2;
    assert_eq!(too_much, Err(Rejection::RefundTooLarge { refundable }));
    // From a third home: where it was booked, and where the org was charged, are two others.
    let mut third = Stage::new("org:p");
    third.now = own.now;
    third.done("org:p", put_account(AccountSpec::default()));
    relocated(&mut own, &mut third);
    let more = third.settle_over(&mut [&mut own, &mut left], refund(late.id, Some(1)));
    assert_eq!(
        parts(&more.expect("refunded")),
        [(Scope::User, -1), (Scope::Org, -1)]
    );
    assert_eq!((of_user(&mut third), of_org(&mut left)), (1, 2));
    assert_eq!(counted(&mut third, "org:p", Scope::Org), 0);
    // Back in the org of the hold: both parts are booked there, as one.
    relocated(&mut third, &mut left);
    let rest = left.settle_over(&mut [&mut own], refund(late.id, None));
    let rest = rest.expect("the rest");
    assert_eq!(parts(&rest), [(Scope::User, -1), (Scope::Org, -1)]);
    assert_eq!(rest.entries.len(), 2);
    assert_eq!((of_user(&mut left), of_org(&mut left)), (0, 1));
    let nothing = left.settle_over(&mut [&mut own], refund(late.id, None));
    assert_eq!(nothing, Err(Rejection::AlreadyRefunded));
    are_sound(&[&left, &own, &third]);
}

/// X3, X6: what the org set to 0 since stays 0, and the user's part comes back all the same.
#[test]
fn a_refund_of_a_late_commit_takes_nothing_of_what_the_org_used_since_its_reset() {
    let (mut left, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
    let (_, late) = committed_late(&mut left, &mut own);
    let reset = Command::Reset(Reset {
        features: Vec::new(),
        token: None,
    });
    left.done("org:o", reset);
    left.done("org:o", consume("articles", 5));
    let back = own.settle_former(&mut left, refund(late.id, None));
    assert_eq!(parts(&back.expect("refunded")), [(Scope::User, -3)]);
    assert_eq!((of_user(&mut own), of_org(&mut left)), (0, 5));
    are_sound(&[&left, &own]);
}

/// X3: the part that the org was charged is no use of the user's own, and is not refunded by itself.
#[test]
fn the_orgs_part_alone_is_not_refunded() {
    let (mut left, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
    let (_, late) = committed_late(&mut left, &mut own);
    let part = late.answer.elsewhere().expect("the org's part").operation;
    let alone = own.settle_former(&mut left, refund(part, None));
    let why = Unrefundable::Uncharged;
    assert_eq!(alone, Err(Rejection::NotRefundable { why }));
    assert_eq!(of_org(&mut left), 4);
}

/// R3, X8: back in the org of the hold, the error says what the commit came to that was booked elsewhere.
#[test]
fn a_late_commit_says_what_was_used_in_whichever_home_one_asks() {
    let (mut left, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
    let (held, late) = committed_late(&mut left, &mut own);
    relocated(&mut own, &mut left);
    let same = left.done("user:a", commit(held, 3));
    assert_eq!(
        parts(&same),
        [(Scope::Org, 3), (Scope::User, 3)],
        "the same parts as {}",
        late.id
    );
    let other = left.run("user:a", commit(held, 2));
    let Err(Rejection::ReservationEnded { ending }) = other else {
        unreachable!("expected how it ended, got {other:?}")
    };
    assert_eq!(ending.used, Some(3));
    assert_eq!(ending.at, Some(left.reservations[&held].expires_at));
}

fn closed_used(stage: &Stage, feature: &str) -> Vec<u64> {
    let closed = stage.closed.values().map(|closed| &closed.balance);
    let of = closed.filter(|balance| balance.bucket.feature() == Some(&code(feature)));
    of.map(Balance::spent).collect()
}

/// X3: of a window that was closed before a move, a second refund goes on from what the first one left.
#[test]
fn refunds_of_a_window_that_was_closed_before_a_move_add_up() {
    let (mut own, mut to) = (Stage::user("pro"), Stage::org_alone("pro"));
    let spent = own.done("user:a", consume("requests", 5));
    own.later(TimeDelta::days(2));
    own.done("user:a", CLOSE);
    to.now = own.now;
    relocated(&mut own, &mut to);
    for (part, left) in [(1, 4), (2, 2)] {
        to.settle_former(&mut own, refund(spent.id, Some(part)))
            .expect("refunded");
        assert_eq!(closed_used(&to, "requests"), [left]);
    }
    assert_eq!(to.lifetime("user:a", "requests"), 2);
    are_sound(&[&to]);
}

/// X3: what was consumed before a change of plan is refunded where the change moved it, also when that is closed by now.
#[test]
fn a_refund_reaches_a_closed_window_to_which_use_was_moved() {
    let mut stage = Stage::user("basic");
    let spent = stage.done("user:a", consume("articles", 5));
    stage.later(TimeDelta::days(3));
    let change = Command::ChangePlan(ChangePlan {
        plan: crate::stage::plan_code("pro"),
        when: None,
        usage: UsageAfterChange::Keep,
    });
    stage.done("user:a", change);
    assert_eq!(of_user(&mut stage), 5);
    stage.later(TimeDelta::days(90));
    // What others were moved to stays as long as they do.
    for _ in 0..2 {
        stage.done("user:a", CLOSE);
    }
    let articles = code("articles");
    let live = &stage.home.accounts[&id("user:a")].books.balances;
    let of_articles = |balance: &&Balance| balance.bucket.feature() == Some(&articles);
    assert_eq!(live.iter().find(of_articles), None);
    let alone = stage.run("user:a", refund(spent.id, Some(2)));
    assert_eq!(alone, Err(Rejection::UnknownOperation));
    let back = stage.settle_over(&mut [], refund(spent.id, Some(2)));
    assert_eq!(parts(&back.expect("refunded")), [(Scope::User, -2)]);
    assert_eq!(stage.lifetime("user:a", "articles"), 3);
    assert_eq!(closed_used(&stage, "articles").iter().sum::<u64>(), 3);
    are_sound(&[&stage]);
}

/// A user that spent 4 credits, and 40 articles of its allowance, a boost and what is sold on demand; then it joined an org,
/// and all of that was closed there: its own home, the org's, and both operations.
fn closed_in_an_org() -> (Stage, Stage, [Operation; 2]) {
    let (mut own, mut org) = (Stage::user("meter"), Stage::org_alone(""));
    own.done("user:a", grant("pack", 4));
    own.done("user:a", boost("more", "articles", 5));
    let paid = own.done("user:a", consume("renders", 2));
    let spent = own.done("user:a", consume("articles", 40));
    relocated(&mut own, &mut org);
    org.later(TimeDelta::days(40));
    org.done("user:a", CLOSE);
    assert_eq!(closed_used(&org, "articles").len(), 3);
    (own, org, [paid, spent])
}

/// Where the user lives after it left the org.
fn third(left: &mut Stage) -> Stage {
    let mut third = Stage::new("org:p");
    third.now = left.now;
    third.done("org:p", put_account(AccountSpec::default()));
    relocated(left, &mut third);
    third
}

/// X3, R6: what was closed in a home between is given back to, wherever the account lives by then: credits can be spent again,
/// and no use of a window, boost or sale is left.
#[test]
fn what_was_closed_in_a_home_between_is_given_back_to() {
    let (mut own, mut org, [paid, spent]) = closed_in_an_org();
    own.now = org.now;
    relocated(&mut org, &mut own);
    for operation in [&paid, &spent] {
        let alone = own.run("user:a", refund(operation.id, None));
        assert_eq!(alone, Err(Rejection::UnknownOperation));
        let back = own.settle_over(&mut [&mut org], refund(operation.id, None));
        back.expect("refunded");
        let again = own.settle_over(&mut [&mut org], refund(operation.id, None));
        assert_eq!(again, Err(Rejection::AlreadyRefunded));
    }
    assert_eq!(own.grant("user:a", "pack"), (0, 0));
    assert_eq!(own.lifetime("user:a", "articles"), 0);
    assert_eq!(closed_used(&own, "articles"), [0, 0, 0]);
    are_sound(&[&own, &org]);
}

/// X3: of what several homes have closed, the record that was lowered last counts, also where the account comes back to a home
/// with an older one.
#[test]
fn refunds_in_several_homes_of_what_was_closed_add_up() {
    let (mut own, mut org, [_, spent]) = closed_in_an_org();
    let mut third = third(&mut org);
    let part = third.settle_over(&mut [&mut org, &mut own], refund(spent.id, Some(10)));
    part.expect("refunded");
    assert_eq!(closed_used(&third, "articles"), [15]);
    relocated(&mut third, &mut org);
    for left in [20, 10, 0] {
        let part = org.settle_over(&mut [&mut third, &mut own], refund(spent.id, Some(10)));
        part.expect("refunded");
        assert_eq!(org.lifetime("user:a", "articles"), left);
        assert_eq!(closed_used(&org, "articles").iter().sum::<u64>(), left);
    }
    are_sound(&[&own, &org, &third]);
}

/// R6: a grant that a refund brought back, and that was spent and closed elsewhere after it, is brought back once more where
/// nothing was left of it.
#[test]
fn a_grant_that_came_back_is_found_where_it_was_closed_last() {
    let (mut own, mut org, [paid, _]) = closed_in_an_org();
    let mut third = third(&mut org);
    let back = third.settle_over(&mut [&mut org, &mut own], refund(paid.id, None));
    back.expect("refunded");
    let again = third.done("user:a", consume("renders", 2));
    relocated(&mut third, &mut org);
    org.done("user:a", CLOSE);
    relocated(&mut org, &mut third);
    let alone = third.run("user:a", refund(again.id, None));
    assert_eq!(alone, Err(Rejection::UnknownOperation));
    let back = third.settle_over(&mut [&mut org, &mut own], refund(again.id, None));
    back.expect("refunded");
    assert_eq!(third.grant("user:a", "pack"), (0, 0));
    are_sound(&[&own, &org, &third]);
}

/// R6: what an operation drew from and what is in no books is told, and nothing is booked.
#[test]
fn a_refund_of_what_is_in_no_books_is_refused() {
    let (mut own, mut org, [paid, _]) = closed_in_an_org();
    own.now = org.now;
    relocated(&mut org, &mut own);
    let back = own.settle_over(&mut [], refund(paid.id, None));
    assert_eq!(back.expect_err("a bug").code(), "balance_missing");
    let is_refund = |done: &Operation| done.kind == OperationKind::Refund;
    assert!(!own.operations.iter().any(is_refund));
}
