//! Accounts in Redis below a layer in this process, for several nodes over one database. Redis is never needed: what it
//! does not answer in time is a [`CacheError`](quota_core::ports::CacheError), and the caller reads the store.
//!
//! ```
//! use std::sync::Arc;
//!
//! use cache_redis::{RedisCache, RedisCacheSettings};
//! use quota_service::prelude::*;
//! # use testkit::memory::MemoryStore;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! // Nothing listens there: it costs speed, and no answer.
//! let redis = RedisCache::connect(&RedisCacheSettings::new("redis://127.0.0.1:1")).await?;
//! # let store = MemoryStore::new();
//! let engine = Engine::over(Arc::new(store)).cache(Arc::new(redis.clone())).open().await?;
//! engine.put_account("user:alice", PutAccount::create()).await?;
//! let alice = AccountId::parse("user:alice")?;
//! assert_eq!(engine.overview(&alice).await?.version, 1);
//!
//! engine.stop().await;
//! // Tells the other nodes what they have not been told yet; fails here, where there is no Redis.
//! assert!(redis.flush().await.is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Keys
//! All keys of one home have its name as their hash tag, so that they are in one slot of a Redis Cluster and every script
//! stays in one slot:
//! - `q:{org:acme}:v`, the home's *record*: the newest version heard of, and the record's *generation*, a random number
//!   that it got when it was made. It lives 5 minutes from its last change, longer than any entry.
//! - `q:{org:acme}:a:user:bob`, an entry: its version, the generation of the record that it was stored under, JSON.
//! - `q:invalidate`, the channel on which nodes tell each other versions; `q:beat:…`, a channel of each node's own;
//!   `q:{org:acme}:e:user:bob`, the channel of an account's events;
//! - `q:{turns:…}`, the last turns of a bucket that processes share.
//!
//! # Never older than what was heard of
//! - *In Redis*, an entry is stored and given only if its version is not below its record's and it has the record's
//!   generation. A record that was evicted or flushed takes its entries with it: its successor has another generation.
//! - *A late write.* A `put` names the generation that this node saw when it looked and missed, and is refused under
//!   another one. So a `put` that sat in the buffers of a frozen Redis, or was overtaken by `FLUSHALL`, does not bring
//!   an old entry back under a record that no longer knows better. What cannot be told from outside is *which* look
//!   a `put` belongs to: after a change of generation a node stores nothing of that home in Redis for 10 seconds, longer
//!   than a read of the store may take.
//! - *In this process*, the layer keeps the newest version of each home heard from anyone, and gives nothing below
//!   it, whatever Redis says.
//! - *Without a proof that it hears all*, an entry of this layer is given for one second. Each node tells itself
//!   beats over Redis; a beat that came back proves that every message before it came too. An entry is given within
//!   one second of being stored, or of the sending of the last beat that came back if Redis confirmed the entry. A subscription
//!   that ends or falls silent empties the layer, and so does its successor.
//!
//! # What does not hold
//! - Usage is told to the other nodes some milliseconds later (not urgent), and what could not be told because Redis was
//!   away is told when it is back. If more was left than is kept (65,536 homes), entries in Redis may be
//!   older than the store until they expire, one minute after they were stored.
//! - `advance` that fails for one node only (its own network) leaves the others as they are until it is heard, or
//!   until the entries expire.
//! - This process remembers the homes that were used last (`local_homes_max`). Of a home that it forgot it knows again
//!   what Redis and messages say.
//! - Cluster connections: keys and scripts are ready for them (a cluster of one node works), the connection is not: the
//!   `MOVED` answers of a larger one count as not answering.
//! - TLS (`rediss://`): the build has none, such a URL is refused.
//!
//! Not here: any decision, locks, and the truth.

mod connect_error;
mod events;
mod fault;
mod keys;
mod link;
mod listener;
mod local;
mod message;
mod pending;
mod record;
mod redis_cache;
mod scripts;
mod settings;
mod shared;
mod tasks;
mod turns;

pub use connect_error::ConnectError;
pub use events::RedisEvents;
pub use keys::Keys;
pub use redis_cache::RedisCache;
pub use settings::RedisCacheSettings;
pub use turns::RedisTurns;
