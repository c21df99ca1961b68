//! Refund, release of capacity, reset.

use crate::execute_properties::busy_org;
use crate::stage::{
    Stage, amount, code, commit, consume, grant, item, refund, release_capacity, reserve, track,
};
use chrono::TimeDelta;
use quota_core::answer::Rejection;
use quota_core::audit::audit;
use quota_core::command::{CloseWindows, Command, Consume, Refund, Reset};
use quota_core::draw::Scope;
use quota_core::event::EventKind;
use quota_core::operation::OperationKind;
use quota_core::origin::Origin;
use quota_core::unrefundable::Unrefundable;

/// X3 and X8: a refund gives back to where it was taken, last drawn first, in parts and never more than was taken.
#[test]
fn a_refund_goes_back_last_drawn_first_and_never_beyond() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", grant("pack", 6));
    let spent = stage.done("user:a", consume("renders", 8));
    assert_eq!(stage.grant("user:a", "pack"), (6, 0));
    stage.done("user:a", refund(spent.id, Some(2)));
    assert_eq!(stage.grant("user:a", "pack"), (2, 0));
    assert_eq!(stage.remaining("user:a", "renders"), Some(0));
    stage.done("user:a", refund(spent.id, Some(2)));
    assert_eq!(stage.grant("user:a", "pack"), (0, 0));
    assert_eq!(stage.remaining("user:a", "renders"), Some(1));
    let too_much = stage.run("user:a", refund(spent.id, Some(5)));
    assert_eq!(too_much, Err(Rejection::RefundTooLarge { refundable: 4 }));
    stage.done("user:a", refund(spent.id, None));
    assert_eq!(stage.remaining("user:a", "renders"), Some(5));
    assert_eq!(stage.lifetime("user:a", "renders"), 0);
    let nothing = stage.run("user:a", refund(spent.id, None));
    assert_eq!(nothing, Err(Rejection::AlreadyRefunded));
    let one = stage.run("user:a", refund(spent.id, Some(1)));
    assert_eq!(one, Err(Rejection::AlreadyRefunded));
    assert_eq!(Rejection::AlreadyRefunded.field(), None, "no amount sent");
}

/// X3 and O5: a refund reverses every scope, overage first.
#[test]
fn a_refund_reverses_every_scope() {
    let mut stage = Stage::org("free");
    let spent = stage.done("user:a", track("articles", 9));
    stage.done("user:a", refund(spent.id, Some(6)));
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (3, 0, 0));
    assert_eq!(stage.standing("org:o", Scope::Org, "articles"), (3, 0, 0));
}

/// X3: of a batch one feature may be refunded; a commit is refunded like a consumption; nothing else is.
#[test]
fn a_feature_of_a_batch_and_a_commit_are_refunded() {
    let mut stage = Stage::user("pro");
    let items = vec![item("articles", 4), item("requests", 5)];
    let spent = stage.done("user:a", Command::Consume(Consume { token: None, items }));
    assert_eq!(
        stage.run("user:a", refund(spent.id, Some(1))),
        Err(Rejection::FeatureRequired)
    );
    let one = Command::Refund(Refund {
        operation: spent.id,
        feature: Some(code("requests")),
        amount: Some(amount(2)),
    });
    stage.done("user:a", one);
    assert_eq!(stage.remaining("user:a", "requests"), Some(7));
    let held = stage.done("user:a", reserve("articles", 6, 60));
    assert_eq!(
        stage.run("user:a", refund(held.id, None)),
        Err(Rejection::NotRefundable {
            why: Unrefundable::Kind(OperationKind::Reserve)
        })
    );
    let settled = stage.done("user:a", commit(held.id, 5));
    stage.done("user:a", refund(settled.id, None));
    assert_eq!(stage.remaining("user:a", "articles"), Some(96));
}

/// X3 and W5: what was consumed in a window that is closed since is taken off the closed one, not the current one.
#[test]
fn a_refund_of_a_closed_window_leaves_the_current_one() {
    let mut stage = Stage::user("pro");
    let spent = stage.done("user:a", consume("requests", 6));
    stage.later(TimeDelta::days(1));
    stage.done(
        "user:a",
        Command::CloseWindows(CloseWindows {
            cadence: None,
            features: Vec::new(),
        }),
    );
    stage.done("user:a", consume("requests", 3));
    stage.done("user:a", refund(spent.id, Some(4)));
    assert_eq!(stage.remaining("user:a", "requests"), Some(7));
    assert_eq!(
        stage
            .closed
            .values()
            .map(|closed| closed.balance.used)
            .sum::<u64>(),
        2
    );
}

