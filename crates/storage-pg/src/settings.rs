//! What an operator may set of the store.

use std::time::Duration;

/// How the store uses its database. Each time-out is there so that nothing waits for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Most connections that are open at once, beside two that stay at hand for batches. A node needs few: it writes in
    /// batches.
    pub connections_max: u32,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// Longest time for one statement.
    pub statement_timeout: Duration,
    /// Longest wait for another's lock; shorter than a statement, so that the cause shows.
    pub lock_timeout: Duration,
    /// Longest time that a transaction may stand still before the server ends it.
    pub idle_in_transaction_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections_max: 10,
            acquire_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(1),
            idle_in_transaction_timeout: Duration::from_secs(10),
        }
    }
}

/// Longer than any machine needs for one statement, however busy it is.
const PATIENCE: Duration = Duration::from_mins(10);

impl Settings {
    /// Time-outs that a busy machine does not meet: for tests, and for programs without a caller that waits.
    pub fn patient() -> Self {
        Self {
            acquire_timeout: PATIENCE,
            statement_timeout: PATIENCE,
            lock_timeout: PATIENCE,
            idle_in_transaction_timeout: PATIENCE,
            ..Self::default()
        }
    }
}
