//! What the ledger says of itself, and what its entries add up to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::admission::{check_admission, check_further};
use super::counters::{Counters, Late, STEP_BACK_SECONDS_MAX, add};
use super::finding::Finding;
use super::keys::Keys;
use super::numbers::Numbers;
use super::refunds::Refunds;
use super::rollovers::Rollovers;
use super::units::Spent;
use super::windows::org_windows;
use crate::answer::Answer;
use crate::balance::Bucket;
use crate::change::Change;
use crate::draw::{Scope, Source};
use crate::ids::{AccountId, AccountKind, FeatureCode};
use crate::operation::{Entry, Operation, OperationKind};
use crate::ports::AuditHome;
use crate::sale::Sale;

/// The ledger of a home, added up.
#[derive(Debug)]
pub(super) struct Ledger {
    home: AccountId,
    order: Order,
    keys: Keys,
    refunds: Refunds,
    pub(super) rollovers: Rollovers,
    pub(super) numbers: Numbers,
    accounts: BTreeMap<AccountId, Added>,
    /// Live windows of the org of which it is added up what each member was charged in them.
    windows: BTreeSet<Bucket>,
}

/// Of the ledger's order.
#[derive(Debug, Default)]
struct Order {
    count: u64,
    base: u64,
    last: u64,
    has_gap: bool,
    last_at: Option<DateTime<Utc>>,
}

/// What is added up of one account.
#[derive(Debug, Default)]
struct Added {
    /// Whether its life in this home, the last one, began with an arrival and not with its creation.
    has_moved_in: Option<bool>,
    /// From its arrival on.
    sums: BTreeMap<Bucket, Counters>,
    lifetime: Spent,
    changed_at: Option<DateTime<Utc>>,
    /// What its org was charged for it in each of those windows.
    charged: BTreeMap<Bucket, i128>,
    /// At which price each period's units were sold, as answers said.
    sold: BTreeMap<Bucket, Sale>,
    /// From its arrival on.
    late: Late,
}

/// What changed, where an operation is a change of terms.
fn change_of(operation: &Operation) -> Option<Change> {
    if let (OperationKind::Change, Answer::Changed { change, .. }) =
        (operation.kind, &operation.answer)
    {
        Some(*change)
    } else {
        None
    }
}

impl Ledger {
    /// The ledger of a home of which these operations were refunded.
    pub(super) fn new(home: &AuditHome, refunded: Vec<Uuid>) -> Self {
        let windows = org_windows(home).map(|balance| balance.bucket.clone());
        Self {
            home: home.home.clone(),
            windows: windows.collect(),
            order: Order::default(),
            keys: Keys::default(),
            rollovers: Rollovers::of(home),
            numbers: Numbers::of(home, &refunded),
            refunds: Refunds::of(refunded),
            accounts: BTreeMap::new(),
        }
    }

    pub(super) fn see(&mut self, operation: &Operation, findings: &mut Vec<Finding>) {
        let id = &operation.account;
        self.order.see(operation, findings);
        if let Some(key) = &operation.key
            && !self.keys.is_new(id, key, operation.at)
        {
            let what = format!("key `{key}` has a second operation, {}", operation.id);
            findings.push(Finding::of("I7", id, what));
        }
        if matches!(operation.answer, Answer::Denied { .. }) && !operation.entries.is_empty() {
            let what = format!("the denial {} has entries", operation.id);
            findings.push(Finding::of("I7", id, what));
        }
        if operation.kind.traits().is_use {
            self.check_scopes(operation, findings);
        }
        check_admission(operation, findings);
        self.check_sales(operation, findings);
        check_further(operation, findings);
        self.refunds.see(operation);
        let accounts = &self.accounts;
        let sums = |id: &AccountId| Some(&accounts.get(id)?.sums);
        self.rollovers.see(operation, sums, findings);
        self.numbers.see(operation, sums(id), findings);
        self.add(operation);
    }

