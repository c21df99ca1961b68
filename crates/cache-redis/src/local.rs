//! The layer in this process: entries, and the newest version heard of each home from anyone.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::sync::{Cache as Bounded, DefaultLifecycle, EntryAction, EntryResult};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};
use quota_core::ids::AccountId;
use quota_core::ports::CachedHome;

use crate::RedisCacheSettings;
use crate::scripts::Stamp;

/// Share of the homes that stay because they were looked at more than once; the others make room for what is new.
const HOMES_KEPT_SHARE: f64 = 0.5;
/// How long an entry is given without a proof that every message since was heard.
pub(crate) const UNPROVED_MAX: Duration = Duration::from_secs(1);
/// How long nothing of a home is stored in Redis after its record was replaced there: longer than a read of the store
/// may take, so that no read from before is stored under a record that knows less.
const READ_TIME_MAX: Duration = Duration::from_secs(10);

/// What is known of one home.
#[derive(Debug, Default)]
pub(crate) struct HomeRecord {
    /// The newest version heard of. It only grows.
    newest: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    generation: Option<u64>,
    quiet_before: Option<Instant>,
}

/// Whether an entry may be stored in Redis.
pub(crate) enum Permit {
    /// It may, under this generation if one was seen.
    Store(Option<u64>),
    /// The record was replaced a moment ago.
    Quiet,
}

impl HomeRecord {
    /// Takes note of a version; answers the newest one known before.
    pub(crate) fn raise(&self, version: u64) -> u64 {
        self.newest.fetch_max(version, Ordering::AcqRel)
    }

    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Acquire)
    }

    /// Takes note of the record as Redis has it.
    pub(crate) fn note(&self, stamp: Stamp) {
        self.raise(stamp.version);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = seen.generation.replace(stamp.generation);
        if earlier.is_some_and(|earlier| earlier != stamp.generation) {
            seen.quiet_before = Some(Instant::now() + READ_TIME_MAX);
        }
    }

    /// The record that Redis had is gone, and nothing took its place yet.
    pub(crate) fn note_gone(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.generation = None;
        seen.quiet_before = Some(Instant::now() + READ_TIME_MAX);
    }

    pub(crate) fn permit(&self) -> Permit {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.quiet_before {
            Some(before) if Instant::now() < before => Permit::Quiet,
            _ => {
                seen.quiet_before = None;
                Permit::Store(seen.generation)
            }
        }
    }
}

/// An entry, the record that guards it, and how it was stored.
#[derive(Clone)]
struct Kept {
    record: Arc<HomeRecord>,
    entry: Arc<CachedHome>,
    epoch: u64,
    stored_at: Instant,
    is_confirmed: bool,
}

/// How an entry came here.
pub(crate) struct Origin {
    /// [`Local::epoch`] from before Redis was asked.
    pub(crate) epoch: u64,
    /// Whether Redis knew of nothing newer.
    pub(crate) is_confirmed: bool,
}

/// The layer.
pub(crate) struct Local {
    records: Bounded<AccountId, Arc<HomeRecord>>,
    entries: Bounded<AccountId, Kept>,
    entry_ttl: Duration,
    /// Raised to drop all entries: what was stored in an earlier one counts no more.
    epoch: AtomicU64,
    started_at: Instant,
    /// Microseconds since `started_at` at which the last beat that came back was sent; 0 when none did.
    proved: AtomicU64,
}

impl Local {
    pub(crate) fn new(settings: &RedisCacheSettings) -> Self {
        let entries_max = usize::try_from(settings.local_entries_max).unwrap_or(usize::MAX);
        Self {
            records: bounded(settings.local_homes_max),
            entries: Bounded::new(entries_max),
            entry_ttl: settings.local_ttl,
            epoch: AtomicU64::new(0),
            started_at: Instant::now(),
            proved: AtomicU64::new(0),
        }
    }

    pub(crate) fn record(&self, home: &AccountId) -> Arc<HomeRecord> {
        let made = || Ok::<_, Infallible>(Arc::default());
        let Ok(record) = self.records.get_or_insert_with(home, made);
        record
    }

