//! `api keys`: make, list and revoke API keys.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use quota_core::ports::ApiKey;
use quota_service::Engine;
use runtime::MissingFile;

use crate::args::{KeysCommand, StoreArgs};
use crate::command_error::CommandError;
use crate::wiring::wire_command;

/// Carries out a command on keys.
pub(crate) async fn run(command: &KeysCommand) -> Result<(), CommandError> {
    let (store, missing): (&StoreArgs, _) = match command {
        KeysCommand::Create { store, .. } => (store, MissingFile::Create),
        KeysCommand::List { store } | KeysCommand::Revoke { store, .. } => {
            (store, MissingFile::Refuse)
        }
    };
    let (engine, database) = wire_command(&store.database, missing).await?;
    let outcome = carry_out(&engine, command).await;
    engine.stop().await;
    database.close().await;
    outcome
}

async fn carry_out(engine: &Engine, command: &KeysCommand) -> Result<(), CommandError> {
    match command {
        KeysCommand::Create { name, scope, .. } => {
            let name = name.as_str();
            let made = engine.create_key(name, (*scope).into()).await?;
            runtime::print(&format!("{}\n", made.secret))?;
            let id = made.key.id;
            runtime::print_error(&format!("key {id} `{name}`: the secret is shown once"));
        }
        KeysCommand::List { .. } => runtime::print(&listed(&engine.keys().await?))?,
        KeysCommand::Revoke { id, .. } => {
            if !engine.revoke_key(*id).await? {
                return Err(CommandError::UnknownKey(*id));
            }
            runtime::print(&format!("key {id} is revoked\n"))?;
        }
    }
    Ok(())
}

fn listed(keys: &[ApiKey]) -> String {
    let mut text = format!(
        "{:36}  {:14}  {:5}  {:20}  {:20}  name\n",
        "id", "prefix", "scope", "created", "revoked"
    );
    for key in keys {
        let (scope, created) = (key.scope.as_str(), time(key.created_at));
        let revoked = key.revoked_at.map_or("-".to_owned(), time);
        let (id, prefix, name) = (key.id, &key.prefix, &key.name);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{id:36}  {prefix:14}  {scope:5}  {created:20}  {revoked:20}  {name}"
        );
    }
    text
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