    /// C11: what was sold stays within the cap that was in force, as the answer says, and the price of a period is one.
    fn check_sales(&mut self, operation: &Operation, findings: &mut Vec<Finding>) {
        for after in operation.answer.balances() {
            let (Some(feature), Some(sold)) = (&after.feature, &after.on_demand) else {
                continue;
            };
            let taken = sold.used.saturating_add(sold.held);
            let bought = operation.entries.iter().any(|entry| {
                let is_of = entry.scope == after.scope && entry.feature.as_ref() == Some(feature);
                is_of && entry.source == Source::OnDemand && (entry.used > 0 || entry.held > 0)
            });
            let is_admission = matches!(
                operation.answer,
                Answer::Allowed { .. } | Answer::Reserved { .. }
            );
            let (id, owed) = (operation.id, sold.sale.owed(taken));
            if bought && is_admission && sold.cap < owed {
                let what = format!(
                    "{id} was allowed, and then {owed} of {} were owed",
                    sold.cap
                );
                findings.push(Finding::of("C11", &operation.account, what));
            }
            if taken == 0 {
                // It may not be open: its price is still that of the plan.
                continue;
            }
            let account = match after.scope {
                Scope::Org => &self.home,
                Scope::Token | Scope::User => &operation.account,
            };
            let bucket = Bucket::OnDemand(feature.clone(), sold.starts_at.timestamp_micros());
            let added = self.accounts.entry(account.clone()).or_default();
            let first = added.sold.entry(bucket.clone());
            let first = first.or_insert_with(|| sold.sale.clone());
            if *first != sold.sale {
                let what = format!(
                    "{id} was told {:?}, the period began with {first:?}",
                    sold.sale
                );
                findings.push(Finding::of("C11", account, what).at(&bucket));
            }
        }
    }

    fn add(&mut self, operation: &Operation) {
        if operation.kind == OperationKind::Change {
            let has_moved_in = change_of(operation).and_then(Change::begins_life);
            let added = self.accounts.entry(operation.account.clone()).or_default();
            added.changed_at = added.changed_at.max(Some(operation.at));
            if has_moved_in.is_some() {
                added.has_moved_in = has_moved_in;
                added.sums.clear();
                added.charged.clear();
                added.late.clear();
            }
        }
        let counts = operation.kind.traits().is_use || operation.kind == OperationKind::Refund;
        for entry in &operation.entries {
            let added = self.accounts.entry(entry.account.clone()).or_default();
            if counts && entry.scope != Scope::Token {
                added.lifetime.add(entry);
            }
            if let Some(at) = entry.used_at {
                let late = added.late.entry(entry.bucket.clone());
                let (first, last) = late.or_insert((at, at));
                (*first, *last) = (at.min(*first), at.max(*last));
            }
            let by = (entry.used, entry.held, entry.overage, entry.granted);
            let by = (by.0.into(), by.1.into(), by.2.into(), by.3.into());
            match added.sums.get_mut(&entry.bucket) {
                Some(sum) => add(sum, by),
                None => drop(added.sums.insert(entry.bucket.clone(), by)),
            }
            self.charge(operation, entry);
        }
    }

    /// Adds up what an org is charged for the member that asks.
    fn charge(&mut self, operation: &Operation, entry: &Entry) {
        let id = &operation.account;
        let is_of_org = entry.account == self.home && *id != self.home;
        if is_of_org && self.windows.contains(&entry.bucket) {
            let added = self.accounts.entry(id.clone()).or_default();
            let sum = added.charged.entry(entry.bucket.clone()).or_insert(0);
            let by = i128::from(entry.used).saturating_add(entry.overage.into());
            *sum = sum.saturating_add(by);
        }
    }

    /// What its org was charged for a member in a live window.
    pub(super) fn charged(&self, id: &AccountId, bucket: &Bucket) -> i128 {
        let added = self.accounts.get(id);
        added
            .and_then(|added| added.charged.get(bucket))
            .copied()
            .unwrap_or(0)
    }

    /// O1: token, user and org are charged the same units of the same features.
    fn check_scopes(&self, operation: &Operation, findings: &mut Vec<Finding>) {
        let [token, user, org] = Scope::ALL.map(|scope| {
            let of_scope = operation.entries.iter();
            Spent::of(of_scope.filter(|entry| entry.scope == scope))
        });
        let (token, user, org) = (token.units(), user.units(), org.units());
        let (id, account) = (operation.id, &operation.account);
        let is_member = self.home.kind() == AccountKind::Org && *account != self.home;
        // A late commit after a move is booked in two homes, each with its part (X3).
        let is_late = matches!(operation.answer, Answer::Settled { late: true, .. });
        let is_part = is_late && (user.is_empty() || org.is_empty());
        if is_member && org != user && !is_part {
            let what = format!("{id}: the user is charged {user:?}, the org {org:?}");
            findings.push(Finding::of("O1", account, what));
        }
        if !token.is_empty() && token != user {
            let what = format!("{id}: the user is charged {user:?}, the token {token:?}");
            findings.push(Finding::of("O1", account, what));
        }
    }

