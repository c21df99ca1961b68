//! The engine inside another service: the rules, the use cases and one store, with no server beside them.
//!
//! `cargo run -p quota-service --example embed` keeps everything in memory; a file's name after `--` keeps it there.

use std::error::Error;
use std::sync::Arc;

use cache_memory::MemoryCache;
use quota_service::prelude::*;
use storage_sqlite::{SqliteSettings, SqliteStore};

/// Plans as code: one feature, one plan.
const CATALOG: &str = r#"
[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "small"
name = "Small"
limits = { articles = 3 }
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = open(std::env::args().nth(1)).await?;
    let engine = Engine::over(Arc::new(store.clone()))
        .cache(Arc::new(MemoryCache::default()))
        .catalog(toml::from_str(CATALOG)?, "embed")
        .open()
        .await?;

    sign_up(&engine, "user:alice").await?;
    for number in 1..=4 {
        let decision = write_article(&engine, number).await?;
        println!("article {number}: {}", in_words(&decision));
    }
    // The same key again is the same request: its first answer, and nothing more is spent.
    let again = write_article(&engine, 1).await?;
    println!("article 1, asked again: {}", in_words(&again));

    engine.stop().await;
    store.close().await;
    Ok(())
}

async fn open(file: Option<String>) -> Result<SqliteStore, Box<dyn Error>> {
    let settings = SqliteSettings::default();
    Ok(match file {
        Some(file) => SqliteStore::open(file, &settings).await?,
        None => SqliteStore::open_in_memory(&settings).await?,
    })
}

/// Makes the user with its subscription; one that is there stays as it is.
async fn sign_up(engine: &Engine, user: &str) -> Result<(), EngineError> {
    match engine.put_account(user, PutAccount::create()).await {
        Err(EngineError::Rejected(Rejection::AccountExists)) => return Ok(()),
        made => made?,
    };
    engine.subscribe(user, Subscribe::to("small")).await?;
    Ok(())
}

async fn write_article(engine: &Engine, number: u32) -> Result<Decision, EngineError> {
    let key = format!("article-{number}");
    let asked = Consume::of("articles", 1).key(&key);
    engine.consume("user:alice", asked).await
}

fn in_words(decision: &Decision) -> String {
    let reply = decision.reply();
    let replayed = if reply.is_replay { " (replayed)" } else { "" };
    match decision {
        Decision::Allowed(reply) => {
            let left = reply.balances().first().and_then(|own| own.remaining);
            let left = left.map_or(String::new(), |left| format!(", {left} left"));
            format!("allowed{left}{replayed}")
        }
        Decision::Denied(denied) => {
            let (reason, available) = (denied.denial.reason.code(), denied.denial.available);
            format!("denied, {reason}, {available} available{replayed}")
        }
    }
}
