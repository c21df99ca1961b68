//! The store on SQLite: one file, one writer, many readers. It holds no rule.

mod audits;
mod catalog;
mod directory;
mod error;
mod home_rows;
mod jobs;
mod keys;
mod lists;
mod load;
mod migrations;
mod operations;
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
