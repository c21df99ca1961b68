//! The engine's store on PostgreSQL 15 or later: it loads, and it writes what the rules decided. It holds no rule.
//!
//! - One statement loads a batch, one autocommitted statement writes it; the versions of the homes decide the race.
//! - Whatever changes something runs in a task of its own that nobody can cancel, and a connection that comes back to
//!   the pool is rolled back first: sqlx 0.9.0 is not cancel-safe. Between statements that stand alone a connection
//!   does not go back.
//! - Every key begins with the home, and so does every condition of the hot path. Beside the home stands its shard: where
//!   Citus distributes the tables by it, one statement names one shard.
//!
//! [`PgStore::open`] migrates and opens, by a login that owns the tables. Where the service may not change its tables,
//! [`migrate()`] is run apart from it, and the service uses [`PgStore::connect`].
//!
//! ```
//! use std::sync::Arc;
//!
//! use quota_service::prelude::*;
//! use storage_pg::{PgStore, Settings};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let url = tokio::task::spawn_blocking(|| testkit::pg::fresh_database("front_page")).await?;
//! # let url = url.as_str();
//! // postgres://user:password@host:port/database
//! let store = PgStore::open(url, Settings::default()).await?;
//! let engine = Engine::over(Arc::new(store.clone())).open().await?;
//! engine.put_account("org:acme", PutAccount::create()).await?;
//! let pack = GrantCredits::of("pack-1", 100).key("invoice-17");
//! engine.grant_credits("org:acme", pack).await?;
//!
//! engine.stop().await;
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounts;
mod audits;
mod batch;
mod billing;
mod billing_problems;
mod breaker;
mod catalog;
mod closed_balances;
mod code_uses;
mod codes;
mod columns;
mod directory;
mod error;
mod feed;
mod jobs;
mod key_check;
mod keys;
mod lists;
mod load;
mod load_rows;
mod locked;
mod meters;
mod migrate;
mod operations;
mod outbox;
mod payments;
mod placement;
mod pool;
mod provider_connections;
mod provider_events;
mod provider_links;
mod relocate;
mod reservations;
mod row_kind;
mod schema;
mod server_settings;
mod settings;
mod shards;
mod spare;
pub mod statements;
mod store;
mod top_ups;
mod turns;
mod upkeep;
mod values;
mod write;

pub use migrate::migrate;
pub use placement::{PLACEMENTS, Placement};
pub use schema::Schema;
pub use settings::Settings;
pub use store::PgStore;
