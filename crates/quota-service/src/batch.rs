//! Group commit: a batch of requests is loaded, decided and written together; homes that moved meanwhile are
//! decided again, and those that keep moving are taken one at a time under the store's lock.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use quota_core::command::{Command, Request};
use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::{
    Cache, Clock, HomeQuery, HomeWrite, KeyQuery, Lease, LoadQuery, Loaded, Storage, StoreError,
    WriteBatch,
};
use tokio::sync::oneshot;

use crate::catalogs::Catalogs;
use crate::decide::{Answered, DecidedHome, Reply, Setting, decide_home};
use crate::homes::Homes;
use crate::kept::KeptHomes;
use crate::{EngineError, EngineSettings};

/// Tries of a batch before its homes are taken one at a time.
const ATTEMPTS_MAX: u32 = 4;
/// Tries of a write whose fate is unknown before the caller is told so.
const UNKNOWN_MAX: u32 = 6;
/// First wait after a write whose fate is unknown; it doubles.
const UNKNOWN_WAIT: Duration = Duration::from_millis(50);

/// A request in a queue.
pub(crate) struct Job {
    pub(crate) request: Request,
    pub(crate) home: AccountId,
    pub(crate) until: Instant,
    /// Whether an earlier try may have taken effect.
    pub(crate) is_uncertain: bool,
    pub(crate) reply: oneshot::Sender<Result<Reply, EngineError>>,
}

impl Job {
    fn answer(self, verdict: Result<Reply, EngineError>) {
        // A caller that went away needs no answer; what it asked for is done all the same.
        drop(self.reply.send(verdict));
    }
}

/// What decides batches.
pub(crate) struct Decider {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) catalogs: Catalogs,
    pub(crate) homes: Homes,
    pub(crate) settings: EngineSettings,
    /// Told after every commit that left events in the outbox.
    pub(crate) events: tokio::sync::Notify,
}

/// Jobs by home, in the order of their arrival.
struct Group {
    home: AccountId,
    jobs: Vec<Job>,
    /// The home as it was kept in memory, if it is decided on that.
    kept: Option<Home>,
}

impl Group {
    /// Whether nothing has to be read but the home itself and the accounts that ask.
    fn needs_no_more_than(&self, home: &Home, now: DateTime<Utc>) -> bool {
        let is_plain = |job: &Job| {
            let request = &job.request;
            let reads_more = matches!(
                request.command,
                Command::Commit { .. }
                    | Command::Release { .. }
                    | Command::Extend { .. }
                    | Command::Refund { .. }
                    | Command::PutAccount { .. }
                    | Command::Sweep
            );
            !reads_more && !job.is_uncertain && home.accounts.contains_key(&request.account)
        };
        !home.may_have_expired_holds(now) && self.jobs.iter().all(is_plain)
    }
}

fn grouped(jobs: Vec<Job>) -> Vec<Group> {
    let mut places: HashMap<AccountId, usize> = HashMap::with_capacity(jobs.len());
    let mut groups: Vec<Group> = Vec::with_capacity(jobs.len());
    for job in jobs {
        let place = *places.entry(job.home.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group {
                home: job.home.clone(),
                jobs: Vec::new(),
                kept: None,
            });
        }
        groups[place].jobs.push(job);
    }
    groups
}

