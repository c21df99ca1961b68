//! A user moves from one home to another, and its books go along.

use crate::stage::{
    GRACE, Stage, commit, consume, grant, id, put_account, refund, release_capacity, reserve,
    subscribe, track,
};
use chrono::TimeDelta;
use quota_core::audit::audit;
use quota_core::command::{AccountSpec, CloseWindows, Command, Reset};
use quota_core::draw::Scope;
use quota_core::home::Account;
use quota_core::ids::{AccountId, OrgId};
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::AuditHome;
use quota_core::rules::context::Context;
use quota_core::rules::relocate;

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
