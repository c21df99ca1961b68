//! The store on PostgreSQL and the one in memory come to the same by the same random sequences.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod database;

use std::sync::Arc;

use testkit::memory::MemoryStore;
use testkit::sequences::{Plan, assert_same, regressions, run, wanted};

/// Where this store's seeds begin.
const FIRST: u64 = 1_000_000;

async fn come_to_the_same(plans: Vec<Plan>) {
    for plan in plans {
        let (store, ()) = database::open().await;
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
