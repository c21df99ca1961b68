//! Measures the engine beside its references, in one run on one machine, and writes `target/bench/report.json`.

mod error;
mod http;
mod legacy;
mod load;
mod machine;
mod programs;
mod reference;
mod report;
mod scenarios;
mod seed;
mod settings;

use std::process::ExitCode;

use clap::Parser;
use settings::Settings;

/// As in the program `api`; the references in this process have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
