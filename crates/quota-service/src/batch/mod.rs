//! Group commit. Each queue has one shard loop, which takes pending requests and makes batches of them:
//!
//! 1. The requests of a batch are grouped by home. One statement loads all homes that are not kept in memory.
//! 2. Each group is decided in memory, in the order of arrival. Nothing is told to anybody yet.
//! 3. One statement writes all homes: the batch is in flight. Meanwhile the loop decides the next batch.
//! 4. A home passes if its version is still the one that was decided on. Its requests are answered.
//! 5. A home that another node changed meanwhile does not pass. Its requests are loaded and decided again. After
//!    [`ATTEMPTS_MAX`] tries the home is decided under the store's lock.
//! 6. A write whose fate is unknown is loaded again by the ids of its operations, until it is known or
//!    [`UNKNOWN_MAX`] tries are over.
//!
//! Two drivers use the same verbs:
//!
//! ```text
//! the shard loop, for callers:  gather -> send: read -> assemble -> finish, in a task of its own -> settle
//!                               settle hands what met a store that failed to `process`, and defers what did not pass
//! `process`, for jobs, and for  advance, again and again while the store fails:
//! what the loop hands over:       attempt: read -> write -> finish, up to 4 times; then advance_locked
//! the verbs:                    read = load and decide;  finish = write, report, announce, answer
//! ```
//!
//! What belongs together is aligned by order, not by name: groups and the homes that were loaded for them (groups that
//! need no load come last), and in a group requests and verdicts. Whoever takes one out takes out the other.

mod locked;
mod moved;
mod next_batch;
mod pending_request;
mod shard_loop;
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

pub(crate) use pending_request::PendingRequest;
use pending_request::{
    Group, Reading, add_left_closed, grouped, home_query, of_former_homes, reading_of,
};
pub(crate) use shard_loop::run_shard_loop;

/// Tries of a batch before its homes are decided under the lock, one at a time.
const ATTEMPTS_MAX: u32 = 4;
/// Tries after the store failed, before the callers whose write may have taken effect are told that nobody knows.
pub(crate) const UNKNOWN_MAX: u32 = 6;
/// First wait after the store failed; it doubles.
pub(crate) const UNKNOWN_WAIT: Duration = Duration::from_millis(50);

/// Loads, decides and writes batches. All queues of an engine share one.
pub(crate) struct Decider {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) catalogs: Catalogs,
    pub(crate) homes: Homes,
    pub(crate) settings: EngineSettings,
    pub(crate) writes: Writes,
    /// Notified after every commit that left events in the outbox.
    pub(crate) events: tokio::sync::Notify,
    /// Told of every account whose credits a commit let fall below the bound of its auto top-up.
    pub(crate) low: tokio::sync::broadcast::Sender<quota_core::ids::AccountId>,
}

/// Requests that are decided and not written yet.
struct DecidedBatch {
    groups: Vec<(Group, DecidedHome)>,
    setting: Setting,
    keys_since: DateTime<Utc>,
    /// Requests that have to be loaded again: their account moved, or the kept home was stale.
    reload: Vec<PendingRequest>,
}

/// What became of one try of a batch.
struct AttemptOutcome {
    /// Requests that have no answer yet.
    to_retry: Vec<PendingRequest>,
    /// Whether the store failed: wait before the next try.
    retry_later: bool,
}

impl Decider {
    /// Answers every request, whatever it takes.
    pub(crate) async fn process(&self, requests: Vec<PendingRequest>, lease: Option<&Lease>) {
        let mut unanswered = self.advance(requests, lease).await;
        for tries in 0..UNKNOWN_MAX {
            if unanswered.is_empty() {
                return;
            }
            tokio::time::sleep(UNKNOWN_WAIT * 2_u32.pow(tries)).await;
            unanswered = self.advance(unanswered, lease).await;
        }
        for pending in unanswered {
            let is_uncertain = pending.is_uncertain;
            pending.answer(Err(if is_uncertain {
                EngineError::Deadline
            } else {
                EngineError::Busy
            }));
        }
    }

    /// Tries a batch until every request is answered or the store fails. Returns those without an answer.
    async fn advance(
        &self,
        requests: Vec<PendingRequest>,
        lease: Option<&Lease>,
    ) -> Vec<PendingRequest> {
        let mut unanswered = requests;
        for _ in 0..ATTEMPTS_MAX {
            if unanswered.is_empty() {
                return unanswered;
            }
            let outcome = self.attempt(unanswered, lease).await;
            unanswered = outcome.to_retry;
            if outcome.retry_later {
                return unanswered;
            }
        }
        self.advance_locked(unanswered, lease).await
    }

    /// Decides the homes of these requests under the store's lock, one at a time. Returns those without an answer.
    async fn advance_locked(
        &self,
        requests: Vec<PendingRequest>,
        lease: Option<&Lease>,
    ) -> Vec<PendingRequest> {
        let mut to_retry = Vec::new();
        for group in grouped(requests) {
            to_retry.extend(self.process_locked(group, lease).await);
        }
        to_retry
    }

    async fn attempt(
        &self,
        requests: Vec<PendingRequest>,
        lease: Option<&Lease>,
    ) -> AttemptOutcome {
        record_size(requests.len());
        match self.read(requests, None).await {
            Ok(decided) => self.write(decided, lease).await,
            Err(outcome) => outcome,
        }
    }

