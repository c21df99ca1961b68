//! The store on SQLite: one file, one writer, many readers. It holds no rule.
//!
//! Opening a file makes it if it is missing, and brings its schema up to date. The file belongs to one machine; several
//! processes may use it at a time.
//!
//! ```
//! use std::sync::Arc;
//!
//! use quota_service::prelude::*;
//! use storage_sqlite::{SqliteSettings, SqliteStore};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let folder = tempfile::TempDir::new()?;
//! # let file = folder.path().join("quota.db");
//! // In place of a file, `open_in_memory` is for tests and trials.
//! let store = SqliteStore::open(&file, &SqliteSettings::default()).await?;
//! let engine = Engine::over(Arc::new(store.clone())).open().await?;
//! engine.put_account("user:alice", PutAccount::create()).await?;
//!
//! engine.stop().await;
//! store.close().await;
//!
//! // What was answered is in the file.
//! let store = SqliteStore::open(&file, &SqliteSettings::default()).await?;
//! let engine = Engine::over(Arc::new(store.clone())).open().await?;
//! assert_eq!(engine.overview(&AccountId::parse("user:alice")?).await?.version, 1);
//! # engine.stop().await;
//! # store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounts;
mod audits;
mod batch;
mod billing;
mod billing_problems;
mod catalog;
mod closed_balances;
mod code_uses;
mod codes;
mod directory;
mod error;
mod feed;
mod foreign;
mod jobs;
mod keys;
mod lists;
mod load;
mod meters;
mod migrate;
mod operations;
mod optimistic;
mod outbox;
mod payments;
mod provider_connections;
mod provider_events;
mod provider_links;
mod relocate;
mod reservations;
mod rows;
mod store;
mod top_ups;
mod upkeep;
mod values;
mod write;

pub use error::OpenError;
pub use foreign::foreign_table;
pub use store::{SqliteSettings, SqliteStore};
