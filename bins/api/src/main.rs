//! The API server and the commands of its operator.

mod args;
mod catalog;
mod demo;
mod duration;
mod job_control;
mod keys;
mod logs;
mod serve;
mod start_error;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{ApiArgs, CatalogCommand, Command, DemoCommand};
use crate::start_error::StartError;

/// Requests are many small allocations that other threads free.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let args = ApiArgs::parse();
    logs::init(args.settings.log_format, args.settings.log_level);
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

async fn run(args: &ApiArgs) -> Result<(), StartError> {
    let settings = &args.settings;
    match &args.command {
        None | Some(Command::Serve) => serve::serve(settings, args.demo).await,
        Some(Command::Migrate) => wiring::migrate(settings).await,
        Some(Command::Keys { command }) => keys::run(settings, command).await,
        Some(Command::Catalog { command }) => match command {
            CatalogCommand::Plan { file } => catalog::plan(settings, file).await,
            CatalogCommand::Apply { file } => catalog::apply(settings, file).await,
        },
        Some(Command::Demo { command }) => match command {
            DemoCommand::Data => demo::fill_only(settings).await,
        },
    }
}
