//! Leases, and who may write when several try.

use std::sync::Arc;

use quota_core::ports::{DecideLocked, Loaded};

use super::{Store, get, put, try_put};
use crate::fixtures::{batch, first_write, home_query, instant, load_query, next_write, org, user};

const WRITERS: u64 = 12;

/// A batch under a lease that another took over writes nothing.
pub async fn a_lost_lease_stops_every_home(store: Store) {
    let (alice, bob) = (user("alice"), user("bob"));
    let old = store
        .take_lease("reset", "one", instant(0), instant(10))
        .await;
    let old = old.expect("writes").expect("is free");
    let mut write = batch(vec![first_write(&alice), first_write(&bob)]);
    write.lease = Some(old);
    let new = store
        .take_lease("reset", "two", instant(10), instant(20))
        .await;
    let new = new.expect("writes").expect("has run out");
    assert_eq!(store.write(&write).await.expect("writes"), []);
    write.lease = Some(new);
    assert_eq!(store.write(&write).await.expect("writes"), [alice, bob]);
}

/// A batch under a lease that nobody took over passes, though the lease has run out.
pub async fn a_lease_that_nobody_took_over_still_writes(store: Store) {
    let lease = store
        .take_lease("reset", "one", instant(0), instant(1))
        .await;
    let mut write = batch(vec![first_write(&user("alice"))]);
    write.lease = lease.expect("writes");
    assert!(write.lease.is_some(), "it is free");
    assert_eq!(store.write(&write).await.expect("writes").len(), 1);
}

/// A batch under a lease that was never taken, or was given back, writes nothing.
pub async fn a_lease_that_is_not_held_stops_every_home(store: Store) {
    let lease = store
        .take_lease("reset", "one", instant(0), instant(9))
        .await;
    let lease = lease.expect("writes").expect("is free");
    let mut unknown = lease.clone();
    unknown.name.push('s');
    store.give_lease_back(&lease).await.expect("writes");
    for lease in [lease, unknown] {
        let mut write = batch(vec![first_write(&user("alice"))]);
        write.lease = Some(lease);
        assert_eq!(store.write(&write).await.expect("writes"), []);
    }
}

/// Of many that write one home at the same version, exactly one passes.
pub async fn of_concurrent_writers_on_one_home_exactly_one_passes(store: Store) {
    let alice = user("alice");
    put(&store, vec![first_write(&alice)]).await;
    for version in 1..=5 {
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let (store, write) = (Arc::clone(&store), next_write(&alice, version));
            writers.push(tokio::spawn(async move {
                try_put(&store, vec![write]).await.expect("writes").len()
            }));
        }
        let mut passed = 0;
        for writer in writers {
            passed += writer.await.expect("no panic");
        }
        assert_eq!(passed, 1, "at version {version}");
    }
    let stored = store.audit_home(&alice).await.expect("reads");
    let stored = stored.expect("exists");
    assert_eq!((stored.version, stored.operations.len()), (6, 6));
}

/// Of many that create one home, exactly one passes.
pub async fn of_concurrent_creators_of_one_home_exactly_one_passes(store: Store) {
    let mut creators = Vec::new();
    for _ in 0..WRITERS {
        let (store, write) = (Arc::clone(&store), first_write(&user("alice")));
        creators.push(tokio::spawn(async move {
            try_put(&store, vec![write]).await.expect("writes").len()
        }));
    }
    let mut passed = 0;
    for creator in creators {
        passed += creator.await.expect("no panic");
    }
    assert_eq!(passed, 1);
}

fn one_more() -> DecideLocked {
    Box::new(|loaded: Loaded| {
        let home = &loaded.homes[0];
        Some(batch(vec![next_write(&home.id, home.version)]))
    })
}

/// Whoever decides under the lock always passes: nobody else can write meanwhile.
pub async fn every_writer_under_the_lock_passes(store: Store) {
    let alice = user("alice");
    put(&store, vec![first_write(&alice)]).await;
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        let (store, query) = (Arc::clone(&store), load_query(vec![home_query(&alice)]));
        writers.push(tokio::spawn(async move {
            store
                .write_locked(&query, one_more())
                .await
                .expect("writes")
        }));
    }
    for writer in writers {
        assert!(writer.await.expect("no panic"), "the lock keeps others out");
    }
    assert_eq!(get(&store, &alice).await.version, 1 + WRITERS);
}

/// A home can be created under the lock.
pub async fn a_home_can_be_created_under_the_lock(store: Store) {
    let query = load_query(vec![home_query(&user("alice"))]);
    let passed = store.write_locked(&query, one_more()).await;
    assert!(passed.expect("writes"));
    assert_eq!(get(&store, &user("alice")).await.version, 1);
}

/// What is decided to be nothing writes nothing, and a stale catalog stops the home under the lock too.
pub async fn under_the_lock_nothing_is_written_in_vain(store: Store) {
    let query = load_query(vec![home_query(&user("alice"))]);
    let nothing = store.write_locked(&query, Box::new(|_| None)).await;
    assert!(!nothing.expect("decides"));
    let stale = store
        .write_locked(
            &query,
            Box::new(|_| {
                let mut write = batch(vec![first_write(&user("alice"))]);
                write.catalog_version = 9;
                Some(write)
            }),
        )
        .await;
    assert!(!stale.expect("decides"));
    assert_eq!(get(&store, &user("alice")).await.version, 0);
}

/// Homes that belong together are written all or none: one that moved on, or another catalog, stops the other too.
pub async fn homes_written_together_are_written_all_or_none(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    put(&store, vec![first_write(&alice), first_write(&acme)]).await;
    let pair = |at: u64, of: u64| batch(vec![next_write(&acme, of), next_write(&alice, at)]);
    assert!(store.write_together(&pair(1, 1)).await.expect("writes"));
    put(&store, vec![next_write(&acme, 2)]).await;
    let mut other_catalog = pair(2, 3);
    other_catalog.catalog_version += 1;
    for refused in [pair(2, 2), pair(1, 3), other_catalog] {
        let written = store.write_together(&refused).await.expect("writes");
        assert!(!written);
        let versions = [
            get(&store, &alice).await.version,
            get(&store, &acme).await.version,
        ];
        assert_eq!(versions, [2, 3]);
        let stored = store.audit_home(&alice).await.expect("reads");
        assert_eq!(stored.expect("exists").operations.len(), 2);
    }
    assert!(store.write_together(&pair(2, 3)).await.expect("writes"));
}

/// Of many that write the same two homes together, in either order, exactly one passes, and it passes whole.
pub async fn of_concurrent_writers_of_two_homes_exactly_one_passes_whole(store: Store) {
    let (alice, acme) = (user("alice"), org("acme"));
    put(&store, vec![first_write(&alice), first_write(&acme)]).await;
    for version in 1..=4 {
        let mut writers = Vec::new();
        for number in 0..WRITERS {
            let mut homes = vec![next_write(&acme, version), next_write(&alice, version)];
            if number % 2 == 0 {
                homes.reverse();
            }
            let store = Arc::clone(&store);
            writers.push(tokio::spawn(async move {
                store.write_together(&batch(homes)).await.expect("writes")
            }));
        }
        let mut passed = 0;
        for writer in writers {
            passed += usize::from(writer.await.expect("no panic"));
        }
        assert_eq!(passed, 1, "at version {version}");
        for home in [&alice, &acme] {
            let stored = store.audit_home(home).await.expect("reads");
            let stored = stored.expect("exists");
            let operations = u64::try_from(stored.operations.len());
            assert_eq!((stored.version, operations), (version + 1, Ok(version + 1)));
        }
    }
}
