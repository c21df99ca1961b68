//! A user moves from one home to another, and its books go along.

use crate::stage::{
    GRACE, Stage, commit, consume, grant, id, put_account, refund, release_capacity, reserve,
    subscribe, track,
};
use chrono::TimeDelta;
use quota_core::answer::{Answer, Rejection};
use quota_core::audit::audit;
use quota_core::balance::{Balance, Bucket};
use quota_core::change::Effect;
use quota_core::command::{AccountSpec, CloseWindows, Command, Reset};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::home::Account;
use quota_core::ids::{AccountId, OrgId};
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::AuditHome;
use quota_core::rules::context::Context;
use quota_core::rules::relocate;
use quota_core::rules::share::charged;

/// Moves `user:a`, as a store does.
fn relocated(from: &mut Stage, to: &mut Stage) {
    let request = to.request("user:a", Command::Sweep);
    let catalog = to.catalog.clone();
    let context = Context {
        now: to.now,
        catalog: &catalog,
        grace: GRACE,
    };
    let org = to.home.id.as_str().strip_prefix("org:");
    let org = org.map(|org| OrgId::new(org).expect("a valid id"));
    let homes = (&from.home, &to.home);
    let moved = relocate(homes, org.as_ref(), &request, &context).expect("it may move");
    from.home.accounts.remove(&moved.user);
    from.home.version = moved.left.sequence;
    if let Some(org) = moved.left_org {
        from.home.accounts.insert(from.home.id.clone(), org.into());
    }
    from.operations.push(moved.left);
    to.home.accounts.insert(moved.user, moved.account.into());
    to.home.version = moved.joined.sequence;
    to.operations.push(moved.joined);
}

/// A user that has used, was granted credits and has closed windows, and an org.
fn moved_in() -> (Stage, Stage) {
    let mut from = Stage::user("pro");
    from.done("user:a", grant("pack", 9));
    from.done("user:a", consume("articles", 4));
    from.done("user:a", consume("renders", 7));
    from.done("user:a", track("requests", 12));
    let held = from.done("user:a", reserve("articles", 3, 60));
    from.done("user:a", commit(held.id, 2));
    from.later(TimeDelta::days(2));
    from.done("user:a", CLOSE);
    let mut to = org();
    to.now = from.now;
    relocated(&mut from, &mut to);
    to.done("user:a", consume("articles", 3));
    to.done("user:a", consume("requests", 1));
    (from, to)
}

const CLOSE: Command = Command::CloseWindows(CloseWindows {
    cadence: None,
    features: Vec::new(),
});

fn found(stage: &AuditHome) -> Vec<&'static str> {
    let findings = audit(stage);
    findings.iter().map(|finding| finding.invariant).collect()
}

fn org() -> Stage {
    let mut stage = Stage::new("org:o");
    stage.done("org:o", put_account(AccountSpec::default()));
    stage.done("org:o", subscribe("pro"));
    stage
}

/// X3 and X6: a reset of the former home does not keep what is used in the new one from being refunded.
#[test]
fn what_is_used_after_a_move_is_refunded() {
    let mut from = Stage::user("pro");
    for _ in 0..9 {
        from.done("user:a", consume("articles", 1));
    }
    let features = Vec::new();
    from.done(
        "user:a",
        Command::Reset(Reset {
            features,
            token: None,
        }),
    );
    from.done("user:a", consume("articles", 2));
    let mut to = org();
    relocated(&mut from, &mut to);
    assert!(to.home.version < 9, "the new home is younger");
    let spent = to.done("user:a", consume("articles", 5));
    assert_eq!(to.standing("user:a", Scope::User, "articles").0, 7);
    to.done("user:a", refund(spent.id, None));
    assert_eq!(to.standing("user:a", Scope::User, "articles").0, 2);
    assert_eq!(to.standing("org:o", Scope::Org, "articles").0, 0);
}