/// What a batch is processed under.
#[derive(Clone, Copy, Default)]
pub(crate) struct Under<'a> {
    /// The lease of the job that it is for.
    pub(crate) lease: Option<&'a Lease>,
    /// The homes that its queue keeps.
    pub(crate) kept: Option<&'a Mutex<KeptHomes>>,
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
    pub(crate) async fn process(&self, jobs: Vec<Job>, under: Under<'_>) {
        metrics::histogram!("quota_batch_size").record(u32::try_from(jobs.len()).unwrap_or(0));
        let mut pending = jobs;
        let (mut conflicts, mut unknowns) = (0, 0);
        while !pending.is_empty() {
            if conflicts == ATTEMPTS_MAX {
                for group in grouped(pending) {
                    self.process_locked(group, under.lease).await;
                }
                return;
            }
            let tried = self.attempt(pending, under).await;
            pending = tried.left;
            if !tried.is_unknown {
                conflicts += 1;
                continue;
            }
            if unknowns == UNKNOWN_MAX {
                for job in pending {
                    job.answer(Err(EngineError::Deadline));
                }
                return;
            }
            tokio::time::sleep(UNKNOWN_WAIT * 2_u32.pow(unknowns)).await;
            unknowns += 1;
        }
    }

    fn query<'a>(&self, now: DateTime<Utc>, groups: impl Iterator<Item = &'a Group>) -> LoadQuery {
        LoadQuery {
            now,
            keys_since: now - self.settings.keys_kept,
            homes: groups.map(home_query).collect(),
        }
    }

    async fn attempt(&self, jobs: Vec<Job>, under: Under<'_>) -> Tried {
        let mut groups = grouped(jobs);
        let now = self.clock.now();
        if let Some(kept) = under.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            for group in &mut groups {
                let home = kept.take(&group.home);
                group.kept = home.filter(|home| group.needs_no_more_than(home, now));
            }
        }
        // Those that are read come first, in the order in which they are asked for.
        groups.sort_by_key(|group| group.kept.is_some());
        let read = groups.partition_point(|group| group.kept.is_none());
        let query = self.query(now, groups.iter().take(read));
        let loaded = match self.load(&query).await {
            Ok(loaded) => loaded,
            Err(error) => return self.not_loaded(groups, error),
        };
        let setting = match self.setting(loaded.catalog_version, &query).await {
            Ok(setting) => setting,
            Err(error) => return self.not_loaded(groups, error),
        };
        let (groups, loaded, moved) = self.without_moved(groups, loaded).await;
        let (groups, decided) = decide_groups(groups, loaded, &setting);
        let mut tried = self.write((groups, decided), &query, &setting, under).await;
        tried.left.extend(moved);
        tried
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
        let text = error.to_string();
        let is_transient = error.is_transient();
        let mut first = Some(error);
        for job in groups.into_iter().flat_map(|group| group.jobs) {
            if job.is_uncertain && is_transient {
                left.push(job);
                continue;
            }
            let error = first.take().unwrap_or_else(|| again(&text, is_transient));
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

    /// Takes out the jobs whose account is not in the home that it was thought to live in but in another one.
    async fn without_moved(
        &self,
        groups: Vec<Group>,
        loaded: Loaded,
    ) -> (Vec<Group>, Loaded, Vec<Job>) {
        let mut moved = Vec::new();
        let mut stay = Vec::with_capacity(groups.len());
        let mut groups = groups.into_iter();
        for (mut group, home) in groups.by_ref().take(loaded.homes.len()).zip(&loaded.homes) {
            let is_missing = |job: &Job| !home.accounts.contains_key(&job.request.account);
            if group.jobs.iter().any(is_missing) {
                let mut here = Vec::with_capacity(group.jobs.len());
                for mut job in group.jobs {
                    match self.homes.look_up(&job.request.account).await {
                        Ok(home) if is_missing(&job) && home != job.home => {
                            job.home = home;
                            moved.push(job);
                        }
                        _ => here.push(job),
                    }
                }
                group.jobs = here;
            }
            stay.push(group);
        }
        stay.extend(groups);
        (stay, loaded, moved)
    }

    async fn write(
        &self,
        (groups, mut decided): (Vec<Group>, Vec<DecidedHome>),
        query: &LoadQuery,
        setting: &Setting,
        under: Under<'_>,
    ) -> Tried {
        let writes: Vec<Option<HomeWrite>> =
            decided.iter_mut().map(DecidedHome::take_write).collect();
        let to_tell: Vec<Option<Written>> = writes
            .iter()
            .map(|write| write.as_ref().map(Written::of))
            .collect();
        let homes: Vec<HomeWrite> = writes.into_iter().flatten().collect();
        let passed = if homes.is_empty() {
            Ok(Vec::new())
        } else {
            let batch = WriteBatch {
                catalog_version: setting.catalog.version,
                keys_since: query.keys_since,
                lease: under.lease.cloned(),
                homes,
            };
            self.storage.write(&batch).await
        };
        let passed: HashSet<AccountId> = match passed {
            Ok(passed) => passed.into_iter().collect(),
            Err(error) => return self.not_written(groups, decided, &to_tell, error).await,
        };
        let written = to_tell.iter().flatten();
        self.tell(written.filter(|home| passed.contains(&home.home)))
            .await;
        let mut left = Vec::new();
        let mut fresh = Vec::with_capacity(decided.len());
        let (mut used, mut stale) = (0, 0);
        for ((group, mut decided), written) in groups.into_iter().zip(decided).zip(&to_tell) {
            let was_written = written.is_some();
            let has_passed = passed.contains(&group.home);
            used += usize::from(decided.was_kept);
            stale += usize::from(decided.was_kept && was_written && !has_passed);
            if has_passed || (!was_written && !decided.was_kept) {
                fresh.push(decided.take_home());
                answer_all(group, decided);
            } else {
                // What was decided on memory alone counts only once a write has proved it.
                left.extend(group.jobs);
            }
        }
        if let Some(kept) = under.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.learn(used, stale);
            for home in fresh {
                kept.keep(home);
            }
        }
        Tried {
            left,
            is_unknown: false,
        }
    }

    /// A write failed: of unknown fate it is tried again and then found by its ids; what the store refuses is
    /// narrowed down to the request that is at fault.
    async fn not_written(
        &self,
        groups: Vec<Group>,
        decided: Vec<DecidedHome>,
        to_tell: &[Option<Written>],
        error: StoreError,
    ) -> Tried {
        let is_unknown = error.is_transient();
        let text = error.to_string();
        let mut left = Vec::new();
        let mut writing = Vec::new();
        for ((group, decided), written) in groups.into_iter().zip(decided).zip(to_tell) {
            if written.is_none() && !decided.was_kept {
                answer_all(group, decided);
            } else {
                writing.push(group);
            }
        }
        let jobs: usize = writing.iter().map(|group| group.jobs.len()).sum();
        for mut job in writing.into_iter().flat_map(|group| group.jobs) {
            if is_unknown {
                job.is_uncertain = true;
                left.push(job);
            } else if jobs == 1 {
                job.answer(Err(EngineError::Store(again(&text, false))));
            } else {
                let alone = Box::pin(self.process(vec![job], Under::default()));
                alone.await;
            }
        }
        if !is_unknown {
            tracing::error!(error = %text, "the store refused a batch");
        }
        Tried { left, is_unknown }
    }

    /// Tells the cache, and whoever waits for events, what was committed.
    async fn tell<'a>(&self, written: impl Iterator<Item = &'a Written>) {
        let (mut usage, mut terms) = (Vec::new(), Vec::new());
        let mut has_events = false;
        for home in written {
            let place = if home.is_urgent {
                &mut terms
            } else {
                &mut usage
            };
            place.push((home.home.clone(), home.version));
            has_events |= home.has_events;
        }
        for (homes, is_urgent) in [(usage, false), (terms, true)] {
            if !homes.is_empty()
                && let Err(error) = self.cache.advance(&homes, is_urgent).await
            {
                tracing::debug!(%error, "the cache was not told");
            }
        }
        if has_events {
            self.events.notify_one();
        }
    }

    /// Decides one home while nobody else can write it.
    async fn process_locked(&self, group: Group, lease: Option<&Lease>) {
        let query = self.query(self.clock.now(), std::iter::once(&group));
        let catalog = match self.catalogs.refresh().await {
            Ok(catalog) => catalog,
            Err(error) => {
                self.not_loaded(vec![group], error);
                return;
            }
        };
        let setting = Setting {
            catalog,
            now: query.now,
            grace: self.settings.grace,
        };
        let requests: Vec<Request> = group.jobs.iter().map(|job| job.request.clone()).collect();
        let (sender, receiver) = oneshot::channel();
        let (lease, keys_since) = (lease.cloned(), query.keys_since);
        let decide = Box::new(move |mut loaded: Loaded| {
            let mut answered = answered(std::mem::take(&mut loaded.earlier));
            let home = loaded.homes.pop()?;
            let context = setting.context();
            let mut decided = decide_home((home, false), &mut answered, requests.iter(), &context);
            let write = decided.take_write();
            let written = write.as_ref().map(Written::of);
            drop(sender.send((decided, written)));
            Some(WriteBatch {
                catalog_version: setting.catalog.version,
                keys_since,
                lease,
                homes: vec![write?],
            })
        });
        let result = self.storage.write_locked(&query, decide).await;
        let decided = receiver.await;
        match (result, decided) {
            (Ok(has_passed), Ok((decided, written))) if has_passed || written.is_none() => {
                self.tell(written.iter()).await;
                answer_all(group, decided);
            }
            (Ok(_), _) => {
                for job in group.jobs {
                    job.answer(Err(EngineError::Busy));
                }
            }
            (Err(error), _) => {
                let text = error.to_string();
                for job in group.jobs {
                    let error = again(&text, error.is_transient());
                    job.answer(Err(EngineError::Store(error)));
                }
            }
        }
    }
}

