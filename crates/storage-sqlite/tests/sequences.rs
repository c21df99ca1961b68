//! The store on SQLite and the one in memory come to the same by the same random sequences.
#![expect(
    clippy::expect_used,
    reason = "a store that does not open is a failed test"
)]

use std::sync::Arc;

use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::memory::MemoryStore;
use testkit::sequences::{Plan, assert_same, regressions, run, wanted};

/// Where this store's seeds begin.
const FIRST: u64 = 0;

async fn come_to_the_same(plans: Vec<Plan>) {
    // In memory where there is such a folder: half of the time would go into syncing, and nothing is killed here.
    let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
    let folder = folder.expect("a folder");
    for (number, plan) in plans.into_iter().enumerate() {
        let file = folder.path().join(format!("quota-{number}.db"));
        let store = SqliteStore::open(file, &SqliteSettings::patient()).await;
        let store = Arc::new(store.expect("opens"));
        let expected = run(Arc::new(MemoryStore::new()), &plan).await;
        let found = run(store, &plan).await;
        assert_same(&plan, &expected, &found);
    }
}

/// I25: with keys over 33 days; the auditor finds nothing in any home.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sequences_with_keys_come_to_the_same_as_in_memory() {
    let mut plans = regressions(true);
    plans.extend(wanted(FIRST, true));
    come_to_the_same(plans).await;
}

/// I25: without keys over 900 days; the auditor finds nothing in any home.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sequences_over_years_come_to_the_same_as_in_memory() {
    let mut plans = regressions(false);
    plans.extend(wanted(FIRST, false));
    come_to_the_same(plans).await;
}
