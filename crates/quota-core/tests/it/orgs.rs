//! Orgs: members' use is theirs and the org's.

use crate::stage::{
    Stage, consume, consume_with, item, member, put_account, put_token, reserve, token_id, track,
};
use quota_core::amount::Limit;
use quota_core::answer::Answer;
use quota_core::command::{AccountSpec, Command, Consume};
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::operation::OperationKind;

/// O1: whatever a member uses is charged to the org too: same feature, same amount, same operation.
#[test]
fn every_use_of_a_member_is_charged_to_the_org() {
    let mut stage = Stage::org("pro");
    let limited = AccountSpec {
        unlimited: Some(false),
        ..member()
    };
    stage.done("user:b", put_account(limited));
    stage.done("user:b", crate::stage::subscribe("basic"));
    stage.done("user:a", consume("articles", 3));
    stage.done("user:b", consume("articles", 4));
    stage.done("user:a", track("articles", 5));
    let held = stage.done("user:b", reserve("articles", 9, 60));
    stage.done("user:b", crate::stage::commit(held.id, 6));
    assert_eq!(stage.standing("user:a", Scope::User, "articles"), (8, 0, 0));
    assert_eq!(
        stage.standing("user:b", Scope::User, "articles"),
        (10, 0, 0)
    );
    assert_eq!(stage.standing("org:o", Scope::Org, "articles"), (18, 0, 0));
    for operation in &stage.operations {
        let is_use = matches!(
            operation.kind,
            OperationKind::Consume | OperationKind::Track
        );
        let of = |scope| {
            let entries = operation
                .entries
                .iter()
                .filter(move |entry| entry.scope == scope);
            entries
                .map(|entry| (entry.feature.clone(), entry.used))
                .collect::<Vec<_>>()
        };
        assert!(
            !is_use || of(Scope::User) == of(Scope::Org),
            "{operation:?}"
        );
    }
}

/// O5: token, user and org are charged together or not at all, whichever of them refuses.
#[test]
fn a_refusal_of_one_scope_charges_none() {
    let mut stage = Stage::org("basic");
    stage.done("user:a", put_token("t", Limit::Of(60)));
    stage.done("user:a", consume_with("t", "articles", 45));
    let before = stage.home.clone();
    let by_org = stage.denied("user:a", consume_with("t", "articles", 6));
    assert_eq!(
        (by_org.reason, by_org.available),
        (Reason::OrgLimitReached, 5)
    );
    assert_eq!(stage.home, before);
    let by_token = stage.denied("user:a", consume_with("t", "articles", 16));
    assert_eq!((by_token.scope, by_token.available), (Scope::Token, 15));
    assert_eq!(stage.home, before);
    // The org refuses the second item when the first is drawn already.
    let items = vec![item("articles", 4), item("albums", 3)];
    let batch = Command::Consume(Consume {
        token: Some(token_id("t")),
        items,
    });
    assert_eq!(
        stage.denied("user:a", batch).reason,
        Reason::OrgLimitReached
    );
    assert_eq!(stage.home.accounts, before.accounts);
    stage.done("user:a", consume_with("t", "articles", 5));
    assert_eq!(
        stage.balance_of("user:a", Scope::Token, "", Some("t")).used,
        50
    );
    assert_eq!(stage.standing("user:a", Scope::User, "articles").0, 50);
    assert_eq!(stage.standing("org:o", Scope::Org, "articles").0, 50);
}

/// O6: a member sees which scope refused, and how each of them stands.
#[test]
fn a_member_sees_which_scope_refused() {
    let mut stage = Stage::org("basic");
    let limited = AccountSpec {
        unlimited: Some(false),
        ..member()
    };
    stage.done("user:b", put_account(limited));
    stage.done("user:b", crate::stage::subscribe("free"));
    let by_user = stage.denied("user:b", consume("articles", 6));
    assert_eq!(
        (by_user.scope, by_user.reason),
        (Scope::User, Reason::LimitReached)
    );
    stage.done("user:a", consume("articles", 48));
    let asked = stage
        .run("user:b", consume("articles", 3))
        .expect("a denial is an outcome");
    let Answer::Denied {
        denial, balances, ..
    } = asked.operation.answer
    else {
        unreachable!("expected a denial")
    };
    assert_eq!(
        (denial.scope, denial.reason, denial.available),
        (Scope::Org, Reason::OrgLimitReached, 2)
    );
    let left: Vec<_> = balances
        .iter()
        .map(|balance| (balance.scope, balance.remaining))
        .collect();
    assert_eq!(left, [(Scope::User, Some(5)), (Scope::Org, Some(2))]);
}

/// O5: when a counter of the org is full, nothing of a use, nor of a commit, is charged to anybody.
#[test]
fn a_counter_that_is_full_changes_nothing_anywhere() {
    let mut stage = Stage::org("pro");
    stage.done("user:a", put_token("t", Limit::Of(60)));
    let held = stage.done("user:a", reserve("articles", 5, 60));
    let org = stage.home.account_mut(&crate::stage::id("org:o"));
    let lifetime = &mut org.expect("it is here").books.lifetime;
    lifetime.insert(
        crate::stage::code("articles"),
        quota_core::amount::COUNT_MAX - 1,
    );
    let before = stage.home.accounts.clone();
    let commands = [
        consume_with("t", "articles", 2),
        track("articles", 2),
        crate::stage::commit(held.id, 4),
        crate::stage::commit(held.id, 9),
    ];
    for command in commands {
        let refused = stage.run("user:a", command).expect_err("there is no room");
        assert_eq!(refused.code(), "counter_full");
        assert_eq!(stage.home.accounts, before);
    }
    stage.done("user:a", crate::stage::commit(held.id, 1));
}