/// U8, E40: ann is unlimited by the default inside an org, bob because it was said. Both leave: ann is decided by her own
/// plan, bob stays unlimited; the answer says which. What was never said is not given by joining.
#[test]
fn e40_a_user_that_leaves_its_org_keeps_unlimited_only_if_it_was_said() {
    let said = |unlimited| AccountSpec {
        unlimited,
        ..AccountSpec::default()
    };
    let inside = |unlimited| AccountSpec {
        org: OrgId::new("o").ok(),
        ..said(unlimited)
    };
    let cases = [
        (inside(None), None, Some(Effect::UnlimitedEnded), false),
        (inside(Some(true)), None, Some(Effect::UnlimitedKept), true),
        (
            inside(None),
            Some(said(Some(true))),
            Some(Effect::UnlimitedKept),
            true,
        ),
        (inside(None), Some(said(Some(false))), None, false),
        (inside(Some(false)), None, None, false),
    ];
    for (made, later, wanted, is_unlimited) in cases {
        let (mut org, mut own) = (org(), Stage::new("user:a"));
        org.done("user:a", put_account(made));
        if let Some(later) = later {
            org.done("user:a", put_account(later));
        }
        relocated(&mut org, &mut own);
        let last = own.operations.last().expect("it moved");
        let Answer::Changed { effect, detail, .. } = &last.answer else {
            unreachable!("expected a change")
        };
        assert_eq!(*effect, wanted);
        let words = wanted.map_or("org:o to user:a", Effect::in_words);
        assert!(
            detail
                .as_ref()
                .is_some_and(|detail| detail.ends_with(words))
        );
        if is_unlimited {
            own.done("user:a", consume("articles", 1));
        } else {
            let denied = own.denied("user:a", consume("articles", 1));
            assert_eq!(denied.reason, Reason::NoSubscription);
        }
        relocated(&mut own, &mut org);
        let user = &org.home.accounts[&id("user:a")];
        assert_eq!(user.terms.unlimited, is_unlimited, "joining gives nothing");
    }
}

/// O8: a member that leaves gives its org back the capacity that it holds there, and takes along what it occupies; another
/// org was never charged for that.
#[test]
fn a_member_that_leaves_gives_its_org_back_the_capacity_that_it_holds() {
    let (mut from, mut to) = (org(), org());
    from.done("user:a", put_account(stage_member()));
    from.done("user:b", put_account(stage_member()));
    from.done("user:b", consume("storage", 4));
    from.done("user:a", consume("storage", 5));
    from.done("user:a", consume("articles", 5));
    relocated(&mut from, &mut to);
    assert_eq!(from.standing("org:o", Scope::Org, "storage").0, 4);
    assert_eq!(from.standing("org:o", Scope::Org, "articles").0, 5);
    assert_eq!(to.standing("user:a", Scope::User, "storage").0, 5);
    let released = to.done("user:a", release_capacity("storage", 5));
    assert!(released.answer.is_allowed());
    assert_eq!(to.standing("org:o", Scope::Org, "storage").0, 0);
    for home in [from, to] {
        assert_eq!(audit(&home.records()), []);
    }
}

fn stage_member() -> AccountSpec {
    crate::stage::member()
}

/// I2: what a user brought along makes its balances provable where it lives now.
#[test]
fn the_balances_of_a_user_that_moved_in_are_the_sums_of_their_entries() {
    let (from, to) = moved_in();
    assert_eq!(audit(&from.records()), []);
    let mut records = to.records();
    assert_eq!(audit(&records), []);
    let of_user = |(of, _): &&mut (AccountId, Account)| *of == id("user:a");
    let user = records.accounts.iter_mut().find(of_user);
    let (_, account) = user.expect("it lives here");
    account.books.balances[0].used += 1;
    assert_eq!(found(&records), ["I2"]);
    let mut records = to.records();
    let is_arrival = |done: &&mut Operation| done.entries.iter().any(|entry| entry.granted == 9);
    let arrival = records.operations.iter_mut().find(is_arrival);
    arrival.expect("it came").entries[0].granted += 1;
    assert_eq!(found(&records), ["I2"]);
}

