//! Group commit: a batch of requests is loaded, decided and written together; homes that moved meanwhile are
//! decided again, and those that keep moving are taken one at a time under the store's lock. A queue gathers its next
//! batch while one is being written.

mod gathered;
mod job;
mod line;
mod locked;
mod moved;
mod writing;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::catalogs::Catalogs;
use crate::decide::{Answered, DecidedHome, Verdict, decide_home};
use crate::homes::Homes;
use crate::kept::KeptHomes;
use crate::setting::Setting;
use crate::writes::Writes;
use crate::{EngineError, EngineSettings};
use chrono::{DateTime, Utc};
use quota_core::operation::Operation;
use quota_core::ports::{Cache, Clock, Lease, LoadQuery, Loaded, Storage, StoreError};

pub(crate) use job::Job;
use job::{Group, Reading, former_keys, grouped, home_query, reading_of};
pub(crate) use line::work;

/// Tries of a batch before its homes are taken one at a time.
const ATTEMPTS_MAX: u32 = 4;
/// Tries of a write whose fate is unknown before the caller is told so.
const UNKNOWN_MAX: u32 = 6;
/// First wait after a write whose fate is unknown; it doubles.
const UNKNOWN_WAIT: Duration = Duration::from_millis(50);

/// What decides batches.
pub(crate) struct Decider {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) catalogs: Catalogs,
    pub(crate) homes: Homes,
    pub(crate) settings: EngineSettings,
    pub(crate) writes: Writes,
    /// Told after every commit that left events in the outbox.
    pub(crate) events: tokio::sync::Notify,
}

/// Groups of requests that are decided, not written yet.
struct Decided {
    groups: Vec<(Group, DecidedHome)>,
    setting: Setting,
    keys_since: DateTime<Utc>,
    /// Jobs that are to be read again: their account moved, or the home that was kept had moved on.
    moved: Vec<Job>,
}

/// What became of one try.
struct Tried {
    /// To be tried again.
    left: Vec<Job>,
    /// Whether the fate of the write is unknown.
    is_unknown: bool,
}

impl Decider {
    /// Answers every job, whatever it takes.
    pub(crate) async fn process(&self, jobs: Vec<Job>, lease: Option<&Lease>) {
        let mut pending = self.advance(jobs, lease).await;
        for tries in 0..UNKNOWN_MAX {
            if pending.is_empty() {
                return;
            }
            tokio::time::sleep(UNKNOWN_WAIT * 2_u32.pow(tries)).await;
            pending = self.advance(pending, lease).await;
        }
        for job in pending {
            let is_uncertain = job.is_uncertain;
            job.answer(Err(if is_uncertain {
                EngineError::Deadline
            } else {
                EngineError::Busy
            }));
        }
    }

    /// Answers jobs until all are answered or the fate of a write is unknown; gives back those that are left then.
    async fn advance(&self, jobs: Vec<Job>, lease: Option<&Lease>) -> Vec<Job> {
        let mut pending = jobs;
        for _ in 0..ATTEMPTS_MAX {
            if pending.is_empty() {
                return pending;
            }
            let tried = self.attempt(pending, lease).await;
            pending = tried.left;
            if tried.is_unknown {
                return pending;
            }
        }
        self.advance_locked(pending, lease).await
    }

    /// Takes the homes of these jobs one at a time.
    async fn advance_locked(&self, jobs: Vec<Job>, lease: Option<&Lease>) -> Vec<Job> {
        let mut left = Vec::new();
        for group in grouped(jobs) {
            left.extend(self.process_locked(group, lease).await);
        }
        left
    }

    async fn attempt(&self, jobs: Vec<Job>, lease: Option<&Lease>) -> Tried {
        record_size(jobs.len());
        match self.read(jobs, None).await {
            Ok(decided) => self.write(decided, lease).await,
            Err(tried) => tried,
        }
    }

