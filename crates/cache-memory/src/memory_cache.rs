//! Accounts in memory, guarded by the newest version heard of each home.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use quick_cache::sync::{Cache as Bounded, DefaultLifecycle, EntryAction, EntryResult};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};
use quota_core::ids::AccountId;
use quota_core::ports::{Cache, CacheError, CachedHome};

/// Share of the homes that stay because they were looked at more than once; the others make room for what is new.
const HOMES_KEPT_SHARE: f64 = 0.5;

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
    stored_at: Instant,
}

/// A bounded cache in this process.
#[derive(Clone)]
pub struct MemoryCache {
    heard: Arc<Bounded<AccountId, Heard>>,
    entries: Arc<Bounded<AccountId, Kept>>,
    entry_ttl: Duration,
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::new(&MemoryCacheSettings::default())
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache")
            .field("homes", &self.heard.len())
            .field("entries", &self.entries.len())
            .field("entry_ttl", &self.entry_ttl)
            .finish()
    }
}

impl MemoryCache {
    /// An empty cache.
    pub fn new(settings: &MemoryCacheSettings) -> Self {
        let count = |max| usize::try_from(max).unwrap_or(usize::MAX);
        Self {
            heard: Arc::new(bounded(settings.homes_max)),
            entries: Arc::new(Bounded::new(count(settings.entries_max))),
            entry_ttl: settings.entry_ttl,
        }
    }

    fn heard_of(&self, home: &AccountId) -> Heard {
        let made = || Ok::<_, Infallible>(Heard::default());
        let Ok(heard) = self.heard.get_or_insert_with(home, made);
        heard
    }

    fn entry(&self, home: &AccountId, account: &AccountId) -> Option<Arc<CachedHome>> {
        let kept = self.entries.get(account)?;
        if kept.entry.home != *home || self.entry_ttl <= kept.stored_at.elapsed() {
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
        let kept = Kept {
            heard,
            entry,
            stored_at: Instant::now(),
        };
        // Another `put` may have passed us since; what is older than it stays out. An `advance` that passed us is
        // seen by whoever reads.
        let found = self.entries.entry(&kept.entry.account, None, |_, there| {
            let is_newer_there =
                Arc::ptr_eq(&there.heard, &kept.heard) && kept.entry.version < there.entry.version;
            if !is_newer_there {
                *there = kept.clone();
            }
            EntryAction::Retain(())
        });
        if let EntryResult::Vacant(place) = found {
            // It is refused when the place was cleared meanwhile: then it is read again.
            drop(place.insert(kept));
        }
    }
}

/// A map of `homes_max` homes, in which what is new pushes out what was left alone.
#[expect(clippy::expect_used, reason = "the one number that is needed is given")]
fn bounded<V: Clone>(homes_max: u64) -> Bounded<AccountId, V> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(usize::try_from(homes_max).unwrap_or(usize::MAX))
        .weight_capacity(homes_max)
        .hot_allocation(HOMES_KEPT_SHARE)
        .build()
        .expect("a capacity is given");
    let (hasher, cycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
    Bounded::with_options(options, UnitWeighter, hasher, cycle)
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
