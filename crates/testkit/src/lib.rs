//! What tests need and the product does not: throw-away servers, fixtures and conformance suites.
//!
//! A store of one's own is held to what the ports promise by [`conformance_store!`], [`conformance_races!`] and, if it keeps what
//! payment providers tell, [`conformance_billing!`]; a cache by
//! [`conformance_cache!`]: each makes a test of every promise. `docs/STORES.md` says how. Here one promise by hand, and
//! what the suite is told:
//!
//! ```
//! use std::sync::Arc;
//!
//! use quota_core::ports::Storage;
//! use testkit::memory::MemoryStore; // in place of yours
//!
//! // What comes second is kept until the test has ended, such as a temporary folder.
//! async fn open() -> (Arc<dyn Storage>, ()) {
//!     (Arc::new(MemoryStore::new()), ())
//! }
//!
//! // In a file under `tests/`: every promise as a test of its own.
//! testkit::conformance_store!(open);
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let (store, _kept) = open().await;
//! testkit::conformance::store::a_stale_version_is_refused_and_changes_nothing(store).await;
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod billing_rows;
pub mod conformance;
mod error;
#[cfg(feature = "fake-stripe")]
pub mod fake_stripe;
pub mod fixtures;
pub mod memory;
pub mod old_data;
pub mod pg;
mod pg_client;
mod pg_given;
mod process;
pub mod races;
pub mod redis;
pub mod sequences;

pub use error::ServerError;
pub use process::is_root;

/// The Debian packages that throw-away servers need and this machine lacks.
pub fn missing_packages() -> Vec<&'static str> {
    let mut packages = Vec::new();
    if !pg::is_installed() {
        packages.push("postgresql");
    }
    if !redis::is_installed() {
        packages.push("redis-server");
    }
    packages
}
