//! Leases, runs, batches and API keys.

use quota_core::ports::{
    ApiKey, BatchRecord, JobRun, JobStore, KeyScope, KeyStore, RunState, RunSummary, StoreError,
};
use uuid::Uuid;

use crate::fixture::{at, fresh};

#[tokio::test]
async fn each_new_holder_of_a_lease_gets_the_next_epoch() {
    let (store, _) = fresh("epochs").await;
    let take = async |owner: &str, now: i64| {
        let taken = store.take_lease("job", owner, at(now), at(now + 10)).await;
        taken.expect("answers").map(|lease| lease.epoch)
    };
    assert_eq!(take("one", 0).await, Some(1));
    assert_eq!(take("one", 5).await, Some(1));
    assert_eq!(take("two", 14).await, None);
    assert_eq!(take("two", 15).await, Some(2));
    // The one that lost it cannot give back what it has no more.
    let lost = store.take_lease("job", "two", at(16), at(26)).await;
    let mut lease = lost.expect("answers").expect("is its own");
    lease.owner = "one".to_owned();
    store.give_lease_back(&lease).await.expect("does nothing");
    assert_eq!(take("one", 17).await, None);
    lease.owner = "two".to_owned();
    store.give_lease_back(&lease).await.expect("gives back");
    assert_eq!(take("one", 17).await, Some(3));
}

#[tokio::test]
async fn a_run_that_begins_finds_the_one_before_it_lost() {
    let (store, _) = fresh("runs").await;
    let run = |job: &str, started: i64| JobRun {
        id: Uuid::now_v7(),
        job: job.to_owned(),
        asked_by: "schedule".to_owned(),
        filter: Some("user:a".to_owned()),
        owner: "me".to_owned(),
        started_at: at(started),
        ended_at: None,
        state: RunState::Running,
        summary: RunSummary::default(),
    };
    let (first, other, second) = (run("sweep", 1), run("reset", 2), run("sweep", 3));
    for run in [&first, &other, &second] {
        store.put_run(run).await.expect("puts");
    }
    let states: Vec<_> = store
        .runs(None, 9)
        .await
        .expect("reads")
        .iter()
        .map(|run| run.state)
        .collect();
    assert_eq!(
        states,
        [RunState::Running, RunState::Running, RunState::Lost]
    );
    let mut done = second.clone();
    (done.state, done.ended_at) = (RunState::Succeeded, Some(at(5)));
    done.summary.done = 7;
    store.put_run(&done).await.expect("puts");
    assert_eq!(store.runs(Some("sweep"), 1).await.expect("reads"), [done]);

    let batch = |number, failed| BatchRecord {
        run: second.id,
        number,
        ended_at: at(4),
        summary: RunSummary {
            failed,
            error: Some("why".to_owned()),
            ..RunSummary::default()
        },
    };
    for batch in [batch(2, 0), batch(1, 0), batch(1, 3)] {
        store.put_batch(&batch).await.expect("puts");
    }
    assert_eq!(
        store.batches(second.id).await.expect("reads"),
        [batch(1, 3), batch(2, 0)]
    );
}

#[tokio::test]
async fn a_key_is_found_by_its_hash_and_revoked_once() {
    let (store, _) = fresh("keys").await;
    let key = |hash, created| ApiKey {
        id: Uuid::now_v7(),
        name: "for tests".to_owned(),
        scope: KeyScope::Write,
        prefix: "qk_12".to_owned(),
        hash: [hash; 32],
        created_at: at(created),
        revoked_at: None,
    };
    let (young, mut old) = (key(1, 2), key(2, 1));
    store.put_key(&young).await.expect("puts");
    store.put_key(&old).await.expect("puts");
    let again = store.put_key(&key(1, 3)).await.expect_err("is taken");
    assert!(matches!(again, StoreError::Refused { .. }), "{again}");
    assert_eq!(
        store.keys().await.expect("reads"),
        [old.clone(), young.clone()]
    );
    assert!(store.revoke_key(old.id, at(5)).await.expect("revokes"));
    assert!(store.revoke_key(old.id, at(6)).await.expect("revokes"));
    assert!(
        !store
            .revoke_key(Uuid::now_v7(), at(6))
            .await
            .expect("answers")
    );
    old.revoked_at = Some(at(5));
    assert_eq!(store.key_by_hash(&[2; 32]).await.expect("reads"), Some(old));
    assert_eq!(store.key_by_hash(&[3; 32]).await.expect("reads"), None);
}
