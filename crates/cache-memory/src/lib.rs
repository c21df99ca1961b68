//! The cache of one process: nothing outside of it is needed, and nothing outlives it.
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
