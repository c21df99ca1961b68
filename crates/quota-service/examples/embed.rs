//! The engine inside another service: the rules, the use cases and one store, with no server beside them.
//!
//! `cargo run -p quota-service --example embed` keeps everything in memory; a file's name after `--` keeps it there.

use std::error::Error;
use std::sync::Arc;

use quota_core::amount::Amount;
use quota_core::answer::{Answer, Rejection};
use quota_core::catalog::CatalogFile;
use quota_core::command::{AccountSpec, Command, Consume, Presence, PutAccount, Subscribe};
use quota_core::ids::{AccountId, FeatureCode, IdempotencyKey, PlanCode, UserId};
use quota_core::item::Item;
use quota_core::origin::Origin;
use quota_service::{
    Ask, Engine, EngineError, EngineParts, EngineSettings, NoCache, Reply, SystemClock, TimeIds,
};
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
    let parts = EngineParts {
        storage: Arc::new(store.clone()),
        cache: Arc::new(NoCache),
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeIds),
    };
    let engine = Engine::start(parts, EngineSettings::default()).await?;
    let catalog: CatalogFile = toml::from_str(CATALOG)?;
    engine.apply_catalog(&catalog, Some("embed")).await?;

    let alice = AccountId::user(&UserId::new("alice")?);
    sign_up(&engine, &alice).await?;
    for number in 1..=4 {
        let reply = consume(&engine, &alice, &format!("article-{number}")).await?;
        println!("article {number}: {}", in_words(&reply));
    }
    // The same key again is the same request: its first answer, and nothing more is spent.
    let again = consume(&engine, &alice, "article-1").await?;
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
async fn sign_up(engine: &Engine, user: &AccountId) -> Result<(), Box<dyn Error>> {
    let create = Command::PutAccount(PutAccount {
        presence: Presence::New,
        spec: AccountSpec::default(),
    });
    match submit(engine, user, None, create).await {
        Err(EngineError::Rejected(Rejection::AccountExists)) => return Ok(()),
        made => made?,
    };
    let subscribe = Command::Subscribe(Subscribe {
        plan: PlanCode::new("small")?,
        starts_at: None,
        ends_at: None,
        status: None,
    });
    submit(engine, user, None, subscribe).await?;
    Ok(())
}

async fn consume(engine: &Engine, user: &AccountId, key: &str) -> Result<Reply, Box<dyn Error>> {
    let item = Item {
        feature: FeatureCode::new("articles")?,
        amount: Amount::new(1)?,
    };
    let command = Command::Consume(Consume {
        token: None,
        items: vec![item],
    });
    let key = IdempotencyKey::new(key)?;
    Ok(submit(engine, user, Some(key), command).await?)
}

async fn submit(
    engine: &Engine,
    account: &AccountId,
    key: Option<IdempotencyKey>,
    command: Command,
) -> Result<Reply, EngineError> {
    let ask = Ask {
        account: account.clone(),
        key,
        command,
        origin: Origin::default(),
    };
    engine.submit(ask).await
}

fn in_words(reply: &Reply) -> String {
    let answer = &reply.operation.answer;
    let left = answer.balances().first().and_then(|own| own.remaining);
    let left = left.map_or(String::new(), |left| format!(", {left} left"));
    let replayed = if reply.is_replay { " (replayed)" } else { "" };
    let Answer::Denied { denial, .. } = answer else {
        return format!("allowed{left}{replayed}");
    };
    let (reason, available) = (denial.reason, denial.available);
    format!("denied, {reason:?}, {available} available{replayed}")
}
