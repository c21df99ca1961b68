//! Who lives where, and moving.

use std::slice::from_ref;

use quota_core::ids::AccountId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::{Audits, Directory, LedgerPage, Lists, Outbox, Store, StoreError};
use quota_core::relocation::Relocation;
use storage_pg::{PgStore, Settings};
use tokio::task::JoinSet;

use crate::fixture::{account, ask, at, change, event, fresh, id, load, operation, sql, write};

#[tokio::test]
async fn an_account_is_entered_once() {
    let (store, _) = fresh("claim").await;
    let (a, b) = (id("user:a"), id("user:b"));
    let (one, two) = (id("org:one"), id("org:two"));
    assert_eq!(store.home_of(&a).await.expect("reads"), None);
    assert_eq!(store.claim(&a, &one).await.expect("claims"), one);
    assert_eq!(store.claim(&a, &two).await.expect("claims"), one);
    assert_eq!(store.home_of(&a).await.expect("reads"), Some(one.clone()));
    // A home of its own is not entered, and one that lives elsewhere is not made.
    write(&store, vec![change(&b, 0, 1)]).await;
    assert_eq!(store.claim(&b, &one).await.expect("claims"), b);
    assert_eq!(store.home_of(&b).await.expect("reads"), None);
    assert!(write(&store, vec![change(&a, 0, 1)]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_comes_to_be_in_one_home_only() {
    let (store, url) = fresh("one_home").await;
    for number in 0..20 {
        let user = id(&format!("user:{number}"));
        let made = {
            let (store, user) = (store.clone(), user.clone());
            tokio::spawn(async move { !write(&store, vec![change(&user, 0, 1)]).await.is_empty() })
        };
        let home = store.claim(&user, &id("org:one")).await.expect("claims");
        let is_own_home = made.await.expect("ends");
        assert_eq!(is_own_home, home == user, "{user} lives in {home}");
    }
    let both =
        "select count(*) from accounts a join directory d using (account) where a.home <> d.home";
    assert_eq!(sql(&url, both).await.expect("counts"), "0");
}

fn moved(user: &AccountId, from: (&AccountId, u64), to: (&AccountId, u64)) -> Relocation {
    let change = |sequence| Operation {
        kind: OperationKind::Change,
        entries: Vec::new(),
        ..operation(user, sequence)
    };
    Relocation {
        user: user.clone(),
        account: account(4).as_ref().clone(),
        due_at: Some(at(9)),
        from: (from.0.clone(), from.1),
        to: (to.0.clone(), to.1),
        left: change(from.1 + 1),
        joined: change(to.1 + 1),
        event: event(to.0, to.1 + 1, "moved"),
    }
}

async fn sequences(store: &PgStore, home: &AccountId) -> Vec<u64> {
    let page = LedgerPage {
        home: home.clone(),
        account: home.clone(),
        members: true,
        before: None,
        limit: 100,
    };
    let operations = store.ledger(&page).await.expect("reads");
    operations
        .iter()
        .map(|operation| operation.sequence)
        .collect()
}

#[tokio::test]
async fn a_user_joins_an_org_and_leaves_it_again() {
    let (store, _) = fresh("relocate").await;
    let (user, org) = (id("user:a"), id("org:one"));
    write(&store, vec![change(&user, 0, 1), change(&org, 0, 1)]).await;
    let old = id("user:z");
    assert!(
        !store
            .relocate(&moved(&user, (&user, 1), (&org, 7)))
            .await
            .expect("answers")
    );
    assert!(
        !store
            .relocate(&moved(&old, (&user, 1), (&org, 1)))
            .await
            .expect("answers")
    );
    let nowhere = store.relocate(&moved(&user, (&user, 1), (&user, 0))).await;
    assert!(matches!(nowhere, Err(StoreError::Refused { .. })));

    assert!(
        store
            .relocate(&moved(&user, (&user, 1), (&org, 1)))
            .await
            .expect("moves")
    );
    assert_eq!(
        store.home_of(&user).await.expect("reads"),
        Some(org.clone())
    );
    let mut asked = ask(&org);
    asked.accounts = vec![user.clone()];
    let loaded = load(&store, vec![asked, ask(&user)]).await;
    assert_eq!((loaded.homes[0].version, loaded.homes[1].version), (2, 0));
    assert_eq!(loaded.homes[0].accounts[&user], account(4));
    assert!(loaded.homes[1].accounts.is_empty());
    assert_eq!(sequences(&store, &org).await, [2, 1]);
    assert_eq!(sequences(&store, &user).await, [2, 1]);
    assert_eq!(store.audit_home(&user).await.expect("reads"), None);
    assert_eq!(store.pending_events(9).await.expect("reads").len(), 1);
    assert!(write(&store, vec![change(&user, 0, 1)]).await.is_empty());

    // Its home begins a new life, at sequence 1.
    assert!(
        store
            .relocate(&moved(&user, (&org, 2), (&user, 0)))
            .await
            .expect("moves")
    );
    assert_eq!(store.home_of(&user).await.expect("reads"), None);
    assert_eq!(
        write(&store, vec![change(&user, 1, 5)]).await,
        from_ref(&user)
    );
    assert_eq!(sequences(&store, &user).await, [2, 1, 2, 1], "both lives");
    assert_eq!(sequences(&store, &org).await, [3, 2, 1]);
    let audited = store
        .audit_home(&user)
        .await
        .expect("reads")
        .expect("lives");
    assert_eq!((audited.version, audited.operations.len()), (2, 2));
    assert_eq!(store.claim(&user, &org).await.expect("claims"), user);
    // Both lives are found by id.
    let first = store.audit_home(&org).await.expect("reads").expect("lives");
    assert_eq!(first.accounts.len(), 1);
    drop(
        store
            .load(&crate::fixture::query(vec![ask(&user)]))
            .await
            .expect("loads"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_new_users_at_once_each_gets_its_turn() {
    let (_, url) = fresh("turns").await;
    let settings = Settings {
        connections_max: 2,
        ..Settings::default()
    };
    let store = PgStore::connect(&url, settings).await.expect("connects");
    let mut claims = JoinSet::new();
    for number in 0..2_000 {
        let (store, user) = (store.clone(), id(&format!("user:{number}")));
        claims.spawn(async move { (store.claim(&user, &user).await, user) });
    }
    while let Some(claimed) = claims.join_next().await {
        let (home, user) = claimed.expect("ends");
        assert_eq!(home.expect("gets its turn"), user);
    }
}
