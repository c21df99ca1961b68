//! Who passes, and who does not.

use std::sync::Arc;

use quota_core::catalog::Catalog;
use quota_core::ids::AccountId;
use quota_core::ports::{CatalogStore, JobStore, Lease, Store, StoreError};
use storage_pg::PgStore;
use tokio::sync::Barrier;

use crate::fixture::{
    account, ask, at, batch, change, fresh, id, load, operation, query, sql, write,
};

/// Writers that meet in one test.
const WRITERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_writers_that_loaded_the_same_version_exactly_one_passes() {
    let (store, _) = fresh("race").await;
    let a = id("user:a");
    for version in 0..10 {
        let start = Arc::new(Barrier::new(WRITERS));
        let writers = (0..WRITERS).map(|_| {
            let (store, a, start) = (store.clone(), a.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                write(&store, vec![change(&a, version, 1)]).await.len()
            })
        });
        let mut passed = 0;
        for writer in writers.collect::<Vec<_>>() {
            passed += writer.await.expect("a writer ends");
        }
        assert_eq!(passed, 1, "at version {version}");
    }
    assert_eq!(load(&store, vec![ask(&a)]).await.homes[0].version, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_share_homes_in_any_order_all_end() {
    let (store, _) = fresh("crossing").await;
    let homes: Vec<AccountId> = (0..40).map(|n| id(&format!("user:{n:02}"))).collect();
    write(
        &store,
        homes.iter().map(|home| change(home, 0, 1)).collect(),
    )
    .await;
    let writers = (0..WRITERS).map(|number| {
        let (store, mut homes) = (store.clone(), homes.clone());
        if number % 2 == 0 {
            homes.reverse();
        }
        tokio::spawn(async move {
            let mut passed = 0;
            for _ in 0..20 {
                let loaded = load(&store, homes.iter().map(ask).collect()).await;
                let versions = loaded.homes.iter().map(|home| (&home.id, home.version));
                let changes = versions.map(|(home, version)| change(home, version, 1));
                passed += write(&store, changes.collect()).await.len();
            }
            passed
        })
    });
    let mut passed = 0;
    for writer in writers.collect::<Vec<_>>() {
        passed += writer.await.expect("a writer ends");
    }
    let loaded = load(&store, homes.iter().map(ask).collect()).await;
    let versions: u64 = loaded.homes.iter().map(|home| home.version).sum();
    assert_eq!(versions, 40 + u64::try_from(passed).expect("small"));
}

#[tokio::test]
async fn nobody_passes_under_another_catalog() {
    let (store, _) = fresh("catalog").await;
    let (a, b) = (id("user:a"), id("user:b"));
    write(&store, vec![change(&a, 0, 1)]).await;
    let next = Catalog {
        version: 1,
        ..Catalog::default()
    };
    assert!(
        store
            .put_catalog(&next, Some("me"), at(1))
            .await
            .expect("puts")
    );
    assert!(!store.put_catalog(&next, None, at(1)).await.expect("puts"));
    assert_eq!(store.catalog().await.expect("reads"), next);
    assert!(
        write(&store, vec![change(&a, 1, 2), change(&b, 0, 1)])
            .await
            .is_empty()
    );
    let loaded = load(&store, vec![ask(&a), ask(&b)]).await;
    assert_eq!(loaded.catalog_version, 1);
    assert_eq!((loaded.homes[0].version, loaded.homes[1].version), (1, 0));
    let mut current = batch(vec![change(&a, 1, 2)]);
    current.catalog_version = 1;
    assert_eq!(store.write(&current).await.expect("writes"), [a]);
}

#[tokio::test]
async fn nobody_passes_with_a_lease_that_went_to_another() {
    let (store, _) = fresh("lease").await;
    let a = id("user:a");
    write(&store, vec![change(&a, 0, 1)]).await;
    let take = |owner: &'static str, now| {
        let store = store.clone();
        async move {
            store
                .take_lease("sweep", owner, at(now), at(now + 10))
                .await
        }
    };
    let first = take("one", 0).await.expect("takes").expect("is free");
    assert_eq!(write_with(&store, &a, 1, &first).await, 1);
    assert_eq!(take("two", 5).await.expect("takes"), None);
    let second = take("two", 10).await.expect("takes").expect("ran out");
    assert_eq!((first.epoch, second.epoch), (1, 2));
    assert_eq!(write_with(&store, &a, 2, &first).await, 0);
    let other = Lease {
        owner: "three".into(),
        ..second.clone()
    };
    assert_eq!(write_with(&store, &a, 2, &other).await, 0);
    let unknown = Lease {
        name: "other".into(),
        ..second.clone()
    };
    assert_eq!(write_with(&store, &a, 2, &unknown).await, 0);
    assert_eq!(write_with(&store, &a, 2, &second).await, 1);
    store.give_lease_back(&second).await.expect("gives back");
    assert_eq!(write_with(&store, &a, 3, &second).await, 0);
}

