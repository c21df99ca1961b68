//! The suite of random sequences against itself.

use std::sync::Arc;

use chrono::TimeDelta;
use testkit::memory::MemoryStore;
use testkit::sequences::{Plan, assert_same, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_sequences_come_to_the_same_twice_in_memory() {
    for (time_seed, with_keys, longest) in [(1, true, 33), (2, false, 900)] {
        let plan = Plan {
            prefix: "s".to_owned(),
            seeds: (0..300).collect(),
            steps: 50,
            time_seed,
            longest: TimeDelta::days(longest),
            with_keys,
        };
        let first = run(Arc::new(MemoryStore::new()), &plan).await;
        let second = run(Arc::new(MemoryStore::new()), &plan).await;
        assert_same(&plan, &first, &second);
    }
}
