//! A user moves from one home to another, and its books go along.

use quota_core::command::{AccountSpec, Command};
use quota_core::ids::OrgId;
use quota_core::rules::booking::Context;
use quota_core::rules::decide::Scope;
use quota_core::rules::relocate;

use crate::stage::{GRACE, Stage, consume, put_account, refund, subscribe};

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
    to.home.accounts.insert(moved.user, moved.account);
    to.home.version = moved.joined.sequence;
    to.operations.push(moved.joined);
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
    from.done("user:a", Command::Reset { features });
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
