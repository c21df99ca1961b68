//! Data of every kind, for dumps that a later version of the program must still read: how a store is filled with it, and
//! what is found in one that was filled long ago.

#![expect(
    clippy::expect_used,
    reason = "a suite that cannot run must stop the test"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::TimeDelta;
use quota_core::audit::audit;
use quota_core::ids::AccountId;
use quota_core::ports::{
    AccountPage, ApiKey, AuditHome, BatchRecord, JobRun, KeyScope, LedgerPage, QueuePlace,
    RunState, RunSummary, Storage, WriteBatch,
};

use crate::fixtures::{batch, first_write, instant, next_id, user};
use crate::sequences::{Plan, run};

/// More than there is of anything.
const ALL: u32 = 10_000;
/// Who reads the events.
const CONSUMER: &str = "dispatch_outbox";

/// Fills a store that is empty: two sequences of commands of every kind over a month, under three catalogs; keys; a job
/// with its runs; events of which some were read.
///
/// # Panics
/// When the store fails.
pub async fn fill(storage: Arc<dyn Storage>) {
    let plan = Plan {
        prefix: "old".to_owned(),
        seeds: vec![3, 5],
        steps: 60,
        time_seed: 11,
        longest: TimeDelta::days(33),
        with_keys: true,
        is_varied: true,
    };
    run(Arc::clone(&storage), &plan).await;
    for (scope, revoked_at) in [(KeyScope::Admin, None), (KeyScope::Read, Some(instant(9)))] {
        let id = next_id();
        let mut hash = [7; 32];
        hash[..16].copy_from_slice(id.as_bytes());
        let key = ApiKey {
            id,
            name: "an old key".to_owned(),
            scope,
            prefix: "quota_12".to_owned(),
            hash,
            created_at: instant(1),
            revoked_at,
        };
        storage.put_key(&key).await.expect("a key");
    }
    let lease = storage.take_lease("reset_daily", "old-worker", instant(0), instant(60));
    lease.await.expect("a lease").expect("is free");
    let summary = RunSummary {
        error: Some("one account failed".to_owned()),
        ..RunSummary::default()
    };
    let run = JobRun {
        id: next_id(),
        job: "reset_daily".to_owned(),
        asked_by: "schedule".to_owned(),
        filter: Some("user:old".to_owned()),
        owner: "old-worker".to_owned(),
        started_at: instant(1),
        ended_at: Some(instant(2)),
        state: RunState::Failed,
        summary: summary.clone(),
    };
    storage.put_run(&run).await.expect("a run");
    let batch = BatchRecord {
        run: run.id,
        number: 1,
        ended_at: instant(2),
        summary,
    };
    storage.put_batch(&batch).await.expect("a batch");
    let queues = storage.queues_with_events(CONSUMER).await.expect("queues");
    let queue = *queues.first().expect("events were written");
    let next = storage
        .next_events(CONSUMER, QueuePlace::start_of(queue), 1)
        .await;
    let first = next.expect("events")[0].at;
    let passed = storage.pass_events(CONSUMER, first).await;
    passed.expect("the cursor moves");
}

/// Writes a user that is new.
///
/// # Panics
/// When the store does not take it.
pub async fn write_on(storage: &dyn Storage) {
    let new = user("new");
    let catalog = storage.catalog().await.expect("a catalog");
    let written = WriteBatch {
        catalog_version: catalog.version,
        ..batch(vec![first_write(&new)])
    };
    let passed = storage.write(&written).await.expect("writes");
    assert_eq!(passed, [new]);
}

/// Reads everything, and says how much of what there is, a line each.
///
/// # Panics
/// When something cannot be read, or the auditor finds a home that does not add up.
pub async fn contents(storage: &dyn Storage) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String, number: usize| *counts.entry(what).or_default() += number;
    let homes = storage.homes(None, None, ALL).await.expect("homes");
    for home in &homes {
        let found = storage.audit_home(home).await.expect("is read");
        let found = found.expect("it was listed");
        let findings = audit(&found);
        assert!(findings.is_empty(), "{home}: {findings:?}");
        for (what, number) in contents_of(&found) {
            count(what, number);
        }
        count("in the ledger".to_owned(), ledger(storage, home).await);
    }
    let page = AccountPage {
        limit: ALL,
        ..AccountPage::default()
    };
    let accounts = storage.accounts(&page).await.expect("accounts");
    for row in &accounts {
        let lives = storage.home_of(&row.id).await.expect("the directory");
        count("in the directory".to_owned(), usize::from(lives.is_some()));
    }
    count("homes".to_owned(), homes.len());
    count("accounts".to_owned(), accounts.len());
    let catalog = storage.catalog().await.expect("a catalog");
    count(
        "catalogs".to_owned(),
        usize::try_from(catalog.version).expect("few"),
    );
    count("plans".to_owned(), catalog.plans.len());
    for key in storage.keys().await.expect("keys") {
        let found = storage.key_by_hash(&key.hash).await.expect("a key");
        assert_eq!(found, Some(key));
        count("keys".to_owned(), 1);
    }
    for run in storage.runs(None, ALL).await.expect("runs") {
        let batches = storage.batches(run.id).await.expect("batches");
        count(
            format!("batches of {} {:?}", run.job, run.state),
            batches.len(),
        );
    }
    count("events to read".to_owned(), events(storage).await);
    let mut text = String::new();
    for (what, number) in counts {
        writeln!(text, "{what}: {number}").expect("a text takes it");
    }
    text
}

fn contents_of(home: &AuditHome) -> Vec<(String, usize)> {
    let operations = home.operations.iter();
    let mut all: Vec<(String, usize)> = operations
        .map(|operation| (format!("operations: {}", operation.kind.as_str()), 1))
        .collect();
    let reservations = home.reservations.iter();
    all.extend(reservations.map(|hold| (format!("reservations: {:?}", hold.state), 1)));
    all.push(("closed balances".to_owned(), home.closed.len()));
    let live = home.accounts.iter();
    all.extend(live.map(|(_, account)| ("live balances".to_owned(), account.books.balances.len())));
    all
}

async fn ledger(storage: &dyn Storage, home: &AccountId) -> usize {
    let page = LedgerPage {
        home: home.clone(),
        account: home.clone(),
        members: true,
        before: None,
        limit: ALL,
    };
    storage.ledger(&page).await.expect("the ledger").len()
}

async fn events(storage: &dyn Storage) -> usize {
    let queues = storage.queues_with_events(CONSUMER).await.expect("queues");
    let mut number = 0;
    for queue in queues {
        let next = storage
            .next_events(CONSUMER, QueuePlace::start_of(queue), ALL)
            .await;
        number += next.expect("events").len();
    }
    number
}

/// A dump of the first version of the schema that was distributed holds this.
pub const CONTENTS_OF_FIRST_DUMP: &str = include_str!("first_dump.txt");
