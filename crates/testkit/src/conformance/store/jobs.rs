//! Keys, the catalog, leases and the history of jobs.

use quota_core::catalog::Catalog;
use quota_core::ports::{
    ApiKey, BatchRecord, JobRun, KeyScope, Lease, RunState, RunSummary, StoreError,
};
use uuid::Uuid;

use super::Store;
use crate::fixtures::{catalog, instant, next_id};

fn api_key(created_at: i64, scope: KeyScope) -> ApiKey {
    let id = next_id();
    let mut hash = [0xAB; 32];
    hash[..16].copy_from_slice(id.as_bytes());
    ApiKey {
        id,
        name: "it's \"theirs\" — ключ".to_owned(),
        scope,
        prefix: "qk_12".to_owned(),
        hash,
        created_at: instant(created_at),
        revoked_at: None,
    }
}

/// A key is found by its hash and listed by age.
pub async fn a_key_is_found_by_its_hash(store: Store) {
    let newer = api_key(9, KeyScope::Admin);
    let mut older = api_key(5, KeyScope::Read);
    older.revoked_at = Some(instant(6));
    for key in [&newer, &older] {
        store.put_key(key).await.expect("writes");
    }
    let found = store.key_by_hash(&older.hash).await.expect("reads");
    assert_eq!(found, Some(older.clone()));
    assert_eq!(store.key_by_hash(&[1; 32]).await.expect("reads"), None);
    assert_eq!(store.keys().await.expect("reads"), [older, newer]);
}