    /// The sequence before the first operation: a user that comes back to a home of its own goes on counting from the
    /// life that this home had before. The operations of that life are not among the records.
    pub(super) fn base(&self) -> u64 {
        self.order.base
    }

    /// Whether an account came from another home; `None` when its beginning was not seen.
    pub(super) fn has_moved_in(&self, id: &AccountId) -> Option<bool> {
        self.accounts.get(id)?.has_moved_in
    }

    /// When its terms were last changed.
    pub(super) fn changed_at(&self, id: &AccountId) -> Option<DateTime<Utc>> {
        self.accounts.get(id)?.changed_at
    }

    /// At which price each of its periods sold, as answers said.
    pub(super) fn sold(&self, id: &AccountId) -> Option<&BTreeMap<Bucket, Sale>> {
        Some(&self.accounts.get(id)?.sold)
    }

    /// Between which instants that was used which was booked late, in each of its buckets.
    pub(super) fn late(&self, id: &AccountId) -> Option<&Late> {
        Some(&self.accounts.get(id)?.late)
    }

    /// What the entries of each of its buckets add up to, from its arrival on.
    pub(super) fn sums(&self, id: &AccountId) -> Option<&BTreeMap<Bucket, Counters>> {
        Some(&self.accounts.get(id)?.sums)
    }

    /// What can be said at the end: I23 the sequences, X3 the refunds.
    pub(super) fn check(&self, version: u64, findings: &mut Vec<Finding>) {
        self.order.check(&self.home, version, findings);
        let has_moved_in = |id: &AccountId| self.has_moved_in(id) == Some(true);
        let elsewhere = (self.base() != 0, has_moved_in);
        self.refunds.check(&self.home, elsewhere, findings);
    }

    /// I6: the lifetime totals are what was used less what was refunded; resets and released room do not lower them.
    pub(super) fn check_lifetime(
        &self,
        id: &AccountId,
        kept: &BTreeMap<FeatureCode, u64>,
        findings: &mut Vec<Finding>,
    ) {
        let kept = kept.iter().filter(|(_, total)| **total != 0);
        let kept: BTreeMap<&FeatureCode, i128> = kept
            .map(|(feature, total)| (feature, i128::from(*total)))
            .collect();
        let added = self.accounts.get(id).map(|added| added.lifetime.units());
        let totals = added.unwrap_or_default();
        if kept != totals {
            let what = format!("lifetime totals are {kept:?}, the ledger says {totals:?}");
            findings.push(Finding::of("I6", id, what));
        }
    }
}

impl Order {
    fn see(&mut self, operation: &Operation, findings: &mut Vec<Finding>) {
        let sequence = operation.sequence;
        if self.count == 0 && change_of(operation) == Some(Change::MovedIn) {
            self.base = sequence.saturating_sub(1);
            self.last = self.base;
        }
        self.count = self.count.saturating_add(1);
        self.has_gap |= self.last.checked_add(1) != Some(sequence);
        self.last = sequence;
        let back = self.last_at.replace(operation.at);
        let back = back.map(|earlier| earlier.signed_duration_since(operation.at));
        if let Some(back) = back
            && back > TimeDelta::seconds(STEP_BACK_SECONDS_MAX)
        {
            let seconds = back.num_seconds();
            let what = format!("operation {sequence} lies {seconds} s before the one before it");
            findings.push(Finding::of("I23", &operation.account, what));
        }
    }

    /// I23: sequences run without a gap up to the home's version.
    fn check(&self, home: &AccountId, version: u64, findings: &mut Vec<Finding>) {
        if self.has_gap || self.last != version {
            let (count, first) = (self.count, self.base.saturating_add(1));
            let what = format!("{count} operations do not run from {first} to version {version}");
            findings.push(Finding::of("I23", home, what));
        }
    }
}
