//! Accounts in memory, guarded by the newest version heard of each home.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache as Moka;
use quota_core::ids::AccountId;
use quota_core::ports::{Cache, CacheError, CachedHome};

/// How long a home's version is remembered at least after it was last looked at: far longer than any read takes.
const HEARD_IDLE_MIN: Duration = Duration::from_mins(5);

/// How much is kept, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryCacheSettings {
    /// Accounts kept at most.
    pub entries_max: u64,
    /// Homes whose version is remembered at most.
    pub homes_max: u64,
    /// How long an entry may be given.
    pub entry_ttl: Duration,
}

impl Default for MemoryCacheSettings {
    /// About 200 MB when full, with accounts of an ordinary size.
    fn default() -> Self {
        Self {
            entries_max: 100_000,
            homes_max: 200_000,
            entry_ttl: Duration::from_mins(1),
        }
    }
}

/// The newest version heard of one home. It only grows.
type Heard = Arc<AtomicU64>;

/// An entry and the record that guards it.
#[derive(Clone)]
struct Kept {
    heard: Heard,
    entry: Arc<CachedHome>,
}

/// A bounded cache in this process.
#[derive(Clone)]
pub struct MemoryCache {
    heard: Moka<AccountId, Heard>,
    entries: Moka<AccountId, Kept>,
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::new(&MemoryCacheSettings::default())
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache")
            .field("homes", &self.heard.entry_count())
            .field("entries", &self.entries.entry_count())
            .finish()
    }
}

impl MemoryCache {
    /// An empty cache.
    pub fn new(settings: &MemoryCacheSettings) -> Self {
        // Least recently used goes first: the usual policy would refuse a home that is heard of for the first time.
        let heard = Moka::builder()
            .eviction_policy(EvictionPolicy::lru())
            .max_capacity(settings.homes_max)
            .time_to_idle(HEARD_IDLE_MIN.max(settings.entry_ttl * 2))
            .build();
        let entries = Moka::builder()
            .max_capacity(settings.entries_max)
            .time_to_live(settings.entry_ttl)
            .build();
        Self { heard, entries }
    }

    fn heard_of(&self, home: &AccountId) -> Heard {
        self.heard.get_with_by_ref(home, Heard::default)
    }

    fn entry(&self, home: &AccountId, account: &AccountId) -> Option<Arc<CachedHome>> {
        let kept = self.entries.get(account)?;
        if kept.entry.home != *home {
            return None;
        }
        // A record that was forgotten takes its entries with it: the new one knows less.
        let heard = self.heard.get(home)?;
        if !Arc::ptr_eq(&heard, &kept.heard) {
            return None;
        }
        let is_newest = heard.load(Ordering::Acquire) <= kept.entry.version;
        is_newest.then_some(kept.entry)
    }

    fn store(&self, entry: Arc<CachedHome>) {
        let heard = self.heard_of(&entry.home);
        let newest = heard.fetch_max(entry.version, Ordering::AcqRel);
        if entry.version < newest {
            return;
        }
        let account = entry.account.clone();
        // Another `put` may have passed us since; what is older than it stays out. An `advance` that passed us is
        // seen by whoever reads.
        let _ = self.entries.entry(account).and_compute_with(|found| {
            let is_newer_there = found.is_some_and(|found| {
                let there = found.value();
                Arc::ptr_eq(&there.heard, &heard) && entry.version < there.entry.version
            });
            if is_newer_there {
                Op::Nop
            } else {
                Op::Put(Kept { heard, entry })
            }
        });
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(
        &self,
        home: &AccountId,
        account: &AccountId,
    ) -> Result<Option<Arc<CachedHome>>, CacheError> {
        Ok(self.entry(home, account))
    }

    async fn put(&self, entry: Arc<CachedHome>) -> Result<(), CacheError> {
        self.store(entry);
        Ok(())
    }

    async fn advance(
        &self,
        homes: &[(AccountId, u64)],
        _is_urgent: bool,
    ) -> Result<(), CacheError> {
        for (home, version) in homes {
            self.heard_of(home).fetch_max(*version, Ordering::AcqRel);
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        "memory"
    }

    async fn ping(&self) -> Result<(), CacheError> {
        Ok(())
    }
}
