//! Batches that cross, and what leaves no lock behind.

use quota_core::ids::AccountId;
use quota_core::ports::{Store, StoreError};

use crate::fixture::{
    account, ask, batch, change, fresh, id, load, operation, query, reopened, sql, write,
};

/// Writers that meet in one test.
const WRITERS: usize = 8;

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
    gap.operations.push(operation(&a, 3).into());
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

/// A statement that finds the disk full, or a server that may only read, changes nothing and is named.
#[tokio::test]
async fn a_full_disk_and_a_read_only_server_are_named() {
    let (store, url) = fresh("full").await;
    let a = id("user:a");
    write(&store, vec![change(&a, 0, 1)]).await;
    let full = "create function disk_is_full() returns trigger language plpgsql as
            $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
        create trigger disk_is_full before insert or update on accounts
            for each row execute function disk_is_full()";
    sql(&url, full).await.expect("a trigger");
    let next = batch(vec![change(&a, 1, 1)]);
    let error = store.write(&next).await.expect_err("is full");
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    let emptied = "drop trigger disk_is_full on accounts;
        alter database current set default_transaction_read_only = on";
    let database = url.rsplit('/').next().expect("a name");
    let emptied = emptied.replace("current", &format!("\"{database}\""));
    sql(&url, &emptied).await.expect("read-only from now on");
    let store = reopened(&url).await;
    let error = store.write(&next).await.expect_err("is read-only");
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    assert_eq!(load(&store, vec![ask(&a)]).await.homes[0].version, 1);
}