/// X3 and R2: what a unit costs may change while it is held; each unit is refunded at its own price.
#[test]
fn units_of_two_prices_are_refunded_whole() {
    for parts in [vec![3], vec![1, 2], vec![2, 1]] {
        let mut stage = Stage::user("");
        stage.done("user:a", grant("pack", 20));
        let held = stage.done("user:a", reserve("renders", 2, 60));
        let renders = stage.catalog.features.get_mut(&code("renders"));
        renders.expect("it is in the catalog").credit_cost = Some(3);
        let spent = stage.done("user:a", commit(held.id, 3));
        assert_eq!(stage.grant("user:a", "pack"), (2 * 2 + 3, 0));
        assert_eq!(stage.lifetime("user:a", "renders"), 3);
        for part in parts {
            stage.done("user:a", refund(spent.id, Some(part)));
        }
        assert_eq!(stage.grant("user:a", "pack"), (0, 0));
        assert_eq!(stage.lifetime("user:a", "renders"), 0);
        assert_eq!(audit(&stage.records()), []);
    }
}

/// X4: occupied capacity is given back, not below 0; X3: what was given back is not refunded once more.
#[test]
fn capacity_is_given_back_but_not_below_zero() {
    let mut stage = Stage::org("pro");
    let spent = stage.done("user:a", consume("storage", 60));
    stage.done("user:a", release_capacity("storage", 50));
    assert_eq!(stage.standing("org:o", Scope::Org, "storage"), (10, 0, 0));
    stage.done("user:a", refund(spent.id, None));
    assert_eq!(stage.standing("user:a", Scope::User, "storage"), (0, 0, 0));
    stage.done("user:a", consume("storage", 3));
    stage.done("user:a", release_capacity("storage", 500));
    assert_eq!(stage.standing("user:a", Scope::User, "storage"), (0, 0, 0));
    assert_eq!(stage.standing("org:o", Scope::Org, "storage"), (0, 0, 0));
    let spent = stage.run("user:a", release_capacity("articles", 1));
    assert_eq!(spent, Err(Rejection::NotCapacity(code("articles"))));
}

/// X4 and U2: giving room back lowers what is used, and not what was used in all its life.
#[test]
fn giving_capacity_back_leaves_the_lifetime_total() {
    let mut stage = Stage::user("pro");
    stage.done("user:a", consume("storage", 60));
    stage.done("user:a", release_capacity("storage", 50));
    assert_eq!(stage.remaining("user:a", "storage"), Some(90));
    assert_eq!(stage.lifetime("user:a", "storage"), 60);
}

/// X6: an operator sets `used` of the current windows to 0, of one feature or all, with reason and actor.
#[test]
fn a_reset_sets_the_current_windows_to_zero() {
    let mut stage = Stage::user("pro");
    let spent = stage.done("user:a", consume("articles", 100));
    stage.done("user:a", consume("requests", 4));
    let reset = Command::Reset(Reset {
        features: vec![code("articles")],
        token: None,
    });
    let mut request = stage.request("user:a", reset);
    request.origin = Origin {
        actor: Some("ann".to_owned()),
        reason: Some("goodwill".to_owned()),
        ..Origin::default()
    };
    stage.ask(&request).expect("it fits");
    let booked = stage.operations.last().expect("booked");
    assert_eq!(
        (booked.kind, &booked.origin),
        (OperationKind::Reset, &request.origin)
    );
    let features = vec![code("articles")];
    assert_eq!(
        stage.events.last().expect("published").kind,
        EventKind::QuotaReset { features }
    );
    assert_eq!(stage.remaining("user:a", "articles"), Some(100));
    assert_eq!(stage.remaining("user:a", "requests"), Some(6));
    stage.done("user:a", consume("articles", 30));
    stage.done("user:a", refund(spent.id, None));
    assert_eq!(
        stage.remaining("user:a", "articles"),
        Some(70),
        "what was set to 0 is not given back"
    );
    stage.done(
        "user:a",
        Command::Reset(Reset {
            features: Vec::new(),
            token: None,
        }),
    );
    assert_eq!(stage.remaining("user:a", "requests"), Some(10));
    assert_eq!(stage.lifetime("user:a", "articles"), 130);
}

