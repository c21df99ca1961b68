//! `api keys`: make, list and revoke API keys.

use chrono::{DateTime, Utc};
use quota_core::ports::KeyScope;

use crate::args::{KeysCommand, Settings};
use crate::start_error::StartError;
use crate::wiring::wire;

/// Carries out a command on keys.
pub(crate) async fn run(settings: &Settings, command: &KeysCommand) -> Result<(), StartError> {
    let wired = wire(settings).await?;
    let engine = &wired.engine;
    let outcome = match command {
        KeysCommand::Create { name, scope } => {
            let name = name.as_str();
            let made = engine.create_key(name, (*scope).into()).await?;
            println!("{}", made.secret);
            eprintln!("key {} `{}`: the secret is shown once", made.key.id, name);
            Ok(())
        }
        KeysCommand::List => {
            println!(
                "{:36}  {:14}  {:5}  {:20}  {:20}  name",
                "id", "prefix", "scope", "created", "revoked"
            );
            for key in engine.keys().await? {
                let revoked = key.revoked_at.map_or("-".to_owned(), time);
                println!(
                    "{:36}  {:14}  {:5}  {:20}  {:20}  {}",
                    key.id,
                    key.prefix,
                    scope_name(key.scope),
                    time(key.created_at),
                    revoked,
                    key.name
                );
            }
            Ok(())
        }
        KeysCommand::Revoke { id } => {
            if engine.revoke_key(*id).await? {
                println!("key {id} is revoked");
                Ok(())
            } else {
                Err(StartError::UnknownKey(*id))
            }
        }
    };
    wired.stop().await;
    outcome
}

fn scope_name(scope: KeyScope) -> &'static str {
    match scope {
        KeyScope::Read => "read",
        KeyScope::Write => "write",
        KeyScope::Admin => "admin",
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