/// What is told of a home after its write.
struct Written {
    home: AccountId,
    version: u64,
    is_urgent: bool,
    has_events: bool,
}

impl Written {
    fn of(write: &HomeWrite) -> Self {
        let changes_terms = |operation: &Operation| {
            matches!(
                operation.kind,
                OperationKind::Change | OperationKind::Reset | OperationKind::Close
            )
        };
        Self {
            home: write.home.clone(),
            version: write.new_version,
            is_urgent: write.operations.iter().any(changes_terms),
            has_events: !write.events.is_empty(),
        }
    }
}

fn answer_all(group: Group, decided: DecidedHome) {
    for (job, verdict) in group.jobs.into_iter().zip(decided.verdicts) {
        job.answer(verdict);
    }
}

/// The same failure for another caller.
fn again(text: &str, is_transient: bool) -> StoreError {
    if is_transient {
        StoreError::Unavailable(text.into())
    } else {
        StoreError::Refused {
            what: text.to_owned(),
        }
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
    mut groups: Vec<Group>,
    loaded: Loaded,
    setting: &Setting,
) -> (Vec<Group>, Vec<DecidedHome>) {
    let mut answered = answered(loaded.earlier);
    let context = setting.context();
    let mut read = loaded.homes.into_iter();
    let decided = groups.iter_mut().filter_map(|group| {
        let kept = group.kept.take();
        let was_kept = kept.is_some();
        let home = kept.or_else(|| read.next())?;
        debug_assert_eq!(home.id, group.home, "each group is decided on its own home");
        let requests = group.jobs.iter().map(|job| &job.request);
        Some(decide_home(
            (home, was_kept),
            &mut answered,
            requests,
            &context,
        ))
    });
    let decided: Vec<DecidedHome> = decided.collect();
    assert_eq!(
        decided.len(),
        groups.len(),
        "one home for each that was asked for"
    );
    (groups, decided)
}

/// What a group of requests has to know of its home.
fn home_query(group: &Group) -> HomeQuery {
    let mut query = HomeQuery {
        home: group.home.clone(),
        accounts: Vec::with_capacity(group.jobs.len()),
        reservations: Vec::new(),
        operations: Vec::new(),
        keys: Vec::new(),
    };
    let (mut seen_accounts, mut seen_keys) = (HashSet::new(), HashSet::new());
    for job in &group.jobs {
        let request = &job.request;
        if request.account != group.home && seen_accounts.insert(&request.account) {
            query.accounts.push(request.account.clone());
        }
        if let Some(key) = &request.key
            && seen_keys.insert((&request.account, key))
        {
            query.keys.push(KeyQuery {
                account: request.account.clone(),
                key: key.clone(),
            });
        }
        match &request.command {
            Command::Commit { reservation, .. }
            | Command::Release { reservation }
            | Command::Extend { reservation, .. } => query.reservations.push(*reservation),
            Command::Refund { operation, .. } => query.operations.push(*operation),
            _ => {}
        }
        if job.is_uncertain {
            query.operations.push(request.id);
        }
    }
    query.reservations.sort_unstable();
    query.reservations.dedup();
    query.operations.sort_unstable();
    query.operations.dedup();
    query
}