/// Two keys never share an id or a hash.
pub async fn a_key_is_stored_once(store: Store) {
    let key = api_key(1, KeyScope::Write);
    store.put_key(&key).await.expect("writes");
    let mut same_hash = key.clone();
    same_hash.id = next_id();
    for twin in [key.clone(), same_hash] {
        let refused = store.put_key(&twin).await;
        assert!(
            matches!(refused, Err(StoreError::Refused { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(store.keys().await.expect("reads"), [key]);
}

/// A revoked key stays revoked since the first instant.
pub async fn a_revocation_keeps_its_first_instant(store: Store) {
    let key = api_key(1, KeyScope::Write);
    store.put_key(&key).await.expect("writes");
    for at in [7, 8] {
        let revoked = store.revoke_key(key.id, instant(at)).await;
        assert!(revoked.expect("writes"));
    }
    let found = store.key_by_hash(&key.hash).await.expect("reads");
    assert_eq!(found.expect("exists").revoked_at, Some(instant(7)));
    let unknown = store.revoke_key(next_id(), instant(9)).await;
    assert!(!unknown.expect("writes"));
}

/// The catalog begins empty, and each version follows the one before it.
pub async fn a_catalog_follows_the_one_before_it(store: Store) {
    assert_eq!(store.catalog().await.expect("reads"), Catalog::default());
    for (version, follows) in [(2, false), (1, true), (1, false), (3, false), (2, true)] {
        let next = catalog(version);
        let put = store.put_catalog(&next, Some("ann"), instant(1)).await;
        assert_eq!(put.expect("writes"), follows, "version {version}");
    }
    assert_eq!(store.catalog().await.expect("reads"), catalog(2));
    assert_eq!(store.catalog_version().await.expect("reads"), 2);
}

async fn take(store: &Store, owner: &str, now: i64, until: i64) -> Option<u64> {
    let lease = store.take_lease("reset", owner, instant(now), instant(until));
    let lease = lease.await.expect("writes")?;
    assert_eq!(
        (lease.name.as_str(), lease.owner.as_str()),
        ("reset", owner)
    );
    Some(lease.epoch)
}

/// A lease has one holder at a time; each new one gets a greater epoch, and a renewal keeps it.
pub async fn a_lease_has_one_holder_and_a_growing_epoch(store: Store) {
    let first = take(&store, "one", 0, 10).await.expect("is free");
    assert_eq!(take(&store, "two", 9, 20).await, None);
    assert_eq!(take(&store, "one", 9, 15).await, Some(first));
    assert_eq!(take(&store, "two", 14, 20).await, None);
    let second = take(&store, "two", 15, 20).await.expect("has run out");
    assert!(first < second, "{first} is before {second}");
    assert_eq!(take(&store, "one", 16, 30).await, None);
    let other = store.take_lease("prune", "one", instant(16), instant(30));
    assert!(other.await.expect("writes").is_some(), "another lease");
}

/// A lease that was given back is free at once; one that was lost is not given back by its former holder.
pub async fn a_lease_is_given_back_only_by_its_holder(store: Store) {
    let lease = |owner: &str, epoch| Lease {
        name: "reset".to_owned(),
        owner: owner.to_owned(),
        epoch,
    };
    let first = take(&store, "one", 0, 10).await.expect("is free");
    let second = take(&store, "two", 10, 20).await.expect("has run out");
    for stale in [lease("one", first), lease("two", first)] {
        store.give_lease_back(&stale).await.expect("writes");
        assert_eq!(take(&store, "three", 11, 30).await, None);
    }
    let own = store.give_lease_back(&lease("two", second)).await;
    own.expect("writes");
    let third = take(&store, "three", 11, 30).await.expect("is free");
    assert!(second < third, "{second} is before {third}");
}

fn run(job: &str, started_at: i64) -> JobRun {
    JobRun {
        id: next_id(),
        job: job.to_owned(),
        asked_by: "schedule".to_owned(),
        filter: Some("user:o'hara".to_owned()),
        owner: "node-1".to_owned(),
        started_at: instant(started_at),
        ended_at: None,
        state: RunState::Running,
        summary: RunSummary::default(),
    }
}

async fn states(store: &Store, job: Option<&str>) -> Vec<(Uuid, RunState)> {
    let runs = store.runs(job, 10).await.expect("reads");
    runs.iter().map(|run| (run.id, run.state)).collect()
}

/// Runs are kept as they end, and listed newest first, of one job or of all.
pub async fn runs_are_listed_newest_first(store: Store) {
    let (mut reset, prune) = (run("reset", 1), run("prune", 2));
    for run in [&reset, &prune] {
        store.put_run(run).await.expect("writes");
    }
    reset.ended_at = Some(instant(5));
    reset.state = RunState::Failed;
    reset.summary = RunSummary {
        done: 9_000_000_000_000_000_000,
        failed: 2,
        error: Some("\"broken\" – ü".to_owned()),
    };
    store.put_run(&reset).await.expect("writes");
    let of = |job| store.runs(job, 10);
    let both = [prune, reset.clone()];
    assert_eq!(of(None).await.expect("reads"), both);
    assert_eq!(of(Some("reset")).await.expect("reads"), [reset]);
    let one = store.runs(None, 1).await.expect("reads");
    assert_eq!(one, both[..1]);
}

/// A run is found by its id, however many began since; one that is not there is not found.
pub async fn a_run_is_found_by_its_id(store: Store) {
    let first = run("reset", 1);
    for run in [&first, &run("prune", 2), &run("sweep", 3)] {
        store.put_run(run).await.expect("writes");
    }
    let found = store.run(first.id).await.expect("reads");
    assert_eq!(found, Some(first));
    assert_eq!(store.run(next_id()).await.expect("reads"), None);
}

/// A run that begins finds those of its job that still seem to run lost; another job's are left alone.
pub async fn a_run_that_begins_finds_earlier_ones_lost(store: Store) {
    let (first, other, second) = (run("reset", 1), run("prune", 2), run("reset", 3));
    for run in [&first, &other, &second] {
        store.put_run(run).await.expect("writes");
    }
    let expected = [(second.id, RunState::Running), (first.id, RunState::Lost)];
    assert_eq!(states(&store, Some("reset")).await, expected);
    let expected = [(other.id, RunState::Running)];
    assert_eq!(states(&store, Some("prune")).await, expected);
    store.put_run(&second).await.expect("writes");
    let again = states(&store, Some("reset")).await;
    assert_eq!(again[0].1, RunState::Running, "a run does not lose itself");
}

/// The end of a run and the return of its lease are one write; a lease that was lost stays with its holder.
pub async fn a_run_ends_together_with_its_lease(store: Store) {
    let lease = |owner: &str, epoch| Lease {
        name: "reset".to_owned(),
        owner: owner.to_owned(),
        epoch,
    };
    let mut first = run("reset", 1);
    store.put_run(&first).await.expect("writes");
    let epoch = take(&store, "one", 0, 10).await.expect("is free");
    first.state = RunState::Succeeded;
    first.ended_at = Some(instant(2));
    first.summary.done = 7;
    let ended = store.end_run(&first, &lease("one", epoch)).await;
    ended.expect("writes");
    let runs = store.runs(None, 10).await.expect("reads");
    assert_eq!(runs, [first.clone()]);
    let next = take(&store, "two", 3, 10).await.expect("is free at once");
    assert!(epoch < next, "{epoch} is before {next}");
    let mut second = run("reset", 3);
    store.put_run(&second).await.expect("writes");
    let third = take(&store, "three", 10, 20).await.expect("has run out");
    second.state = RunState::Lost;
    let ended = store.end_run(&second, &lease("two", next)).await;
    ended.expect("writes");
    let expected = [(second.id, RunState::Lost), (first.id, RunState::Succeeded)];
    assert_eq!(states(&store, None).await, expected);
    assert_eq!(take(&store, "four", 11, 30).await, None);
    assert_eq!(take(&store, "three", 11, 30).await, Some(third));
}

fn batch_of(run: &JobRun, number: u32) -> BatchRecord {
    BatchRecord {
        run: run.id,
        number,
        ended_at: instant(i64::from(number)),
        summary: RunSummary {
            done: u64::from(number),
            ..RunSummary::default()
        },
    }
}

/// The batches of a run come by number, each as it was stored last.
pub async fn batches_come_by_number(store: Store) {
    let (one, other) = (run("reset", 1), run("prune", 1));
    for run in [&one, &other] {
        store.put_run(run).await.expect("writes");
    }
    for number in [2, 10, 1] {
        let batch = batch_of(&one, number);
        store.put_batch(&batch).await.expect("writes");
    }
    store.put_batch(&batch_of(&other, 3)).await.expect("writes");
    let mut again = batch_of(&one, 2);
    again.summary.error = Some("tried twice".to_owned());
    store.put_batch(&again).await.expect("writes");
    let expected = [batch_of(&one, 1), again, batch_of(&one, 10)];
    assert_eq!(store.batches(one.id).await.expect("reads"), expected);
}

/// Runs that ended before the instant go with their batches; those that run stay.
pub async fn old_runs_are_pruned_with_their_batches(store: Store) {
    let (mut old, running) = (run("reset", 1), run("prune", 1));
    old.state = RunState::Succeeded;
    old.ended_at = Some(instant(2));
    for run in [&old, &running] {
        store.put_run(run).await.expect("writes");
        store.put_batch(&batch_of(run, 1)).await.expect("writes");
    }
    let kept = store.prune(instant(2), 10).await;
    assert_eq!(kept.expect("writes"), 0, "it ended at the instant");
    let gone = store.prune(instant(3), 10).await;
    assert!(gone.expect("writes") > 0, "one run went");
    let left = [(running.id, RunState::Running)];
    assert_eq!(states(&store, None).await, left);
    assert_eq!(store.batches(old.id).await.expect("reads"), []);
    assert_eq!(store.batches(running.id).await.expect("reads").len(), 1);
}
