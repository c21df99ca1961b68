//! The API server and the commands of its operator.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod catalog;
mod command_error;
mod demo;
mod import;
mod keys;
mod serve;
mod wiring;

use std::process::ExitCode;

use quota_service::Removals;

use crate::args::{ApiArgs, CatalogCommand, Command, DemoCommand};
use crate::command_error::CommandError;

/// Requests are many small allocations that other threads free.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let ApiArgs { command } = ApiArgs::read();
    command.log().init();
    match run(&command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            runtime::report(&error);
            error.exit_code()
        }
    }
}

async fn run(command: &Command) -> Result<(), CommandError> {
    match command {
        Command::Serve(args) => serve::serve(args).await,
        Command::Migrate(store) => {
            store.database.migrate().await?;
            Ok(runtime::print("the schema is up to date\n")?)
        }
        Command::Keys(command) => keys::run(command).await,
        Command::Catalog(CatalogCommand::Plan { catalog, sale }) => {
            catalog::plan(catalog, sale).await
        }
        Command::Catalog(CatalogCommand::Apply {
            catalog: args,
            sale,
            features,
            plans,
        }) => {
            let removals = Removals {
                features: features.iter().cloned().collect(),
                plans: plans.iter().cloned().collect(),
            };
            catalog::apply(args, sale, &removals).await
        }
        Command::Import(args) => import::run(args).await,
        Command::Demo(DemoCommand::Data { cache, store }) => demo::fill_only(store, cache).await,
    }
}
