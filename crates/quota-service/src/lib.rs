//! Use cases over ports: group commit, reads, catalog, keys. Knows no database, no cache and no protocol.
#![deny(clippy::wildcard_enum_match_arm)]

mod ask;
mod batch;
mod catalog;
mod catalogs;
mod clock;
mod decide;
mod engine;
mod error;
mod generations;
mod hash;
mod homes;
mod kept;
mod keys;
mod known_keys;
mod ledger;
mod left_out;
mod look_up;
mod meters;
mod moving;
mod no_cache;
mod reads;
mod setting;
mod settings;
mod writes;

pub use ask::Ask;
pub use catalog::{CatalogPlan, LimitChange, OverLimit};
pub use clock::{StoreClock, SystemClock, TimeIds};
pub use decide::Reply;
pub use engine::{Engine, EngineParts};
pub use error::EngineError;
pub use keys::NewKey;
pub use ledger::{InvalidCursor, LedgerCursor};
pub use left_out::{Entry, HeldEntry, Removals};
pub use meters::describe_metrics;
pub use no_cache::NoCache;
pub use reads::{Health, PAGE_MAX};
pub use settings::EngineSettings;
pub use writes::WriteFault;
