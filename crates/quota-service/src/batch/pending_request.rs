//! A pending request, and the group of those that one home decides.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use chrono::{DateTime, Utc};
use quota_core::command::{Reads, Request};
use quota_core::home::Home;
use quota_core::ids::AccountId;
use quota_core::ports::{ClosedKind, ClosedQuery, HomeQuery, KeyQuery, Loaded};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::decide::Verdict;

/// A request that waits for its answer.
pub(crate) struct PendingRequest {
    pub(crate) request: Box<Request>,
    /// Where its account lives, as far as is known.
    pub(crate) home: AccountId,
    /// When it is refused unless something was tried for it.
    pub(crate) until: Instant,
    /// Whether an earlier try may have taken effect.
    pub(crate) is_uncertain: bool,
    /// Ids of the operations that such a try may have booked.
    pub(crate) attempted_operations: Vec<Uuid>,
    /// How often it was decided on a home that did not pass.
    pub(crate) attempts: u32,
    /// Whether its account was looked for again after it was not found once: it may have come back meanwhile.
    pub(crate) is_rechecked: bool,
    pub(crate) reply: oneshot::Sender<Verdict>,
}

impl PendingRequest {
    /// The request, and the operations that may have carried it out already.
    pub(super) fn decision_input(&self) -> (&Request, &[Uuid]) {
        (&self.request, &self.attempted_operations)
    }

    /// Notes that nobody knows whether this verdict was written.
    pub(super) fn mark_uncertain(&mut self, verdict: &Verdict) {
        self.is_uncertain = true;
        if let Ok(reply) = verdict
            && !reply.is_replay
        {
            self.attempted_operations.push(reply.operation.id);
        }
    }

    pub(super) fn answer(self, verdict: Verdict) {
        // A caller that went away needs no answer; what it asked for is done all the same.
        drop(self.reply.send(verdict));
    }
}

/// The requests of one home in a batch, in the order of their arrival.
pub(super) struct Group {
    pub(super) home: AccountId,
    pub(super) requests: Vec<PendingRequest>,
    /// The home as it was kept in memory, if it is decided on that.
    pub(super) kept: Option<Box<Home>>,
    /// What has to be read of the home.
    pub(super) reading: Reading,
}

/// How much of a home has to be read before a group can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    /// All that the group needs: nothing is kept, or it does not suffice.
    Whole,
    /// Accounts that the kept home lacks.
    Missing,
    /// Nothing: the kept home suffices.
    Nothing,
}

impl Group {
    pub(super) fn new(home: AccountId) -> Self {
        Self {
            home,
            requests: Vec::with_capacity(1),
            kept: None,
            reading: Reading::Whole,
        }
    }

    /// Adds the accounts that were read to those of the kept home. `false` when the kept home is stale.
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

/// What has to be read for these requests when this home is kept. A kept home suffices for requests that need nothing but
/// the home's own row and their accounts.
pub(super) fn reading_of<'j>(
    requests: impl Iterator<Item = &'j PendingRequest>,
    home: &Home,
    (now, keys_since): (DateTime<Utc>, DateTime<Utc>),
) -> Reading {
    let reading = |pending: &PendingRequest| {
        let request = &pending.request;
        let reads_more = request.command.traits().reads != Reads::Account;
        if reads_more || pending.is_uncertain {
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
    requests.map(reading).min().unwrap_or(Reading::Nothing)
}

pub(super) fn grouped(requests: Vec<PendingRequest>) -> Vec<Group> {
    let mut positions: HashMap<AccountId, usize> = HashMap::with_capacity(requests.len());
    let mut groups: Vec<Group> = Vec::with_capacity(requests.len());
    for pending in requests {
        let position = *positions
            .entry(pending.home.clone())
            .or_insert(groups.len());
        if position == groups.len() {
            groups.push(Group::new(pending.home.clone()));
        }
        groups[position].requests.push(pending);
    }
    groups
}

/// The query that loads what a group needs of its home.
pub(super) fn home_query(group: &Group) -> HomeQuery {
    let mut query = HomeQuery {
        accounts: Vec::with_capacity(group.requests.len()),
        ..HomeQuery::of(group.home.clone())
    };
    let (mut seen_accounts, mut seen_keys) = (HashSet::new(), HashSet::new());
    let kept = group.kept.as_deref();
    for pending in &group.requests {
        let request = &pending.request;
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
        let reads = request.command.traits().reads;
        match reads {
            Reads::Account
            | Reads::Stored
            | Reads::Grants
            | Reads::Boosts
            | Reads::Purchases
            | Reads::Counters
            | Reads::TokenCounts => {}
            Reads::Windows(_) => query.closed.extend(closed_of(&group.home, reads)),
            Reads::Reservation(reservation) => query.reservations.push(reservation),
            Reads::Operation(operation) => query.operations.push(operation),
        }
        query.closed.extend(closed_of(&request.account, reads));
        query
            .operations
            .extend_from_slice(&pending.attempted_operations);
    }
    query.reservations.sort_unstable();
    query.reservations.dedup();
    query.operations.sort_unstable();
    query.operations.dedup();
    query.closed.sort_unstable();
    query.closed.dedup();
    query
}

/// The closed balances of an account that a command reads.
fn closed_of(account: &AccountId, reads: Reads<'_>) -> impl Iterator<Item = ClosedQuery> {
    let kinds = ClosedKind::read_by(reads).into_iter();
    kinds.map(|what| ClosedQuery {
        account: account.clone(),
        what,
    })
}

/// What is read of homes that users left: first answers while their keys are kept, and of what was closed there that which a
/// command reads.
pub(super) fn of_former_homes(
    groups: &[Group],
    loaded: &Loaded,
    keys_since: DateTime<Utc>,
) -> Vec<HomeQuery> {
    let mut queries: Vec<HomeQuery> = Vec::new();
    for (group, home) in groups.iter().zip(&loaded.homes) {
        for pending in &group.requests {
            let request = &pending.request;
            let Some(account) = home.accounts.get(&request.account) else {
                continue;
            };
            let key = request.key.as_ref().map(|key| KeyQuery {
                account: request.account.clone(),
                key: key.clone(),
            });
            let reads = request.command.traits().reads;
            let closed: Vec<ClosedQuery> = closed_of(&request.account, reads).collect();
            // The latest first.
            for former in account.terms.former_homes.iter().rev() {
                let key = key.iter().filter(|_| keys_since <= former.left_at);
                let keys: Vec<KeyQuery> = key.cloned().collect();
                if keys.is_empty() && closed.is_empty() {
                    continue;
                }
                let known = queries.iter().position(|query| query.home == former.home);
                let at = known.unwrap_or_else(|| {
                    queries.push(HomeQuery::of(former.home.clone()));
                    queries.len() - 1
                });
                add_new(&mut queries[at].keys, keys);
                add_new(&mut queries[at].closed, closed.clone());
            }
        }
    }
    queries
}

fn add_new<T: PartialEq>(known: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

/// Gives each home what the accounts of its group closed in homes that they left.
pub(super) fn add_left_closed(groups: &[Group], loaded: &mut Loaded, former: &[Home]) {
    for (group, home) in groups.iter().zip(&mut loaded.homes) {
        let requests = group.requests.iter();
        let accounts: HashSet<&AccountId> = requests
            .map(|pending| &pending.request.account)
            .filter(|account| home.accounts.contains_key(*account))
            .collect();
        let closed = former.iter().flat_map(|former| &former.closed);
        let own = closed.filter(|closed| accounts.contains(&closed.account));
        home.closed.extend(own.cloned());
    }
}
