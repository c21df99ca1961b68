//! One home's part of a batch, decided in memory: pure, so that the queue and the locked path share it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use quota_core::command::Request;
use quota_core::home::{ClosedBalance, Home};
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::operation::Operation;
use quota_core::ports::{AccountWrite, HomeWrite, KeyQuery};
use quota_core::rules::context::Context;
use quota_core::rules::execute::execute;
use uuid::Uuid;

use crate::EngineError;

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Where the account lives; ids that callers get name it.
    pub home: AccountId,
    /// The operation: booked, or for a denial without a key as it would have been.
    pub operation: Arc<Operation>,
    /// Whether this is the first answer to an earlier request with the same key (X1).
    pub is_replay: bool,
}

/// What the caller of a request is told.
pub(crate) type Verdict = Result<Reply, EngineError>;

/// First answers by account and key.
pub(crate) type Answered = HashMap<(AccountId, IdempotencyKey), Arc<Operation>>;

/// A home after its requests were decided, not written yet.
pub(crate) struct DecidedHome {
    pub(crate) expected_version: u64,
    pub(crate) home: Box<Home>,
    /// Whether the home was kept from an earlier batch, though accounts that it lacked may have been read. It may be stale,
    /// and its keys were not all looked for: nothing is answered from it before its write has passed.
    pub(crate) was_kept: bool,
    unseen_keys: Vec<KeyQuery>,
    /// How many of the home's new operations are among the first answers.
    answers: usize,
    pub(crate) verdicts: Vec<Verdict>,
}

/// Decides requests in their order.
pub(crate) fn decide_home<'a>(
    home: (Box<Home>, bool),
    answered: &mut Answered,
    requests: impl Iterator<Item = (&'a Request, &'a [Uuid])>,
    context: &Context<'_>,
) -> DecidedHome {
    let mut decided = DecidedHome::new(home);
    for asked in requests {
        decided.decide(answered, asked, context);
    }
    decided
}

fn decide_one(
    home: &mut Home,
    answered: &Answered,
    (request, tried): (&Request, &[Uuid]),
    context: &Context<'_>,
) -> Verdict {
    let reply = |home: &Home, operation: Arc<Operation>, is_replay| Reply {
        home: home.id.clone(),
        operation,
        is_replay,
    };
    // It took effect although the store did not say so.
    if let Some(done) = tried.iter().find_map(|id| home.referred.get(id)) {
        return Ok(reply(home, done.operation.clone().into(), false));
    }
    let named = |key: &IdempotencyKey| (request.account.clone(), key.clone());
    let first = request
        .key
        .as_ref()
        .and_then(|key| answered.get(&named(key)));
    if let Some(first) = first {
        if first.body_hash != request.body_hash {
            return Err(EngineError::key_of(first));
        }
        return Ok(reply(home, Arc::clone(first), true));
    }
    let outcome = execute(home, request, context)?;
    Ok(reply(home, outcome.operation, false))
}

impl DecidedHome {
    /// A home of which nothing is decided yet, and whether it was kept.
    pub(crate) fn new((home, was_kept): (Box<Home>, bool)) -> Self {
        Self {
            expected_version: home.version,
            home,
            was_kept,
            unseen_keys: Vec::new(),
            answers: 0,
            verdicts: Vec::with_capacity(1),
        }
    }

    /// Decides one more request, on what those before it left.
    pub(crate) fn decide(
        &mut self,
        answered: &mut Answered,
        (request, tried): (&Request, &[Uuid]),
        context: &Context<'_>,
    ) {
        if let (true, Some(key)) = (self.was_kept, &request.key) {
            self.unseen_keys.push(KeyQuery {
                account: request.account.clone(),
                key: key.clone(),
            });
        }
        // A key belongs to an account and so to its home: nobody can repeat the last one before there is another.
        let operations = &self.home.changes.operations;
        for booked in operations.iter().skip(self.answers) {
            if let Some(key) = &booked.key {
                answered.insert((booked.account.clone(), key.clone()), Arc::clone(booked));
            }
        }
        self.answers = operations.len();
        let verdict = decide_one(&mut self.home, answered, (request, tried), context);
        self.verdicts.push(verdict);
    }

    /// What is to be written, if anything changed.
    pub(crate) fn take_write(&mut self) -> Option<HomeWrite> {
        let changes = std::mem::take(&mut self.home.changes);
        if self.home.version == self.expected_version {
            return None;
        }
        let home = &self.home;
        let accounts = changes.accounts.iter().filter_map(|id| {
            let account = Arc::clone(home.accounts.get(id)?);
            Some(AccountWrite {
                id: id.clone(),
                due_at: account.due_at(),
                has_new_terms: changes.terms.contains(id),
                account,
            })
        });
        let touched = changes.reservations.iter();
        let reservations = touched.filter_map(|id| home.reservations.get(id).cloned());
        Some(HomeWrite {
            home: home.id.clone(),
            expected_version: self.expected_version,
            new_version: home.version,
            hold_before: home.hold_before,
            accounts: accounts.collect(),
            reservations: reservations.collect(),
            operations: changes.operations,
            events: changes.events,
            closed: last_of_each(changes.closed),
            unseen_keys: std::mem::take(&mut self.unseen_keys),
        })
    }
}

/// Each closed balance once, as it was left: a refund may have given several draws back to one of them.
fn last_of_each(closed: Vec<ClosedBalance>) -> Vec<ClosedBalance> {
    let named = |closed: ClosedBalance| {
        let name = (closed.account.clone(), closed.balance.bucket.clone());
        (name, closed)
    };
    let last: BTreeMap<_, ClosedBalance> = closed.into_iter().map(named).collect();
    last.into_values().collect()
}