async fn write_with(store: &PgStore, home: &AccountId, version: u64, lease: &Lease) -> usize {
    let mut leased = batch(vec![change(home, version, 1)]);
    leased.lease = Some(lease.clone());
    store.write(&leased).await.expect("writes").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_home_is_written_by_one_at_a_time_and_each_passes() {
    let (store, _) = fresh("locked").await;
    let a = id("user:a");
    write(&store, vec![change(&a, 0, 0)]).await;
    let writers = (0..WRITERS).map(|_| {
        let (store, a) = (store.clone(), a.clone());
        tokio::spawn(async move {
            let home = a.clone();
            let decide = Box::new(move |loaded: quota_core::ports::Loaded| {
                let version = loaded.homes[0].version;
                Some(batch(vec![change(&home, version, version)]))
            });
            store
                .write_locked(&query(vec![ask(&a)]), decide)
                .await
                .expect("writes")
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        assert!(writer.await.expect("a writer ends"));
    }
    assert_eq!(load(&store, vec![ask(&a)]).await.homes[0].version, 9);

    let of_a = query(vec![ask(&a)]);
    let nothing = store.write_locked(&of_a, Box::new(|_| None));
    assert!(!nothing.await.expect("decides"));
    let stale = {
        let a = a.clone();
        Box::new(move |_| Some(batch(vec![change(&a, 3, 3)])))
    };
    let passed = store.write_locked(&of_a, stale);
    assert!(!passed.await.expect("decides"));
    // A new home has no row to lock; it is made all the same.
    let b = id("user:b");
    let new = {
        let b = b.clone();
        Box::new(move |_| Some(batch(vec![change(&b, 0, 1)])))
    };
    assert!(
        store
            .write_locked(&query(vec![ask(&b)]), new)
            .await
            .expect("writes")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_panics_leaves_no_lock_behind() {
    let (store, url) = fresh("panics").await;
    let a = id("user:a");
    write(&store, vec![change(&a, 0, 0)]).await;
    let caller = {
        let (store, a) = (store.clone(), a.clone());
        tokio::spawn(async move {
            let decide = Box::new(|_| panic!("a mistake of ours"));
            store.write_locked(&query(vec![ask(&a)]), decide).await
        })
    };
    assert!(caller.await.expect_err("goes through").is_panic());
    assert_eq!(write(&store, vec![change(&a, 1, 1)]).await, [a]);
    let open = "select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'";
    assert_eq!(sql(&url, open).await.expect("counts"), "0");
}

#[tokio::test]
async fn a_damaged_history_is_refused_and_nothing_of_its_batch_is_written() {
    let (store, _) = fresh("refused").await;
    let (a, b) = (id("user:a"), id("user:b"));
    let mut gap = change(&a, 0, 1);
    gap.operations.push(operation(&a, 3));
    gap.new_version = 3;
    let mut bare = change(&a, 0, 1);
    bare.accounts.clear();
    let twice = [change(&a, 0, 1), change(&a, 0, 2)];
    let mut overdrawn = change(&a, 0, 1);
    overdrawn.accounts[0].account = account(101);
    let batches = [vec![gap], vec![bare], twice.into(), vec![overdrawn]];
    for mut homes in batches {
        homes.push(change(&b, 0, 1));
        let refused = store.write(&batch(homes)).await.expect_err("is refused");
        assert!(matches!(refused, StoreError::Refused { .. }), "{refused}");
    }
    assert_eq!(load(&store, vec![ask(&b)]).await.homes[0].version, 0);
}