/// I2 and I23: so are those of a user that comes back to a home of its own, which goes on counting in its next life
/// and has closed balances of the earlier one; and of one that comes back to an org.
#[test]
fn a_user_that_comes_back_is_checked_from_its_arrival_on() {
    let (mut own, mut org) = moved_in();
    assert_ne!(own.closed.len(), 0);
    let earlier = std::mem::take(&mut own.operations);
    let count = earlier.len();
    own.now = org.now;
    relocated(&mut org, &mut own);
    assert_eq!(audit(&org.records()), []);
    own.done("user:a", consume("articles", 2));
    own.later(TimeDelta::days(2));
    own.done("user:a", CLOSE);
    // What was used in the earlier life is still found when it is refunded.
    let tracked = earlier
        .iter()
        .find(|done| done.kind == OperationKind::Track);
    let tracked = tracked.expect("it was tracked").id;
    own.operations.splice(0..0, earlier);
    own.done("user:a", refund(tracked, None));
    own.operations.drain(..count);
    assert_eq!(audit(&own.records()), []);
    let mut records = own.records();
    records.operations.remove(1);
    assert!(found(&records).contains(&"I23"));
    let mut records = own.records();
    records.operations.remove(0);
    assert!(found(&records).contains(&"I23"));
    org.now = own.now;
    relocated(&mut own, &mut org);
    org.done("user:a", consume("articles", 1));
    assert_eq!(audit(&org.records()), []);
}

/// X4: an org is not given back what it was never charged for: not what a member brought along.
#[test]
fn a_member_gives_back_to_the_org_what_the_org_was_charged() {
    let mut from = Stage::user("pro");
    from.done("user:a", consume("storage", 3));
    let mut to = org();
    to.now = from.now;
    to.done("org:o", consume("storage", 4));
    relocated(&mut from, &mut to);
    let occupied = |stage: &mut Stage| {
        let mut of = |account, scope| stage.standing(account, scope, "storage").0;
        (of("user:a", Scope::User), of("org:o", Scope::Org))
    };
    let (brought, own) = occupied(&mut to);
    to.done("user:a", consume("storage", 2));
    let (_, charged) = occupied(&mut to);
    assert!(brought != 0 && own < charged);
    let item = |amount| release_capacity("storage", amount);
    to.done("user:a", item(1));
    to.done("user:a", item(4));
    assert_eq!(
        occupied(&mut to),
        (0, own),
        "all that it took here, and no more"
    );
    to.done("user:a", consume("storage", 1));
    to.done("user:a", item(9));
    assert_eq!(occupied(&mut to), (0, own), "what it brought is gone");
    assert_eq!(audit(&to.records()), []);
}

fn used(stage: &mut Stage, account: &str, scope: Scope) -> u64 {
    stage.standing(account, scope, "articles").0
}

/// X3: what was consumed before a move is refunded after it, in parts too and never more than was taken: the user's part
/// where it lives now, the org's part at the org that was charged.
#[test]
fn what_was_consumed_before_a_move_is_refunded_where_its_parts_are() {
    let (mut left, mut own) = (org(), Stage::new("user:a"));
    left.done("user:a", put_account(crate::stage::member()));
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
    assert_eq!(again, Err(Rejection::RefundTooLarge { refundable: 0 }));
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
    let mut to = org();
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
    let (mut left, mut to) = (org(), Stage::new("user:a"));
    left.done("user:a", put_account(crate::stage::member()));
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
    assert_eq!(again.operation, late);
    let other = to.run("user:a", commit(held.id, 2));
    assert_eq!(other.expect_err("it is over").code(), "reservation_ended");
    assert_eq!(audit(&left.records()), []);
    assert_eq!(audit(&to.records()), []);
}

