//! The store on SQLite: one file, one writer, many readers. It holds no rule.

mod accounts;
mod audits;
mod batch;
mod catalog;
mod closed_balances;
mod directory;
mod error;
mod feed;
mod jobs;
mod keys;
mod lists;
mod load;
mod migrate;
mod operations;
mod optimistic;
mod outbox;
mod relocate;
mod reservations;
mod rows;
mod store;
mod upkeep;
mod values;
mod write;

pub use error::OpenError;
pub use store::{SqliteSettings, SqliteStore};
