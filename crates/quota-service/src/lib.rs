//! Use cases over ports: group commit, reads, catalog, keys. Knows no database, no cache and no protocol.
//!
//! An engine inside another service: a store that is open, an engine over it, and one call for each verb. A denial is a
//! value, a mistake is an error that names its field.
//!
//! ```
//! use std::sync::Arc;
//!
//! use quota_service::prelude::*;
//! use storage_sqlite::{SqliteSettings, SqliteStore};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let catalog: CatalogFile = toml::from_str(r#"
//!     [[feature]]
//!     code = "articles"
//!     name = "Articles"
//!     unit = "article"
//!     kind = "consumable"
//!     cadence = "monthly"
//!
//!     [[plan]]
//!     code = "small"
//!     name = "Small"
//!     limits = { articles = 3 }
//! "#)?;
//! let store = SqliteStore::open_in_memory(&SqliteSettings::default()).await?;
//! let engine = Engine::over(Arc::new(store.clone())).catalog(catalog, "deploy").open().await?;
//!
//! engine.put_account("user:alice", PutAccount::create()).await?;
//! engine.subscribe("user:alice", Subscribe::to("small")).await?;
//!
//! let asked = Consume::of("articles", 2).key("order-4711");
//! assert!(engine.consume("user:alice", asked.clone()).await?.is_allowed());
//! // The same key is the same request: its first answer again, and nothing more is spent.
//! assert!(engine.consume("user:alice", asked).await?.reply().is_replay);
//!
//! match engine.consume("user:alice", Consume::of("articles", 2)).await? {
//!     Decision::Allowed(_) => panic!("only one is left"),
//!     Decision::Denied(denied) => {
//!         assert_eq!(denied.denial.reason, Reason::LimitReached);
//!         assert_eq!(denied.denial.available, 1);
//!     }
//! }
//! let mistake = engine.consume("user:alice", Consume::of("articles", 0)).await;
//! assert!(mistake.is_err_and(|error| error.to_string().starts_with("`amount` must be")));
//!
//! engine.stop().await;
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ask;
mod background;
mod batch;
pub mod billing;
pub mod call;
mod catalog;
mod catalogs;
mod clock;
mod codes;
mod decide;
mod differing;
mod engine;
mod error;
mod former;
mod generations;
mod hash;
mod homes;
mod invalid_field;
mod kept;
mod keys;
mod known_keys;
mod ledger;
mod left_out;
mod less_on_demand;
mod look_up;
mod lost_limit;
mod meters;
mod moving;
mod no_cache;
mod open;
mod over_limit;
mod payments;
pub mod prelude;
mod previews;
mod reads;
mod setting;
mod settings;
mod writes;

pub use ask::Ask;
pub use call::{Decision, Denied, Draft, OperationRef};
pub use catalog::{CatalogPlan, DefaultPlanChange, LimitChange, LostFlag};
pub use clock::{StoreClock, SystemClock, TimeIds};
pub use codes::{Codes, MadeCodes, NewCode, NewCodes, Redeem, Redeemed};
pub use decide::Reply;
pub use differing::FieldChange;
pub use engine::{Engine, EngineParts};
pub use error::EngineError;
pub use invalid_field::InvalidField;
pub use keys::NewKey;
pub use ledger::{InvalidCursor, LedgerCursor};
pub use left_out::{Entry, HeldEntry, Removals};
pub use less_on_demand::LessOnDemand;
pub use lost_limit::LostLimit;
pub use meters::describe_metrics;
pub use no_cache::NoCache;
pub use open::EngineBuilder;
pub use over_limit::OverLimit;
pub use payments::{BookPayment, BookedPayment};
pub use reads::{Health, PAGE_MAX};
pub use settings::EngineSettings;
pub use writes::WriteFault;