/// X3, O8: the move gave the org back what the user occupied there; what is told late of it is occupied where the user lives,
/// and charged to no org, for no member could give it back.
#[test]
fn a_late_commit_of_a_capacity_charges_no_org_after_a_move() {
    let (mut left, mut to) = (org(), Stage::new("user:a"));
    left.done("user:a", put_account(crate::stage::member()));
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
    let albums = crate::stage::code("albums");
    for is_gone in [false, true] {
        let (mut left, mut own) = (org(), Stage::new("user:a"));
        left.done("user:a", put_account(crate::stage::member()));
        left.done("user:b", put_account(crate::stage::member()));
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
    let (mut own, mut there) = (Stage::user("pro"), org());
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

/// X3: so much was refunded since a move that the first of it is forgotten: it is not refunded a second time.
#[test]
fn a_refund_that_was_forgotten_is_not_made_again() {
    let (mut left, mut own) = (org(), Stage::new("user:a"));
    left.done("user:a", put_account(crate::stage::member()));
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
                Err(Rejection::AlreadyRefunded | Rejection::NotRefundable)
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
    let (mut there, mut own) = (org(), Stage::new("user:a"));
    there.done("user:a", put_account(crate::stage::member()));
    let first = there.done("user:a", consume("albums", 3));
    relocated(&mut there, &mut own);
    relocated(&mut own, &mut there);
    there.done("user:a", track("albums", 2));
    there.done("user:a", refund(first.id, None));
    let (used, _, overage) = there.standing("org:o", Scope::Org, "albums");
    assert_eq!(used + overage, 2);
    assert_eq!(audit(&there.records()), []);
}

/// O6: an org's use from before it subscribed does not push what it is charged now out of what is remembered.
#[test]
fn shares_of_windows_of_either_kind_are_forgotten_by_age() {
    let mut there = Stage::new("org:o");
    there.done("org:o", put_account(AccountSpec::default()));
    there.done("user:a", put_account(crate::stage::member()));
    for _ in 0..4 {
        there.done("user:a", consume("requests", 1));
        there.later(TimeDelta::days(1));
    }
    there.done("org:o", subscribe("pro"));
    there.done("user:a", consume("requests", 5));
    let shares = &there.home.accounts[&id("user:a")].books.shares;
    let latest = shares
        .iter()
        .find(|(bucket, _)| matches!(bucket, Bucket::Window(..)));
    assert_eq!(latest.map(|(_, share)| share.units), Some(5), "{shares:?}");
}

/// O6: what an org was charged for a member that left is remembered, less what is refunded since; added up with that of the
/// members it is what the org has used.
#[test]
fn what_an_org_was_charged_for_those_who_left_is_remembered() {
    let (mut left, mut own) = (org(), Stage::new("user:a"));
    left.done("user:a", put_account(crate::stage::member()));
    left.done("user:b", put_account(crate::stage::member()));
    left.done("user:b", consume("articles", 2));
    let spent = left.done("user:a", consume("articles", 5));
    relocated(&mut left, &mut own);
    own.settle_former(&mut left, refund(spent.id, Some(1)))
        .expect("refunded");
    let catalog = left.catalog.clone();
    let context = Context {
        now: left.now,
        catalog: &catalog,
        grace: GRACE,
    };
    let articles = &catalog.features[&crate::stage::code("articles")];
    let org = &left.home.accounts[&id("org:o")];
    let gone = &org.terms.left_members[&id("user:a")].shares;
    let member = &left.home.accounts[&id("user:b")].books.shares;
    let of = |shares| charged(&context, org, articles, shares);
    assert_eq!((of(gone), of(member)), (4, 2));
    assert_eq!(used(&mut left, "org:o", Scope::Org), 6);
    assert_eq!(audit(&left.records()), []);
}
