//! Homes that only consume are written without the checks first: what is not as it was loaded stays out all the same.
#![expect(clippy::expect_used, reason = "a call that fails is a failed test")]

use std::sync::Arc;

use quota_core::ids::AccountId;
use quota_core::ports::{HomeQuery, HomeWrite, Lists, Store};
use storage_sqlite::{SqliteSettings, SqliteStore};
use testkit::fixtures::{
    batch, first_write, home_query, instant, key, key_of, load_query, next_write, user,
};

/// A store with the homes of alice and bob, each at version 1.
async fn with_two_homes() -> (SqliteStore, AccountId, AccountId) {
    let store = SqliteStore::open_in_memory(&SqliteSettings::patient()).await;
    let store = store.expect("opens");
    let (alice, bob) = (user("alice"), user("bob"));
    let first = vec![first_write(&alice), first_write(&bob)];
    store.write(&batch(first)).await.expect("writes");
    (store, alice, bob)
}

/// A consumption with a key that was not looked for.
fn consume(home: &AccountId, version: u64, text: &str) -> HomeWrite {
    let mut write = next_write(home, version);
    write.accounts[0].has_new_terms = false;
    Arc::make_mut(&mut write.operations[0]).key = Some(key(text));
    write.unseen_keys = vec![key_of(home, text)];
    write
}

async fn versions(store: &SqliteStore, homes: [&AccountId; 2]) -> [u64; 2] {
    let query: Vec<HomeQuery> = homes.into_iter().map(home_query).collect();
    let loaded = store.load(&load_query(query)).await.expect("loads");
    [loaded.homes[0].version, loaded.homes[1].version]
}

/// With the batch that finds it out, and with the next, which is looked at.
#[tokio::test]
async fn a_taken_key_stops_its_home_and_no_other() {
    let (store, alice, bob) = with_two_homes().await;
    let fresh = batch(vec![consume(&alice, 1, "a"), consume(&bob, 1, "a")]);
    let passed = store.write(&fresh).await.expect("writes");
    assert_eq!(passed, [alice.clone(), bob.clone()]);
    for version in [2, 3] {
        let other = consume(&bob, version, &format!("b-{version}"));
        let taken = batch(vec![consume(&alice, 2, "a"), other]);
        let passed = store.write(&taken).await.expect("writes");
        assert_eq!(passed, std::slice::from_ref(&bob));
    }
    assert_eq!(versions(&store, [&alice, &bob]).await, [2, 4]);
}

/// A key that was not looked for stops its home though no operation of the batch carries it.
#[tokio::test]
async fn a_taken_key_of_no_operation_stops_its_home() {
    let (store, alice, bob) = with_two_homes().await;
    let fresh = batch(vec![consume(&alice, 1, "a")]);
    store.write(&fresh).await.expect("writes");
    let mut refused = consume(&alice, 2, "b");
    refused.unseen_keys.insert(0, key_of(&alice, "a"));
    let taken = batch(vec![refused, consume(&bob, 1, "a")]);
    assert_eq!(store.write(&taken).await.expect("writes"), [bob]);
}

/// A home that was changed since it was loaded stays as it is, and the others pass.
#[tokio::test]
async fn a_stale_home_stops_no_other() {
    let (store, alice, bob) = with_two_homes().await;
    let fresh = batch(vec![consume(&alice, 1, "a")]);
    store.write(&fresh).await.expect("writes");
    let stale = batch(vec![consume(&alice, 1, "b"), consume(&bob, 1, "b")]);
    let passed = store.write(&stale).await.expect("writes");
    assert_eq!(passed, std::slice::from_ref(&bob));
    assert_eq!(versions(&store, [&alice, &bob]).await, [2, 2]);
}

/// When an account is due moves with a consume that opens a window.
#[tokio::test]
async fn a_consume_moves_when_its_account_is_due() {
    let (store, alice, bob) = with_two_homes().await;
    let mut opens = consume(&alice, 1, "a");
    opens.accounts[0].due_at = Some(instant(10));
    let passed = store
        .write(&batch(vec![opens, consume(&bob, 1, "a")]))
        .await;
    assert_eq!(passed.expect("writes").len(), 2);
    let page = quota_core::ports::AccountPage {
        kind: None,
        org: None,
        due_before: Some(instant(10)),
        after: None,
        limit: 10,
    };
    let due = store.accounts(&page).await.expect("reads");
    let due: Vec<AccountId> = due.into_iter().map(|row| row.id).collect();
    assert_eq!(due, [alice]);
}
