//! What can be set on an engine.

use std::time::Duration;

use chrono::TimeDelta;

/// Settings of an engine. The defaults suit one node with two cores.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Queues that work side by side; an account's home is always in the same one.
    pub shards: usize,
    /// Requests that may wait in one queue; more are refused as busy.
    pub queue_max: usize,
    /// Requests that are committed together at most.
    pub batch_max: usize,
    /// How long a request may wait for its answer, in its queue and in the store.
    pub deadline: Duration,
    /// How long a past-due subscription stays in force (S2).
    pub grace: TimeDelta,
    /// For how long a key is looked for; at least 7 days (X1).
    pub keys_kept: TimeDelta,
    /// Homes whose state is kept in memory between batches, in each queue, counted by their accounts; 0 reads it for
    /// every batch.
    pub homes_kept: usize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            shards: 2,
            queue_max: 10_000,
            batch_max: 512,
            deadline: Duration::from_secs(5),
            grace: TimeDelta::hours(72),
            keys_kept: TimeDelta::days(35),
            homes_kept: 20_000,
        }
    }
}

impl EngineSettings {
    /// The defaults, with a deadline that a busy machine does not meet: for tests, and for callers that can wait.
    pub fn patient() -> Self {
        Self {
            deadline: Duration::from_mins(10),
            ..Self::default()
        }
    }
}
