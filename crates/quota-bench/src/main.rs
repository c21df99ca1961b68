//! Measures the engine beside its references, in one run on one machine, and writes `target/bench/report.json`.

mod error;
mod http;
mod legacy;
mod load;
mod machine;
mod reference;
mod report;
mod scenarios;
mod seed;

use std::process::ExitCode;

use clap::Parser;

/// As in the program `api`; the references in this process have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is measured, and for how long.
#[derive(Debug, Clone, Parser)]
#[command(about)]
pub struct Settings {
    /// Rounds that count, for each measurement.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each side of a round.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Only these keys of the report, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Requests in flight, or connections.
    #[arg(long, default_value_t = 256)]
    in_flight: usize,
    /// Queues of the engine.
    #[arg(long, default_value_t = 2)]
    shards: usize,
    /// Rounds count however much others use of the machine; for trials, not for a report.
    #[arg(long)]
    noisy: bool,
    /// Also the large ones: 1 million users, 10 million ledger rows.
    #[arg(long)]
    large: bool,
}

impl Settings {
    fn wants(&self, key: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == key)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    match scenarios::run(&settings).await {
        Ok(report) => {
            println!("{}", report.table());
            ExitCode::from(u8::from(!report.reaches_its_bars()))
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
