//! A call that is dropped or fails midway loses nothing that was acknowledged and leaves nothing behind.
#![expect(clippy::expect_used, reason = "a call that fails is a failed test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quota_core::ids::AccountId;
use quota_core::ports::{Audits, DecideLocked, Loaded, Store};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::fixtures::{batch, first_write, home_query, load_query, next_write, user};

const DROPS: u64 = 400;
const FAILURES: u64 = 4;
const DELAY_MICROS_MAX: u64 = 3_000;

async fn open() -> (SqliteStore, TempDir) {
    let folder = TempDir::new().expect("a folder");
    (reopen(&folder).await, folder)
}

async fn reopen(folder: &TempDir) -> SqliteStore {
    let settings = SqliteSettings {
        readers: 2,
        ..SqliteSettings::patient()
    };
    let store = SqliteStore::open(folder.path().join("quota.db"), &settings).await;
    store.expect("opens")
}

/// Delays from none to as long as a write takes, in an order that looks random.
fn delay(number: u64) -> Duration {
    Duration::from_micros(number * 7_919 % DELAY_MICROS_MAX)
}

async fn version(store: &SqliteStore, home: &AccountId) -> u64 {
    let loaded = store.load(&load_query(vec![home_query(home)])).await;
    loaded.expect("loads").homes[0].version
}

/// Writes that were acknowledged are there, each dropped one took effect whole or not at all, and the store goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_write_midway_loses_nothing_and_blocks_nobody() {
    let (store, _kept) = open().await;
    let (kept, dropped) = (user("kept"), user("dropped"));
    let created = batch(vec![first_write(&kept), first_write(&dropped)]);
    store.write(&created).await.expect("writes");
    for number in 1..=DROPS {
        let write = batch(vec![next_write(&dropped, version(&store, &dropped).await)]);
        let cut = tokio::time::timeout(delay(number), store.write(&write)).await;
        drop(cut);
        let acknowledged = batch(vec![next_write(&kept, number)]);
        let passed = store.write(&acknowledged).await.expect("writes");
        assert_eq!(passed.len(), 1, "write {number} passes");
    }
    for home in [kept, dropped] {
        let audit = store.audit_home(&home).await.expect("reads");
        let audit = audit.expect("exists");
        let operations = u64::try_from(audit.operations.len()).expect("fits");
        assert_eq!(audit.version, operations, "whole or not at all");
    }
    assert_eq!(version(&store, &user("kept")).await, DROPS + 1);
}

/// Loads and decisions under the lock that were dropped leave no connection behind inside a transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_loads_and_locked_writes_leaves_no_transaction_open() {
    let (store, _kept) = open().await;
    let alice = user("alice");
    let created = batch(vec![first_write(&alice)]);
    store.write(&created).await.expect("writes");
    let decided = Arc::new(AtomicU64::new(0));
    for number in 1..=DROPS {
        let query = load_query(vec![home_query(&alice)]);
        let (load, late) = (store.load(&query), delay(number * 3));
        drop(tokio::time::timeout(late / 8, load).await);
        let counter = Arc::clone(&decided);
        let decide: DecideLocked = Box::new(move |loaded: Loaded| {
            counter.fetch_add(1, Ordering::SeqCst);
            let home = &loaded.homes[0];
            Some(batch(vec![next_write(&home.id, home.version)]))
        });
        drop(tokio::time::timeout(late, store.write_locked(&query, decide)).await);
    }
    let query = load_query(vec![home_query(&alice)]);
    let last: DecideLocked = Box::new(|_| None);
    let last = store.write_locked(&query, last).await;
    assert!(!last.expect("the writer is free"), "nothing was decided");
    let stored = version(&store, &alice).await;
    assert_eq!(stored, 1 + decided.load(Ordering::SeqCst));
}

/// The only connection that writes comes back from a change that failed midway: what is written by it next is committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_fails_midway_leaves_no_transaction_open() {
    let (store, folder) = open().await;
    let alice = user("alice");
    let created = batch(vec![first_write(&alice)]);
    store.write(&created).await.expect("writes");
    let query = load_query(vec![home_query(&alice)]);
    for number in 1..=FAILURES {
        let is_panic = number % 2 == 0;
        let decide: DecideLocked = Box::new(move |loaded: Loaded| {
            assert!(!is_panic, "a decision that panics");
            let home = &loaded.homes[0];
            let write = next_write(&home.id, home.version);
            Some(batch(vec![write.clone(), write]))
        });
        let (called, asked) = (store.clone(), query.clone());
        let failed = tokio::spawn(async move { called.write_locked(&asked, decide).await });
        match failed.await {
            Ok(answer) => assert!(answer.is_err(), "a home twice is refused"),
            Err(ended) => assert!(is_panic && ended.is_panic(), "the panic of the decision"),
        }
        let next = batch(vec![next_write(&alice, number)]);
        let passed = store.write(&next).await.expect("writes");
        assert_eq!(passed, vec![alice.clone()], "as if nothing had happened");
    }
    store.close().await;
    let again = reopen(&folder).await;
    assert_eq!(version(&again, &alice).await, 1 + FAILURES);
}
