//! A home: the accounts that are decided and booked together, and what a command changed in them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::Limit;
use crate::balance::{Balance, Bucket};
use crate::cover::is_needed;
use crate::event::Event;
use crate::ids::{AccountId, BoostId, FeatureCode, GrantId};
use crate::occupancy::Occupancy;
use crate::operation::Operation;
use crate::reservation::Reservation;
use crate::share::Share;
use crate::terms::Terms;

/// Longest chain of moves that is followed: more changes of plan in one window are not to be expected.
pub(crate) const MOVES_MAX: usize = 64;

/// An account's live balances, and what it has used in all its life.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// The live balances, in no order that matters.
    pub balances: Vec<Balance>,
    /// Units used of each feature over all windows, credits and trial included; a reset does not lower it (U2).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lifetime: BTreeMap<FeatureCode, u64>,
    /// Grants that were closed: their ids are not given again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub closed_grants: BTreeSet<GrantId>,
    /// Boosts that were closed: their ids are not given again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub closed_boosts: BTreeSet<BoostId>,
    /// Grants that were bought when [`PURCHASES_MAX`](crate::command::PURCHASES_MAX) had something left, in the order in which
    /// they become live ones as others are spent (P18).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Balance>,
    /// What the account's org was charged for it, by the org's bucket in which that was counted first (O6, O8).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shares: BTreeMap<Bucket, Share>,
    /// What was refunded, since the account moved, of operations in homes where it lived before (X3), by operation; and with
    /// nothing beside them the reservations from there that were committed late.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunded: BTreeMap<Uuid, BTreeMap<FeatureCode, u64>>,
    /// Of each capacity that was drawn: which of its units are still there (X3, X4).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub occupancy: BTreeMap<FeatureCode, Occupancy>,
    /// The same of what the account's org was charged for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub org_occupancy: BTreeMap<FeatureCode, Occupancy>,
}

/// Most operations and reservations from before a move that are remembered as settled since; of those that are older than
/// the oldest of them nothing is settled any more.
const SETTLED_MAX: usize = 256;

impl Books {
    /// The live balances, and the grants that wait to be.
    pub fn all(&self) -> impl Iterator<Item = &Balance> {
        self.balances.iter().chain(&self.waiting)
    }

    /// The live balance of a bucket.
    pub fn balance(&self, bucket: &Bucket) -> Option<&Balance> {
        self.balances
            .iter()
            .find(|balance| balance.bucket == *bucket)
    }

    /// The bucket that counts now what was drawn from `bucket`: that itself, or where it was moved.
    pub fn resolved(&self, bucket: &Bucket) -> Bucket {
        let mut found = bucket.clone();
        for _ in 0..MOVES_MAX {
            match self
                .balance(&found)
                .and_then(|balance| balance.moved_to.clone())
            {
                Some(next) => found = next,
                None => break,
            }
        }
        found
    }

    /// Whether so much was settled since the account moved that it may have been forgotten whether this was.
    pub(crate) fn has_forgotten(&self, id: Uuid) -> bool {
        let oldest = self.refunded.keys().next();
        let is_full = SETTLED_MAX <= self.refunded.len();
        is_full && oldest.is_some_and(|oldest| id < *oldest)
    }

    /// Remembers that something from before a move was settled; gives what is known to be refunded of it.
    pub(crate) fn settled(&mut self, id: Uuid) -> &mut BTreeMap<FeatureCode, u64> {
        while SETTLED_MAX <= self.refunded.len() && !self.refunded.contains_key(&id) {
            self.refunded.pop_first();
        }
        self.refunded.entry(id).or_default()
    }

    /// Remembers the id of a grant or boost that is closed.
    pub(crate) fn note_closed(&mut self, bucket: &Bucket) {
        if let Bucket::Grant(grant) = bucket {
            self.closed_grants.insert(grant.clone());
        } else if let Bucket::Boost(_, boost) = bucket {
            self.closed_boosts.insert(boost.clone());
        }
    }

    /// Forgets it again: the grant or boost is live once more.
    pub(crate) fn note_reopened(&mut self, bucket: &Bucket) {
        if let Bucket::Grant(grant) = bucket {
            self.closed_grants.remove(grant);
        } else if let Bucket::Boost(_, boost) = bucket {
            self.closed_boosts.remove(boost);
        }
    }

    pub(crate) fn balance_mut(&mut self, bucket: &Bucket) -> Option<&mut Balance> {
        self.balances
            .iter_mut()
            .find(|balance| balance.bucket == *bucket)
    }
}

/// An account as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What it may do: subscription, overrides, tokens.
    pub terms: Terms,
    /// What it has used.
    pub books: Books,
}

/// One account as it is: its terms and its live balances.
#[derive(Debug, Clone, Copy)]
pub struct AccountView<'a> {
    /// What it may do: subscription, overrides, tokens.
    pub terms: &'a Terms,
    /// Its live balances, in no order that matters.
    pub balances: &'a [Balance],
    /// What its org was charged for it.
    pub shares: &'a BTreeMap<Bucket, Share>,
}

/// An operation that a request refers to, with all that a refund has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// The operation that is referred to.
    pub operation: Operation,
    /// Earlier refunds of it.
    pub refunds: Vec<Operation>,
    /// Those of its buckets that were closed in the books since.
    pub closed: Vec<ClosedBalance>,
}

