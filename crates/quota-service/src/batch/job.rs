//! Requests on their way through a batch, grouped by the home that decides them.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use chrono::{DateTime, Utc};
use quota_core::command::{Reads, Request};
use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::ports::{HomeQuery, KeyQuery, Loaded};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::decide::Verdict;

/// A request in a queue.
pub(crate) struct Job {
    pub(crate) request: Box<Request>,
    pub(crate) home: AccountId,
    pub(crate) until: Instant,
    /// Whether an earlier try may have taken effect.
    pub(crate) is_uncertain: bool,
    /// Ids of the operations that it would have taken effect by.
    pub(crate) tried: Vec<Uuid>,
    /// How often it was decided in vain.
    pub(crate) attempts: u32,
    /// Whether its account was looked for again after it was not found once: it may have come back meanwhile.
    pub(crate) is_rechecked: bool,
    pub(crate) reply: oneshot::Sender<Verdict>,
}

impl Job {
    /// What is decided, and by which operations it may have been already.
    pub(super) fn asked(&self) -> (&Request, &[Uuid]) {
        (&self.request, &self.tried)
    }

    /// It is not known whether what was decided took effect.
    pub(super) fn doubt(&mut self, verdict: &Verdict) {
        self.is_uncertain = true;
        if let Ok(reply) = verdict
            && !reply.is_replay
        {
            self.tried.push(reply.operation.id);
        }
    }

    pub(super) fn answer(self, verdict: Verdict) {
        // A caller that went away needs no answer; what it asked for is done all the same.
        drop(self.reply.send(verdict));
    }
}

/// Jobs by home, in the order of their arrival.
pub(super) struct Group {
    pub(super) home: AccountId,
    pub(super) jobs: Vec<Job>,
    /// The home as it was kept in memory, if it is decided on that.
    pub(super) kept: Option<Box<Home>>,
    /// What has to be read of it.
    pub(super) reading: Reading,
}

/// How much of a home has to be read for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    /// All that the group asks for.
    Whole,
    /// Accounts that are not kept yet, to be put beside those that are.
    Missing,
    /// Nothing.
    Nothing,
}

impl Group {
    pub(super) fn new(home: AccountId) -> Self {
        Self {
            home,
            jobs: Vec::with_capacity(1),
            kept: None,
            reading: Reading::Whole,
        }
    }

    /// Puts what is kept of the home beside what was read of it; `false` when they are not of the same version.
    pub(super) fn complete(&mut self, read: &mut Home) -> bool {
        let Some(kept) = self.kept.take() else {
            return true;
        };
        if kept.version != read.version {
            return false;
        }
        let missing = std::mem::replace(&mut read.accounts, kept.accounts);
        read.accounts.extend(missing);
        true
    }
}

/// What has to be read for jobs when this home is kept. It is of use while nothing is needed but the home itself and the
/// accounts that ask.
pub(super) fn reading_of<'j>(
    jobs: impl Iterator<Item = &'j Job>,
    home: &Home,
    (now, keys_since): (DateTime<Utc>, DateTime<Utc>),
) -> Reading {
    let reading = |job: &Job| {
        let request = &job.request;
        let reads_more = request.command.traits().reads != Reads::Account;
        if reads_more || job.is_uncertain {
            return Reading::Whole;
        }
        let Some(account) = home.accounts.get(&request.account) else {
            return Reading::Missing;
        };
        let mut former = account.terms.former_homes.iter();
        if former.all(|former| former.left_at < keys_since) {
            Reading::Nothing
        } else {
            Reading::Whole
        }
    };
    if home.may_have_expired_holds(now) {
        return Reading::Whole;
    }
    jobs.map(reading).min().unwrap_or(Reading::Nothing)
}

pub(super) fn grouped(jobs: Vec<Job>) -> Vec<Group> {
    let mut places: HashMap<AccountId, usize> = HashMap::with_capacity(jobs.len());
    let mut groups: Vec<Group> = Vec::with_capacity(jobs.len());
    for job in jobs {
        let place = *places.entry(job.home.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group::new(job.home.clone()));
        }
        groups[place].jobs.push(job);
    }
    groups
}

/// What a group of requests has to know of its home.
pub(super) fn home_query(group: &Group) -> HomeQuery {
    let mut query = HomeQuery {
        home: group.home.clone(),
        accounts: Vec::with_capacity(group.jobs.len()),
        reservations: Vec::new(),
        operations: Vec::new(),
        keys: Vec::new(),
    };
    let (mut seen_accounts, mut seen_keys) = (HashSet::new(), HashSet::new());
    let kept = group.kept.as_deref();
    for job in &group.jobs {
        let request = &job.request;
        let is_kept = kept.is_some_and(|kept| kept.accounts.contains_key(&request.account));
        if request.account != group.home && !is_kept && seen_accounts.insert(&request.account) {
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
        match request.command.traits().reads {
            Reads::Account | Reads::Stored => {}
            Reads::Reservation(reservation) => query.reservations.push(reservation),
            Reads::Operation(operation) => query.operations.push(operation),
        }
        query.operations.extend_from_slice(&job.tried);
    }
    query.reservations.sort_unstable();
    query.reservations.dedup();
    query.operations.sort_unstable();
    query.operations.dedup();
    query
}

/// Where keys are looked for beside the home itself: in the homes that users left since keys are kept.
pub(super) fn former_keys(
    groups: &[Group],
    loaded: &Loaded,
    keys_since: DateTime<Utc>,
) -> Vec<HomeQuery> {
    let mut queries: Vec<HomeQuery> = Vec::new();
    for (group, home) in groups.iter().zip(&loaded.homes) {
        for job in &group.jobs {
            let request = &job.request;
            let Some(account) = home.accounts.get(&request.account) else {
                continue;
            };
            let Some(key) = request.key.clone() else {
                continue;
            };
            let key = KeyQuery {
                account: request.account.clone(),
                key,
            };
            let former = account.terms.former_homes.iter();
            for former in former.filter(|former| keys_since <= former.left_at) {
                match queries.iter_mut().find(|query| query.home == former.home) {
                    Some(query) if !query.keys.contains(&key) => query.keys.push(key.clone()),
                    Some(_) => {}
                    None => queries.push(HomeQuery {
                        home: former.home.clone(),
                        accounts: Vec::new(),
                        reservations: Vec::new(),
                        operations: Vec::new(),
                        keys: vec![key.clone()],
                    }),
                }
            }
        }
    }
    queries
}
