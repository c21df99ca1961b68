//! The suite of random sequences against itself.

use std::sync::Arc;

use quota_service::EngineSettings;
use testkit::memory::MemoryStore;
use testkit::sequences::{Plan, assert_same, regressions, run, run_with, wanted};

/// How an engine groups requests, and what it keeps in memory between batches, is not seen in any outcome.
async fn come_to_the_same(plan: &Plan) {
    let settings = EngineSettings {
        shards: 1,
        batch_max: 7,
        homes_kept: 0,
        ..EngineSettings::patient()
    };
    let alone = run_with(Arc::new(MemoryStore::new()), plan, settings).await;
    let usual = run(Arc::new(MemoryStore::new()), plan).await;
    assert_same(plan, &alone, &usual);
}

/// I25: with keys over 33 days.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sequences_with_keys_come_to_the_same_however_they_are_grouped() {
    for plan in regressions(true).into_iter().chain(wanted(2_000_000, true)) {
        come_to_the_same(&plan).await;
    }
}

/// I25: without keys over 900 days.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sequences_over_years_come_to_the_same_however_they_are_grouped() {
    for plan in regressions(false)
        .into_iter()
        .chain(wanted(2_000_000, false))
    {
        come_to_the_same(&plan).await;
    }
}