/// A balance that was closed in the books: out of the account's live ones, kept for reports and refunds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedBalance {
    /// The account whose balance it was.
    pub account: AccountId,
    /// The balance as it was when it was closed, refunds since deducted; only a remnant of it where it counts again.
    pub balance: Balance,
}

impl ClosedBalance {
    /// Which of several homes' records of one balance counts: the least, and of equals the first. It is the one that was closed
    /// last. Of records from before reopenings were counted, one in which nothing is left was closed in another home since, and
    /// what is given or sold was only lowered while it was closed.
    pub fn rank(&self) -> impl Ord + use<> {
        let balance = &self.balance;
        let is_given = balance.bucket.is_given();
        let is_sold = matches!(balance.bucket, Bucket::OnDemand(..));
        let by_use = if is_given || is_sold {
            (is_given && balance.granted == Limit::Of(0), balance.spent())
        } else {
            (balance.was_closed && balance.spent() == 0, 0)
        };
        (Reverse(balance.reopenings), by_use)
    }
}

/// A home as it was loaded, and as it is after the commands that ran on it.
///
/// Its `version` is the sequence number of its last operation: every operation adds one, and a write
/// is refused when the stored version is not the one that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The account that the home is named after: an org, or a user without one.
    pub id: AccountId,
    /// Sequence number of its last operation; 0 for a home that does not exist.
    pub version: u64,
    /// No open hold ends before this instant; none when nothing is held.
    pub hold_before: Option<DateTime<Utc>>,
    /// Those of its accounts that were asked for and exist.
    pub accounts: BTreeMap<AccountId, Arc<Account>>,
    /// Reservations that were asked for or are past their deadline.
    pub reservations: BTreeMap<Uuid, Reservation>,
    /// Operations that were asked for, or that ended a reservation which was.
    pub referred: BTreeMap<Uuid, Referred>,
    /// Closed balances that were asked for.
    pub closed: Vec<ClosedBalance>,
    /// What changed since it was loaded.
    pub changes: Changes,
}

/// What changed in a home since it was loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Accounts whose terms or balances changed.
    pub accounts: BTreeSet<AccountId>,
    /// Those of them whose terms changed, or that are new.
    pub terms: BTreeSet<AccountId>,
    /// Reservations that are new or changed.
    pub reservations: BTreeSet<Uuid>,
    /// New operations in the order of their sequence.
    pub operations: Vec<Arc<Operation>>,
    /// New events in the order of their sequence.
    pub events: Vec<Event>,
    /// Balances that were closed, or whose closed value changed.
    pub closed: Vec<ClosedBalance>,
}

impl Home {
    /// A home of which nothing is known but its name: version 0, no accounts.
    pub fn empty(id: AccountId) -> Self {
        Self {
            id,
            version: 0,
            hold_before: None,
            accounts: BTreeMap::new(),
            reservations: BTreeMap::new(),
            referred: BTreeMap::new(),
            closed: Vec::new(),
            changes: Changes::default(),
        }
    }

    /// An account, to be changed; what a write or an earlier state shares of it stays as it was.
    pub fn account_mut(&mut self, id: &AccountId) -> Option<&mut Account> {
        self.accounts.get_mut(id).map(Arc::make_mut)
    }

    /// The accounts that a request of `user` may change, as they are now.
    pub(crate) fn accounts_of(&self, user: &AccountId) -> Vec<(AccountId, Arc<Account>)> {
        let ids = [user, &self.id].into_iter();
        let found = ids.filter_map(|id| self.accounts.get_key_value(id));
        found
            .map(|(id, account)| (id.clone(), Arc::clone(account)))
            .collect()
    }

    /// Whether a hold may be past its deadline at `now`: then the home must be loaded before it is decided on (R4).
    pub fn may_have_expired_holds(&self, now: DateTime<Utc>) -> bool {
        self.hold_before.is_some_and(|before| before <= now)
    }
}

impl Account {
    /// What a decision looks at.
    pub fn view(&self) -> AccountView<'_> {
        AccountView {
            terms: &self.terms,
            balances: &self.books.balances,
            shares: &self.books.shares,
        }
    }

    /// The first instant at which a job has something to do for this account: a subscription's end that is not
    /// recorded yet, or the end of a window, grant or boost that is still among the live balances; one of the last two
    /// of which nothing is left is over as soon as it began, and one that is needed there is not. `None` when there is nothing.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        let balances = &self.books.balances;
        let has_short = balances.iter().any(|balance| balance.may_be_short() != 0);
        let windows = balances
            .iter()
            .filter(|balance| !has_short || !is_needed(balances, balance))
            .filter(|balance| {
                let bucket = &balance.bucket;
                matches!(
                    bucket,
                    Bucket::Window(..)
                        | Bucket::Further(..)
                        | Bucket::Tracked(..)
                        | Bucket::Grant(_)
                        | Bucket::Boost(..)
                        | Bucket::OnDemand(..)
                        | Bucket::TokenWindow(..)
                )
            })
            .filter_map(|balance| {
                let is_spent = balance.is_spent_gift();
                balance.ends_at.or(is_spent.then_some(balance.starts_at))
            });
        let subscription = self
            .terms
            .subscription
            .as_ref()
            .and_then(crate::terms::Subscription::unrecorded_end);
        windows.chain(subscription).min()
    }
}