/// X3: overage that was moved along with the rest when the zone changed is refunded where it is now.
#[test]
fn overage_that_was_moved_is_refunded() {
    let mut stage = Stage::user("pro");
    let spent = stage.done("user:a", track("requests", 13));
    let spec = quota_core::command::AccountSpec {
        time_zone: Some(chrono_tz::Asia::Tokyo),
        ..Default::default()
    };
    stage.done("user:a", crate::stage::put_account(spec));
    assert_eq!(
        stage.standing("user:a", Scope::User, "requests"),
        (10, 0, 3)
    );
    stage.done("user:a", refund(spent.id, Some(1)));
    assert_eq!(
        stage.standing("user:a", Scope::User, "requests"),
        (10, 0, 2)
    );
    for _ in 0..2 {
        stage.later(TimeDelta::days(32));
        let (cadence, features) = (None, Vec::new());
        stage.done(
            "user:a",
            Command::CloseWindows(CloseWindows { cadence, features }),
        );
    }
    stage.done("user:a", refund(spent.id, Some(1)));
}

/// W5 and X3: a grant that is spent leaves the live balances with the next closing; a refund brings it back.
#[test]
fn a_spent_grant_is_closed_and_a_refund_brings_it_back() {
    let mut stage = Stage::user("");
    stage.done("user:a", grant("pack", 4));
    let spent = stage.done("user:a", consume("try_on", 4));
    let (cadence, features) = (None, Vec::new());
    stage.done(
        "user:a",
        Command::CloseWindows(CloseWindows { cadence, features }),
    );
    assert_eq!(stage.closed.len(), 1);
    let again = stage.run("user:a", grant("pack", 4));
    assert_eq!(again, Err(Rejection::GrantExists));
    stage.done("user:a", refund(spent.id, Some(3)));
    assert_eq!(stage.grant("user:a", "pack"), (1, 0));
    stage.done("user:a", consume("try_on", 6));
    assert_eq!(quota_core::audit::audit(&stage.records()), []);
}

/// F5 and W5: a spent grant without an expiry makes its account due, so that it is closed: once.
#[test]
fn a_spent_grant_makes_its_account_due_until_it_is_closed() {
    let mut stage = Stage::user("");
    let due_at = |stage: &Stage| stage.home.accounts[&crate::stage::id("user:a")].due_at();
    stage.done("user:a", grant("pack", 4));
    assert_eq!(due_at(&stage), None);
    let spent = stage.done("user:a", consume("renders", 2));
    stage.later(TimeDelta::days(1));
    let granted_at = Some(crate::stage::start());
    assert_eq!(due_at(&stage), granted_at);
    let close = Command::CloseWindows(CloseWindows {
        cadence: Some(quota_core::catalog::Cadence::Daily),
        features: Vec::new(),
    });
    stage.done("user:a", close.clone());
    assert_eq!(due_at(&stage), None, "it is closed");
    stage.done("user:a", refund(spent.id, Some(1)));
    assert_eq!(due_at(&stage), None, "something is left of it");
    stage.done("user:a", consume("renders", 1));
    assert_eq!(due_at(&stage), granted_at);
    stage.done("user:a", close);
    assert_eq!(due_at(&stage), None);
}

/// X3 and X4: what was given back as capacity is not refunded once more, at the org neither.
#[test]
fn an_org_gets_capacity_back_once() {
    let mut stage = busy_org();
    stage.done("user:b", consume("albums", 2));
    let spent = stage.done("user:b", track("albums", 4));
    let org = stage.standing("org:o", Scope::Org, "albums");
    let taken = |(used, _, overage): (u64, u64, u64)| used + overage;
    stage.done("user:b", release_capacity("albums", 6));
    let left = taken(org) - 6;
    assert_eq!(taken(stage.standing("org:o", Scope::Org, "albums")), left);
    let others = stage.done("org:o", track("albums", 3));
    assert!(others.answer.is_allowed());
    let before = taken(stage.standing("org:o", Scope::Org, "albums"));
    stage.done("user:b", refund(spent.id, None));
    assert_eq!(taken(stage.standing("org:o", Scope::Org, "albums")), before);
    assert_eq!(audit(&stage.records()), []);
}

/// X8: a refund of a feature that the operation did not use says which it used.
#[test]
fn a_refund_of_another_feature_says_what_the_operation_used() {
    let mut stage = Stage::user("pro");
    let spent = stage.done("user:a", consume("articles", 3));
    let other = Command::Refund(Refund {
        operation: spent.id,
        feature: Some(code("requests")),
        amount: None,
    });
    let refused = stage.run("user:a", other).expect_err("it used articles");
    let said = "the operation did not use feature `requests`; it used `articles`";
    assert_eq!(refused.to_string(), said);
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (3, 0, 0));
}
