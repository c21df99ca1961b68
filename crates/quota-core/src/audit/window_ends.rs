//! When the windows of capacities end, as far as a ledger and the balances say.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::answer::Answer;
use crate::balance::Bucket;
use crate::ids::{AccountId, FeatureCode};
use crate::operation::{Operation, OperationKind};
use crate::ports::AuditHome;

/// When the windows of the capacities of a home end.
///
/// What its balance says is its end by now: a start in the past or a late renewal may have put that off when the window was over already,
/// and nothing brings it forward to an instant that has passed. What an answer told holds until the terms change.
#[derive(Debug)]
pub(super) struct WindowEnds {
    kept: BTreeMap<AccountId, BTreeMap<Bucket, DateTime<Utc>>>,
    /// The window that was charged last, and when that is whole again.
    told: BTreeMap<AccountId, BTreeMap<FeatureCode, (Bucket, DateTime<Utc>)>>,
}

impl WindowEnds {
    pub(super) fn of(home: &AuditHome, capacities: &BTreeSet<FeatureCode>) -> Self {
        let closed = home.closed.iter();
        let closed = closed.map(|closed| (&closed.account, &closed.balance));
        let live = home.accounts.iter().flat_map(|(id, account)| {
            let balances = account.books.balances.iter();
            balances.map(move |balance| (id, balance))
        });
        let mut kept: BTreeMap<AccountId, BTreeMap<Bucket, _>> = BTreeMap::new();
        // One that is live again takes the place of what was closed.
        for (id, balance) in closed.chain(live) {
            let bucket = &balance.bucket;
            let feature = bucket.feature().filter(|_| is_window(bucket));
            let is_of_capacity = feature.is_some_and(|code| capacities.contains(code));
            if let Some(ends_at) = balance.ends_at.filter(|_| is_of_capacity) {
                let of_account = kept.entry(id.clone()).or_default();
                of_account.insert(bucket.clone(), ends_at);
            }
        }
        Self {
            kept,
            told: BTreeMap::new(),
        }
    }

    /// Takes in what an operation tells of windows, or that it may have changed them.
    pub(super) fn see(&mut self, operation: &Operation) {
        if let Answer::Changed { change, .. } = &operation.answer
            && change.may_move_windows()
        {
            self.told.remove(&operation.account);
        }
        if matches!(
            operation.kind,
            OperationKind::Consume | OperationKind::Track
        ) {
            self.hear(operation);
        }
    }

    /// What is charged and was not told late is charged to the window that the answer shows.
    fn hear(&mut self, operation: &Operation) {
        for entry in &operation.entries {
            let is_shown = matches!(entry.bucket, Bucket::Window(..))
                && entry.first_unit.is_some()
                && entry.used_at.is_none();
            let Some(code) = entry.feature.as_ref().filter(|_| is_shown) else {
                continue;
            };
            let mut balances = operation.answer.balances().iter();
            let shown =
                balances.find(|one| one.scope == entry.scope && one.feature.as_ref() == Some(code));
            let told = self.told.entry(entry.account.clone()).or_default();
            match shown.and_then(|shown| shown.resets_at) {
                Some(resets_at) => told.insert(code.clone(), (entry.bucket.clone(), resets_at)),
                None => told.remove(code),
            };
        }
    }

    /// Whether a window counts at an instant, as far as that follows: one that is over does not. Of what no subscription limits it does
    /// not follow.
    pub(super) fn counts(
        &self,
        (id, bucket): (&AccountId, &Bucket),
        at: DateTime<Utc>,
    ) -> Option<bool> {
        let told = self
            .told
            .get(id)
            .and_then(|told| told.get(bucket.feature()?));
        if told.is_some_and(|(of, resets_at)| of == bucket && at < *resets_at) {
            return Some(true);
        }
        let ends_at = self.kept.get(id)?.get(bucket)?;
        (*ends_at <= at).then_some(false)
    }
}

/// Whether what it counts may be over.
pub(super) fn is_window(bucket: &Bucket) -> bool {
    matches!(bucket, Bucket::Window(..) | Bucket::Tracked(..))
}
