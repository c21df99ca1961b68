//! What can be set on a run.

use clap::Parser;

/// What is measured, and for how long.
#[derive(Debug, Clone, Parser)]
#[command(about)]
pub(crate) struct Settings {
    /// Rounds that count, for each measurement.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Seconds of each side of a round.
    #[arg(long, default_value_t = 3)]
    pub(crate) seconds: u64,
    /// Only these keys of the report, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Requests in flight, or connections.
    #[arg(long, default_value_t = 256)]
    pub(crate) in_flight: usize,
    /// Queues of the engine.
    #[arg(long, default_value_t = 2)]
    pub(crate) shards: usize,
    /// Rounds count however much others use of the machine; for trials, not for a report.
    #[arg(long)]
    pub(crate) noisy: bool,
    /// Also the large ones: 1 million users, 10 million ledger rows.
    #[arg(long)]
    pub(crate) large: bool,
}

impl Settings {
    /// Whether this key of the report is asked for.
    pub(crate) fn wants(&self, key: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == key)
    }
}