    /// The entry, if nothing newer was heard of, and nothing can have been missed for long.
    pub(crate) fn entry(
        &self,
        home: &AccountId,
        account: &AccountId,
        now: Instant,
    ) -> Option<Arc<CachedHome>> {
        let kept = self.entries.get(account)?;
        let age = now.saturating_duration_since(kept.stored_at);
        let is_over = kept.epoch != self.epoch() || self.entry_ttl <= age;
        if kept.entry.home != *home || is_over {
            return None;
        }
        // A record that was forgotten takes its entries with it: the new one knows less.
        let record = self.records.get(home)?;
        if !Arc::ptr_eq(&record, &kept.record) || kept.entry.version < record.newest() {
            return None;
        }
        let proved_at = kept.is_confirmed.then(|| self.proved_at()).flatten();
        let sure_at = proved_at.map_or(kept.stored_at, |at| at.max(kept.stored_at));
        (now.saturating_duration_since(sure_at) <= UNPROVED_MAX).then_some(kept.entry)
    }

    pub(crate) fn store(&self, record: Arc<HomeRecord>, entry: Arc<CachedHome>, origin: &Origin) {
        if record.raise(entry.version) > entry.version {
            return;
        }
        let kept = Kept {
            epoch: origin.epoch,
            is_confirmed: origin.is_confirmed,
            stored_at: Instant::now(),
            record,
            entry,
        };
        // Another one may have passed us since; what is older stays out. A version that was heard meanwhile is seen
        // by whoever reads.
        let found = self.entries.entry(&kept.entry.account, None, |_, there| {
            let is_better_there = Arc::ptr_eq(&there.record, &kept.record)
                && there.epoch >= kept.epoch
                && there.entry.version > kept.entry.version;
            if !is_better_there {
                *there = kept.clone();
            }
            EntryAction::Retain(())
        });
        if let EntryResult::Vacant(place) = found {
            // It is refused when the place was cleared meanwhile: then it is read again.
            drop(place.insert(kept));
        }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Drops all entries, also those that are on their way here; what was heard of stays.
    pub(crate) fn drop_entries(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Nothing proves any more that messages come.
    pub(crate) fn lose_proof(&self) {
        self.proved.store(0, Ordering::Release);
    }

    /// The clock of beats.
    pub(crate) fn beat_now(&self) -> u64 {
        u64::try_from(self.started_at.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A beat came back: all that was told before `sent` was heard.
    pub(crate) fn prove(&self, sent: u64) {
        self.proved.fetch_max(sent, Ordering::AcqRel);
    }

    /// When the last beat that came back was sent.
    pub(crate) fn proved_at(&self) -> Option<Instant> {
        match self.proved.load(Ordering::Acquire) {
            0 => None,
            micros => self.started_at.checked_add(Duration::from_micros(micros)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::conformance::cache::cached;
    use testkit::fixtures::user;

    /// Y1: where messages are lost, another node's change is seen within a second. Beats that come back prove that none
    /// was.
    #[test]
    fn an_entry_is_given_for_a_second_without_a_proof_and_no_longer() {
        let local = Local::new(&RedisCacheSettings::new("redis://nowhere"));
        let bob = user("bob");
        let store = |is_confirmed| {
            let origin = Origin {
                epoch: local.epoch(),
                is_confirmed,
            };
            local.store(local.record(&bob), cached(&bob, &bob, 5), &origin);
        };
        let is_given = |now| local.entry(&bob, &bob, now).is_some();
        let second = UNPROVED_MAX + Duration::from_micros(1);
        let before = Instant::now();
        store(false);
        assert!(is_given(before) && !is_given(Instant::now() + second));
        // What Redis confirmed is given on as long as beats come back.
        store(true);
        assert!(!is_given(Instant::now() + second));
        local.prove(local.beat_now() + 5_000_000);
        let proved_at = local.proved_at().expect("is proved");
        assert!(is_given(proved_at + UNPROVED_MAX) && !is_given(proved_at + second));
        store(false);
        assert!(
            !is_given(proved_at + UNPROVED_MAX),
            "what Redis did not confirm needs no beat"
        );
        store(true);
        local.lose_proof();
        assert!(!is_given(Instant::now() + second));
    }
}
