//! The engine's store on PostgreSQL 15 or later: it loads, and it writes what the rules decided. It holds no rule.
//!
//! - One statement loads a batch, one autocommitted statement writes it; the versions of the homes decide the race.
//! - Whatever changes something runs in a task of its own that nobody can cancel, and a connection that comes back to
//!   the pool is rolled back first: sqlx 0.9.0 is not cancel-safe. Between statements that stand alone a connection
//!   does not go back.
//! - Every key begins with the home, and so does every condition of the hot path. Beside the home stands its shard: where
//!   Citus distributes the tables by it, one statement names one shard.

mod accounts;
mod audits;
mod batch;
mod breaker;
mod catalog;
mod closed_balances;
mod columns;
mod directory;
mod error;
mod feed;
mod jobs;
mod keys;
mod lists;
mod load;
mod load_rows;
mod locked;
mod migrate;
mod operations;
mod outbox;
mod placement;
mod pool;
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
mod upkeep;
mod values;
mod write;

pub use migrate::migrate;
pub use placement::{PLACEMENTS, Placement};
pub use schema::Schema;
pub use settings::Settings;
pub use store::PgStore;