    fn query<'a>(&self, now: DateTime<Utc>, groups: impl Iterator<Item = &'a Group>) -> LoadQuery {
        LoadQuery {
            now,
            keys_since: now - self.settings.keys_kept,
            homes: groups.map(home_query).collect(),
        }
    }

    /// Loads what the requests need and is not kept in memory, and decides them.
    async fn read(
        &self,
        requests: Vec<PendingRequest>,
        kept: Option<&Mutex<KeptHomes>>,
    ) -> Result<DecidedBatch, AttemptOutcome> {
        let mut groups = grouped(requests);
        let now = self.clock.now();
        if let Some(kept) = kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            for group in &mut groups {
                let Some(home) = kept.take(&group.home) else {
                    continue;
                };
                let requests = group.requests.iter();
                group.reading = reading_of(requests, &home, (now, now - self.settings.keys_kept));
                group.kept = (group.reading != Reading::Whole).then_some(home);
            }
        }
        // The store answers in the order of the query: groups that need a load come first.
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
        let (groups, mut loaded, mut reload) = self.without_moved(groups, loaded).await;
        reload.extend(stale);
        if let Err(error) = self.add_of_former_homes(&groups, &query, &mut loaded).await {
            let mut outcome = self.not_loaded(groups, error);
            outcome.to_retry.extend(reload);
            return Err(outcome);
        }
        Ok(DecidedBatch {
            groups: decide_groups(groups, loaded, &setting),
            setting,
            keys_since: query.keys_since,
            reload,
        })
    }

    /// Loads the homes of a query. Without homes, since all are kept, the store is not asked.
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

    /// The load failed. A request that surely had no effect is answered with the error. One whose earlier try may have had
    /// an effect is tried again, unless the error is final.
    #[expect(clippy::unused_self, reason = "reads like its siblings")]
    fn not_loaded(&self, groups: Vec<Group>, error: StoreError) -> AttemptOutcome {
        let mut to_retry = Vec::new();
        let is_transient = error.is_transient();
        let repeated = error.repeated();
        let mut first = Some(error);
        for pending in groups.into_iter().flat_map(|group| group.requests) {
            if pending.is_uncertain && is_transient {
                to_retry.push(pending);
                continue;
            }
            let error = first.take().unwrap_or_else(|| repeated.repeated());
            pending.answer(Err(EngineError::Store(error)));
        }
        AttemptOutcome {
            to_retry,
            retry_later: true,
        }
    }

    async fn setting(&self, version: u64, query: &LoadQuery) -> Result<Setting, StoreError> {
        Ok(Setting {
            catalog: self.catalogs.at(version).await?,
            now: query.now,
            grace: self.settings.grace,
        })
    }

    /// Adds what is read of the homes that users left: first answers (X1), and what was closed there (W4). Neither changes any
    /// more while their users live elsewhere.
    async fn add_of_former_homes(
        &self,
        groups: &[Group],
        query: &LoadQuery,
        loaded: &mut Loaded,
    ) -> Result<(), StoreError> {
        let homes = of_former_homes(groups, loaded, query.keys_since);
        if homes.is_empty() {
            return Ok(());
        }
        let former = LoadQuery {
            homes,
            ..query.clone()
        };
        let found = self.storage.load(&former).await?;
        loaded.earlier.extend(found.earlier);
        add_left_closed(groups, loaded, &found.homes);
        Ok(())
    }
}

/// Adds the accounts that were read to the kept homes that lacked them. Where the version that was read is another than
/// the kept one, the kept home is stale: its requests are returned, to be loaded again.
fn completed(
    groups: Vec<Group>,
    mut loaded: Loaded,
    kept: Option<&Mutex<KeptHomes>>,
) -> (Vec<Group>, Loaded, Vec<PendingRequest>) {
    let homes = std::mem::take(&mut loaded.homes);
    let mut stay = Vec::with_capacity(groups.len());
    let (mut stale, mut outdated) = (Vec::new(), 0);
    let mut groups = groups.into_iter();
    for (mut group, mut home) in groups.by_ref().take(homes.len()).zip(homes) {
        if group.complete(&mut home) {
            stay.push(group);
            loaded.homes.push(home);
        } else {
            stale.extend(group.requests);
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

fn answer_all(requests: Vec<PendingRequest>, verdicts: Vec<Verdict>) {
    for (pending, verdict) in requests.into_iter().zip(verdicts) {
        pending.answer(verdict);
    }
}

fn answered(earlier: Vec<Operation>) -> Answered {
    let named = |operation: Operation| {
        let key = operation.key.clone()?;
        Some(((operation.account.clone(), key), operation.into()))
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
        let requests = group.requests.iter().map(PendingRequest::decision_input);
        let decided = decide_home((home, was_kept), &mut answered, requests, &context);
        Some((group, decided))
    });
    let decided: Vec<(Group, DecidedHome)> = decided.collect();
    assert_eq!(decided.len(), asked, "one home for each that was asked for");
    decided
}

fn record_size(requests: usize) {
    metrics::histogram!("quota_batch_size").record(u32::try_from(requests).unwrap_or(0));
}