    fn query<'a>(&self, now: DateTime<Utc>, groups: impl Iterator<Item = &'a Group>) -> LoadQuery {
        LoadQuery {
            now,
            keys_since: now - self.settings.keys_kept,
            homes: groups.map(home_query).collect(),
        }
    }

    /// Reads what requests need beside what is kept, and decides them.
    async fn read(
        &self,
        jobs: Vec<Job>,
        kept: Option<&Mutex<KeptHomes>>,
    ) -> Result<Decided, Tried> {
        let mut groups = grouped(jobs);
        let now = self.clock.now();
        if let Some(kept) = kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            for group in &mut groups {
                let Some(home) = kept.take(&group.home) else {
                    continue;
                };
                let jobs = group.jobs.iter();
                group.reading = reading_of(jobs, &home, (now, now - self.settings.keys_kept));
                group.kept = (group.reading != Reading::Whole).then_some(home);
            }
        }
        // Those that are read come first, in the order in which they are asked for.
        groups.sort_by_key(|group| group.reading);
        let read = groups.partition_point(|group| group.reading != Reading::Nothing);
        let query = self.query(now, groups.iter().take(read));
        let loaded = match self.load(&query).await {
            Ok(loaded) => loaded,
            Err(error) => return Err(self.not_loaded(groups, error)),
        };
        let setting = match self.setting(loaded.catalog_version, &query).await {
            Ok(setting) => setting,
            Err(error) => return Err(self.not_loaded(groups, error)),
        };
        let (groups, loaded, stale) = completed(groups, loaded, kept);
        let (groups, mut loaded, mut moved) = self.without_moved(groups, loaded).await;
        moved.extend(stale);
        if let Err(error) = self.add_former_keys(&groups, &query, &mut loaded).await {
            let mut tried = self.not_loaded(groups, error);
            tried.left.extend(moved);
            return Err(tried);
        }
        Ok(Decided {
            groups: decide_groups(groups, loaded, &setting),
            setting,
            keys_since: query.keys_since,
            moved,
        })
    }

    /// Loads what is asked for; nothing when every home was kept.
    async fn load(&self, query: &LoadQuery) -> Result<Loaded, StoreError> {
        if query.homes.is_empty() {
            return Ok(Loaded {
                catalog_version: self.catalogs.current().version,
                homes: Vec::new(),
                earlier: Vec::new(),
            });
        }
        self.storage.load(query).await
    }

    /// Nothing could be read: whoever is certain that nothing took effect is told so at once.
    #[expect(clippy::unused_self, reason = "reads like its siblings")]
    fn not_loaded(&self, groups: Vec<Group>, error: StoreError) -> Tried {
        let mut left = Vec::new();
        let is_transient = error.is_transient();
        let repeated = error.repeated();
        let mut first = Some(error);
        for job in groups.into_iter().flat_map(|group| group.jobs) {
            if job.is_uncertain && is_transient {
                left.push(job);
                continue;
            }
            let error = first.take().unwrap_or_else(|| repeated.repeated());
            job.answer(Err(EngineError::Store(error)));
        }
        Tried {
            left,
            is_unknown: true,
        }
    }

    async fn setting(&self, version: u64, query: &LoadQuery) -> Result<Setting, StoreError> {
        Ok(Setting {
            catalog: self.catalogs.at(version).await?,
            now: query.now,
            grace: self.settings.grace,
        })
    }

    /// Adds first answers from the homes that users left while their keys are kept (X1).
    async fn add_former_keys(
        &self,
        groups: &[Group],
        query: &LoadQuery,
        loaded: &mut Loaded,
    ) -> Result<(), StoreError> {
        let homes = former_keys(groups, loaded, query.keys_since);
        if homes.is_empty() {
            return Ok(());
        }
        let former = LoadQuery {
            homes,
            ..query.clone()
        };
        let found = self.storage.load(&former).await?;
        loaded.earlier.extend(found.earlier);
        Ok(())
    }
}

/// Puts what was kept of homes beside what was read of them. Where the home has moved on meanwhile, its jobs are to be
/// tried again.
fn completed(
    groups: Vec<Group>,
    mut loaded: Loaded,
    kept: Option<&Mutex<KeptHomes>>,
) -> (Vec<Group>, Loaded, Vec<Job>) {
    let homes = std::mem::take(&mut loaded.homes);
    let mut stay = Vec::with_capacity(groups.len());
    let (mut stale, mut outdated) = (Vec::new(), 0);
    let mut groups = groups.into_iter();
    for (mut group, mut home) in groups.by_ref().take(homes.len()).zip(homes) {
        if group.complete(&mut home) {
            stay.push(group);
            loaded.homes.push(home);
        } else {
            stale.extend(group.jobs);
            outdated += 1;
        }
    }
    stay.extend(groups);
    if let (Some(kept), 1..) = (kept, outdated) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.outdated(outdated);
    }
    (stay, loaded, stale)
}

fn answer_all(jobs: Vec<Job>, verdicts: Vec<Verdict>) {
    for (job, verdict) in jobs.into_iter().zip(verdicts) {
        job.answer(verdict);
    }
}

fn answered(earlier: Vec<Operation>) -> Answered {
    let named = |operation: Operation| {
        let key = operation.key.clone()?;
        Some(((operation.account.clone(), key), operation))
    };
    earlier.into_iter().filter_map(named).collect()
}

fn decide_groups(
    groups: Vec<Group>,
    loaded: Loaded,
    setting: &Setting,
) -> Vec<(Group, DecidedHome)> {
    let mut answered = answered(loaded.earlier);
    let context = setting.context();
    let mut read = loaded.homes.into_iter();
    let asked = groups.len();
    let decided = groups.into_iter().filter_map(|mut group| {
        let was_kept = group.reading != Reading::Whole;
        let kept = group.kept.take();
        let home = kept.or_else(|| read.next().map(Box::new))?;
        debug_assert_eq!(home.id, group.home, "each group is decided on its own home");
        let requests = group.jobs.iter().map(Job::asked);
        let decided = decide_home((home, was_kept), &mut answered, requests, &context);
        Some((group, decided))
    });
    let decided: Vec<(Group, DecidedHome)> = decided.collect();
    assert_eq!(decided.len(), asked, "one home for each that was asked for");
    decided
}

fn record_size(jobs: usize) {
    metrics::histogram!("quota_batch_size").record(u32::try_from(jobs).unwrap_or(0));
}
