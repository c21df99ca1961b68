//! The worker: runs the jobs on their schedule, or one by hand.

mod args;
mod commands;
mod duration;
mod logs;
mod metrics_page;
mod schedules;
mod start_error;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Command, WorkerArgs};

/// Jobs go through many accounts, each of many small parts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let args = WorkerArgs::parse();
    logs::init(args.settings.log_format, args.settings.log_level);
    let settings = &args.settings;
    let outcome = match args.command.unwrap_or(Command::Run) {
        Command::Run => commands::run(settings).await,
        Command::RunJob {
            name,
            account,
            features,
        } => commands::run_job(settings, name, account, features).await,
        Command::Jobs => commands::list(settings).await,
    };
    outcome.unwrap_or_else(|error| error.report())
}
