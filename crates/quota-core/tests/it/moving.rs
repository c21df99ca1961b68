//! A user moves from one home to another, and its books go along.

use crate::relocated::{relocated, relocated_user};
use crate::stage::{
    GRACE, Stage, code, commit, consume, grant, id, member, put_account, refund, release_capacity,
    reserve, subscribe, track,
};
use chrono::TimeDelta;
use quota_core::answer::Answer;
use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::change::Effect;
use quota_core::command::{AccountSpec, CloseWindows, Command, Reset};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::home::Account;
use quota_core::ids::{AccountId, OrgId};
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::AuditHome;
use quota_core::rules::context::Context;
use quota_core::rules::share::charged;

fn used(stage: &mut Stage, account: &str, scope: Scope) -> u64 {
    stage.standing(account, scope, "articles").0
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
    let mut to = Stage::org_alone("pro");
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
    let mut to = Stage::org_alone("pro");
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
        let (mut org, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
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
    let (mut from, mut to) = (Stage::org_alone("pro"), Stage::org_alone("pro"));
    from.done("user:a", put_account(member()));
    from.done("user:b", put_account(member()));
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
    own.settle_over(&mut [&mut org], refund(tracked, None))
        .expect("refunded");
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
    let mut to = Stage::org_alone("pro");
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

/// O6: an org's use from before it subscribed does not push what it is charged now out of what is remembered.
#[test]
fn shares_of_windows_of_either_kind_are_forgotten_by_age() {
    let mut there = Stage::new("org:o");
    there.done("org:o", put_account(AccountSpec::default()));
    there.done("user:a", put_account(member()));
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
    let (mut left, mut own) = (Stage::org_alone("pro"), Stage::new("user:a"));
    left.done("user:a", put_account(member()));
    left.done("user:b", put_account(member()));
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
    let articles = &catalog.features[&code("articles")];
    let org = &left.home.accounts[&id("org:o")];
    let gone = &org.terms.left_members[&id("user:a")].shares;
    let member = &left.home.accounts[&id("user:b")].books.shares;
    let of = |shares| charged(&context, org, articles, shares);
    assert_eq!((of(gone), of(member)), (4, 2));
    assert_eq!(used(&mut left, "org:o", Scope::Org), 6);
    assert_eq!(audit(&left.records()), []);
}

/// O6: so many members that left are remembered, and no more: those that left first are forgotten, and the org's use stays.
#[test]
fn of_members_that_left_the_last_are_remembered() {
    const REMEMBERED: usize = 200;
    let mut left = Stage::org_alone("max");
    let users: Vec<String> = (0..=REMEMBERED)
        .map(|number| format!("user:u{number}"))
        .collect();
    for user in &users {
        left.done(user, put_account(member()));
        left.done(user, consume("articles", 1));
    }
    for user in &users {
        let mut own = Stage::new(user);
        left.later(TimeDelta::seconds(1));
        own.now = left.now;
        relocated_user(&mut left, &mut own, user);
    }
    let org = &left.home.accounts[&id("org:o")];
    let remembered = &org.terms.left_members;
    assert_eq!(remembered.len(), REMEMBERED);
    assert!(!remembered.contains_key(&id(&users[0])), "it left first");
    let count = u64::try_from(users.len()).expect("a count");
    assert_eq!(left.standing("org:o", Scope::Org, "articles").0, count);
    assert_eq!(audit(&left.records()), []);
}

/// O6: of one that comes and goes the newest windows of each feature are remembered, as of a member.
#[test]
fn of_one_that_left_often_the_newest_windows_are_remembered() {
    let (mut there, mut own) = (Stage::org_alone("pro"), Stage::user(""));
    for _ in 0..6 {
        relocated(&mut own, &mut there);
        there.done("user:a", track("requests", 1));
        there.done("user:a", track("articles", 1));
        relocated(&mut there, &mut own);
        there.later(TimeDelta::days(1));
        own.now = there.now;
    }
    let org = &there.home.accounts[&id("org:o")];
    let shares = &org.terms.left_members[&id("user:a")].shares;
    let of = |feature| {
        let known = shares
            .iter()
            .filter(|(bucket, _)| bucket.feature() == Some(&code(feature)));
        known.map(|(_, share)| share.units).collect::<Vec<_>>()
    };
    assert_eq!((of("requests"), of("articles")), (vec![1, 1, 1], vec![6]));
    assert_eq!(audit(&there.records()), []);
}
