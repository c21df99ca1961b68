//! Reading homes for a batch of requests.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use quota_core::balance::{Balance, Bucket};
use quota_core::home::{ClosedBalance, Home, Referred};
use quota_core::ids::AccountId;
use quota_core::operation::{Operation, OperationKind};
use quota_core::ports::{HomeQuery, KeyQuery, LoadQuery, Loaded};
use uuid::Uuid;

use super::state::{HomeState, State};

impl State {
    pub(super) fn load(&self, query: &LoadQuery) -> Loaded {
        let mut earlier = Vec::new();
        let mut homes = Vec::new();
        for wanted in &query.homes {
            let Some(stored) = self.homes.get(&wanted.home) else {
                homes.push(Home::empty(wanted.home.clone()));
                continue;
            };
            homes.push(stored.load(wanted, query.now));
            let with_key = wanted
                .keys
                .iter()
                .filter_map(|key| stored.keyed(key, query.keys_since));
            earlier.extend(with_key.cloned());
        }
        Loaded {
            catalog_version: self.catalog_version(),
            homes,
            earlier,
        }
    }
}

impl HomeState {
    /// The operation that carries a key, if it is not older than keys are kept.
    pub(super) fn keyed(&self, wanted: &KeyQuery, since: DateTime<Utc>) -> Option<&Operation> {
        self.all_operations().find(|operation| {
            operation.account == wanted.account
                && operation.key.as_ref() == Some(&wanted.key)
                && since <= operation.at
        })
    }

    fn load(&self, wanted: &HomeQuery, now: DateTime<Utc>) -> Home {
        let mut home = Home::empty(wanted.home.clone());
        home.version = self.version;
        home.hold_before = self.hold_before_after(now);
        for id in wanted.accounts.iter().chain([&wanted.home]) {
            if let Some(stored) = self.accounts.get(id) {
                home.accounts.insert(id.clone(), stored.account.clone());
            }
        }
        let mut referred: BTreeSet<Uuid> = wanted.operations.iter().copied().collect();
        for id in &wanted.reservations {
            if let Some(reservation) = self.reservations.get(id) {
                referred.extend(reservation.ended_by.iter().chain(&reservation.late_commit));
                home.reservations.insert(*id, reservation.clone());
            }
        }
        let due = self
            .open_reservations()
            .filter(|reservation| reservation.expires_at <= now);
        for reservation in due {
            home.reservations
                .insert(reservation.id, reservation.clone());
            if let Some(stored) = self.accounts.get(&reservation.account) {
                home.accounts
                    .insert(reservation.account.clone(), stored.account.clone());
            }
        }
        for id in referred {
            if let Some(found) = self.referred(id) {
                home.referred.insert(id, found);
            }
        }
        let is_asked = |((account, bucket), _): &(&(AccountId, Bucket), &Balance)| {
            let mut asked = wanted.closed.iter();
            asked.any(|asked| asked.holds(account, bucket))
        };
        let asked = self.closed.iter().filter(is_asked);
        home.closed = asked.map(closed_balance).collect();
        home
    }

    /// The stored bound; when a hold may be due, what it is once those that are due have ended.
    fn hold_before_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.hold_before.is_none_or(|before| now < before) {
            return self.hold_before;
        }
        let deadlines = self
            .open_reservations()
            .map(|reservation| reservation.expires_at);
        deadlines.filter(|expires_at| now < *expires_at).min()
    }

    fn referred(&self, id: Uuid) -> Option<Referred> {
        let operation = self.all_operations().find(|found| found.id == id)?;
        let refunds = self.all_operations().filter(|found| {
            found.kind == OperationKind::Refund && found.refers_to == Some(operation.id)
        });
        let is_drawn_on = |account: &_, bucket: &_| {
            operation
                .entries
                .iter()
                .any(|entry| entry.account == *account && entry.bucket == *bucket)
        };
        let closed = self
            .closed
            .iter()
            .filter(|((account, bucket), _)| is_drawn_on(account, bucket));
        Some(Referred {
            refunds: refunds.cloned().collect(),
            closed: closed.map(closed_balance).collect(),
            operation: operation.clone(),
        })
    }
}

fn closed_balance(((account, _), balance): (&(AccountId, Bucket), &Balance)) -> ClosedBalance {
    ClosedBalance {
        account: account.clone(),
        balance: balance.clone(),
    }
}
