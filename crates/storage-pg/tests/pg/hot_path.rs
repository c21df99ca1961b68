//! Load and write.

use std::sync::Arc;

use chrono::TimeDelta;
use quota_core::ids::AccountId;
use quota_core::ports::{HomeWrite, Store};
use storage_pg::PgStore;

use crate::fixture::{at, batch, change, fresh, id, key_query, sql, write};

/// Months before that of `keys_since` are not searched.
#[tokio::test]
async fn a_key_of_an_earlier_month_keeps_no_home_out() {
    let (store, _) = fresh("unseen").await;
    let a = id("user:a");
    let mut first = change(&a, 0, 1);
    Arc::make_mut(&mut first.operations[0]).key = Some(key_query(&a, "k").key);
    write(&store, vec![first]).await;
    let mut again = change(&a, 1, 2);
    again.unseen_keys = vec![key_query(&a, "k")];
    assert!(write(&store, vec![again.clone()]).await.is_empty());
    let mut late = batch(vec![again]);
    late.keys_since = at(0) + TimeDelta::days(31);
    assert_eq!(store.write(&late).await.expect("writes"), [a]);
}

#[tokio::test]
async fn a_connection_is_at_hand_between_statements_and_is_given_back_after_a_failure() {
    let (store, url) = fresh("at_hand").await;
    let a = id("user:a");
    for version in 0..5 {
        write(&store, vec![change(&a, version, 1)]).await;
    }
    let kept = "select count(*) filter (where query like 'with fresh%'), count(*) filter (where query like 'rollback%')
        from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    assert_eq!(sql(&url, kept).await.expect("counts"), "1|0");
    let overdrawn = change(&a, 5, 101);
    let refused = store.write(&batch(vec![overdrawn])).await;
    assert!(refused.is_err());
    assert_eq!(write(&store, vec![change(&a, 5, 1)]).await, [a]);
    // Nothing that is at hand keeps the store open.
    store.close().await;
}

/// Homes enough that their keys are left to the index, each at version 1 with the key `first`.
async fn many_homes(name: &str) -> (PgStore, Vec<AccountId>) {
    let (store, _) = fresh(name).await;
    let homes: Vec<AccountId> = (0..40).map(|n| id(&format!("user:{n:02}"))).collect();
    let made = homes.iter().map(|home| keyed(home, 0, "first")).collect();
    assert_eq!(write(&store, made).await.len(), homes.len());
    (store, homes)
}

/// A consumption with a key that was not looked for.
fn keyed(home: &AccountId, version: u64, key: &str) -> HomeWrite {
    let mut write = change(home, version, 1);
    write.accounts[0].has_new_terms = version == 0;
    Arc::make_mut(&mut write.operations[0]).key = Some(key_query(home, key).key);
    write.unseen_keys = vec![key_query(home, key)];
    write
}

/// X1: a key that is taken stops its home and no other, in the statement that fails on it and in those after it, which are
/// looked up and do not fail.
#[tokio::test]
async fn a_taken_key_stops_its_home_and_no_other() {
    let (store, homes) = many_homes("taken_key").await;
    for version in 1..4 {
        let again = |(home, place): (&AccountId, usize)| match place {
            7 => keyed(home, 1, "first"),
            _ => keyed(home, version, &format!("k-{version}")),
        };
        let batch = homes.iter().zip(0..).map(again).collect();
        let passed = write(&store, batch).await;
        let mut others = homes.clone();
        others.remove(7);
        assert_eq!(passed, others, "{version}");
    }
}

/// X1: a key of last month is looked up, since the index of this month knows nothing of it.
#[tokio::test]
async fn a_taken_key_of_last_month_stops_its_home() {
    let (store, homes) = many_homes("key_of_last_month").await;
    let next_month = |home: &AccountId| {
        let mut write = keyed(home, 1, "first");
        Arc::make_mut(&mut write.operations[0]).at = at(0) + TimeDelta::days(31);
        write
    };
    let mut writes: Vec<HomeWrite> = homes.iter().map(next_month).collect();
    assert_eq!(write(&store, writes.clone()).await, []);
    for write in &mut writes {
        let key = key_query(&write.home, "other");
        Arc::make_mut(&mut write.operations[0]).key = Some(key.key.clone());
        write.unseen_keys = vec![key];
    }
    assert_eq!(write(&store, writes).await, homes);
}

/// X1: a key that was not looked for stops its home though no operation of the batch carries it.
#[tokio::test]
async fn a_taken_key_of_no_operation_stops_its_home() {
    let (store, homes) = many_homes("key_of_no_operation").await;
    let mut writes: Vec<HomeWrite> = homes.iter().map(|home| keyed(home, 1, "next")).collect();
    writes[3].unseen_keys = vec![key_query(&homes[3], "first")];
    let mut others = homes.clone();
    others.remove(3);
    assert_eq!(write(&store, writes).await, others);
}
