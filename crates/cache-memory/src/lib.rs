//! The cache of one process: nothing outside of it is needed, and nothing outlives it.
//!
//! ```
//! use cache_memory::MemoryCache;
//! use quota_core::ports::Cache;
//! # use testkit::{conformance::cache::cached, fixtures::user};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let cache = MemoryCache::default();
//! let alice = user("alice");
//! cache.put(cached(&alice, &alice, 1)).await?; // alice as she was at version 1 of her home
//! assert!(cache.get(&alice, &alice).await?.is_some());
//!
//! // A write took her home to version 2: what is older is not given any more.
//! cache.advance(&[(alice.clone(), 2)], false).await?;
//! assert!(cache.get(&alice, &alice).await?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An engine takes it with `Engine::over(store).cache(Arc::new(MemoryCache::default()))`. Where other processes write the
//! same database and nothing tells this one of it, give entries a short [`MemoryCacheSettings::entry_ttl`], such as a second.
//!
//! # What holds
//! - [`MemoryCache`] never gives an entry that is older than what it has heard of its home, from the moment at which
//!   `advance` returns. A `put` that was on its way meanwhile is stored and not given.
//! - It is bounded. When more homes than [`MemoryCacheSettings::homes_max`] are in use, one that was left alone is
//!   forgotten together with its entries. A `put` of what was read before that could then bring back an older
//!   entry, for no longer than [`MemoryCacheSettings::entry_ttl`].
//!
//! Not here: other processes (cache-redis), and any decision.

mod memory_cache;

pub use memory_cache::{MemoryCache, MemoryCacheSettings};
