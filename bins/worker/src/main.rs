//! The worker: runs the jobs on their schedule, or one by hand.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod commands;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Command, WorkerArgs};

/// Jobs go through many accounts, each of many small parts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let WorkerArgs { command } = WorkerArgs::parse();
    command.log().init();
    let outcome = match command {
        Command::Run(args) => commands::run(&args).await,
        Command::RunJob(args) => commands::run_job(*args).await,
        Command::Jobs(args) => commands::list(&args).await,
    };
    outcome.unwrap_or_else(|error| {
        runtime::report(&error);
        error.exit_code()
    })
}
