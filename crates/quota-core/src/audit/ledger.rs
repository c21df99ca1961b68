//! What the ledger says of itself: its order, its keys, and that each operation charges every scope alike.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::Finding;
use crate::answer::Answer;
use crate::ids::{AccountId, AccountKind, FeatureCode};
use crate::operation::{Entry, Operation, OperationKind};
use crate::ports::AuditHome;
use crate::rules::decide::Scope;
use crate::rules::funding::Source;

/// How far a later operation may lie back in time: the clocks of nodes are set by the store's, not equal to it.
const STEP_BACK_SECONDS_MAX: i64 = 5;

pub(super) fn check(home: &AuditHome, findings: &mut Vec<Finding>) {
    check_order(home, findings);
    let mut keys = BTreeSet::new();
    for operation in &home.operations {
        let id = &operation.account;
        if let Some(key) = &operation.key
            && !keys.insert((id, key.as_str()))
        {
            let what = format!("key `{key}` has a second operation, {}", operation.id);
            findings.push(Finding::of("I7", id, what));
        }
        if matches!(operation.answer, Answer::Denied { .. }) && !operation.entries.is_empty() {
            let what = format!("the denial {} has entries", operation.id);
            findings.push(Finding::of("I7", id, what));
        }
        if is_use(operation) {
            check_scopes(home, operation, findings);
        }
    }
    check_refunds(home, findings);
}

/// I23: sequences run without a gap, and times do not go back.
fn check_order(home: &AuditHome, findings: &mut Vec<Finding>) {
    let numbers = home.operations.iter().map(|operation| operation.sequence);
    let base = super::base(home);
    if !numbers.eq(base.saturating_add(1)..=home.version) {
        let what = format!(
            "{} operations do not run from {} to version {}",
            home.operations.len(),
            base.saturating_add(1),
            home.version
        );
        findings.push(Finding::of("I23", &home.home, what));
    }
    let next = home.operations.iter().skip(1);
    for (earlier, later) in home.operations.iter().zip(next) {
        let back = earlier.at.signed_duration_since(later.at);
        if back > TimeDelta::seconds(STEP_BACK_SECONDS_MAX) {
            let (sequence, seconds) = (later.sequence, back.num_seconds());
            let what = format!("operation {sequence} lies {seconds} s before the one before it");
            findings.push(Finding::of("I23", &later.account, what));
        }
    }
}

pub(super) fn is_use(operation: &Operation) -> bool {
    matches!(
        operation.kind,
        OperationKind::Consume | OperationKind::Track | OperationKind::Commit
    )
}

/// Units that entries spent, by feature: credits by what a unit cost.
fn units<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeMap<&'a FeatureCode, i128> {
    let mut by_cost: BTreeMap<(&FeatureCode, u64), i128> = BTreeMap::new();
    for entry in entries {
        let Some(feature) = &entry.feature else {
            continue;
        };
        let cost = if entry.source == Source::Credits {
            entry.unit_cost
        } else {
            1
        };
        let sum = by_cost.entry((feature, cost)).or_insert(0);
        let spent = i128::from(entry.used).saturating_add(entry.overage.into());
        *sum = sum.saturating_add(spent);
    }
    let mut units: BTreeMap<&FeatureCode, i128> = BTreeMap::new();
    for ((feature, cost), sum) in by_cost {
        let part = sum.checked_div(cost.into()).unwrap_or(0);
        let total = units.entry(feature).or_insert(0);
        *total = total.saturating_add(part);
    }
    units.retain(|_, units| *units != 0);
    units
}

fn of_scope(operation: &Operation, scope: Scope) -> impl Iterator<Item = &Entry> {
    operation
        .entries
        .iter()
        .filter(move |entry| entry.scope == scope)
}

/// O1: token, user and org are charged the same units of the same features.
fn check_scopes(home: &AuditHome, operation: &Operation, findings: &mut Vec<Finding>) {
    let user = units(of_scope(operation, Scope::User));
    let is_member = home.home.kind() == AccountKind::Org && operation.account != home.home;
    let org = units(of_scope(operation, Scope::Org));
    if is_member && org != user {
        let what = format!(
            "{}: the user is charged {user:?}, the org {org:?}",
            operation.id
        );
        findings.push(Finding::of("O1", &operation.account, what));
    }
    let token = units(of_scope(operation, Scope::Token));
    if !token.is_empty() && token != user {
        let what = format!(
            "{}: the user is charged {user:?}, the token {token:?}",
            operation.id
        );
        findings.push(Finding::of("O1", &operation.account, what));
    }
}

/// X3: refunds of an operation say and give back no more than it took.
fn check_refunds(home: &AuditHome, findings: &mut Vec<Finding>) {
    let mut refunds: BTreeMap<uuid::Uuid, Vec<&Operation>> = BTreeMap::new();
    for operation in &home.operations {
        if let (OperationKind::Refund, Some(of)) = (operation.kind, operation.refers_to) {
            refunds.entry(of).or_default().push(operation);
        }
    }
    for (id, of_it) in &refunds {
        let Some(original) = home.operations.iter().find(|found| found.id == *id) else {
            if super::base(home) != 0 {
                continue;
            }
            let what = format!("a refund of {id}, which is not there");
            findings.push(Finding::of("X3", &home.home, what));
            continue;
        };
        let mut said: BTreeMap<&FeatureCode, i128> = BTreeMap::new();
        for refund in of_it {
            let Answer::Refunded { items, .. } = &refund.answer else {
                continue;
            };
            for item in items {
                let total = said.entry(&item.feature).or_insert(0);
                *total = total.saturating_add(item.amount.get().into());
            }
        }
        for scope in [Scope::Token, Scope::User, Scope::Org] {
            let taken = units(of_scope(original, scope));
            let given = units(of_it.iter().flat_map(|refund| of_scope(refund, scope)));
            let most = |feature| taken.get(feature).copied().unwrap_or(0);
            let gave_more = given
                .iter()
                .any(|(feature, units)| units.saturating_neg() > most(feature));
            let said_more = said.iter().any(|(feature, units)| *units > most(feature));
            if gave_more || (said_more && scope == Scope::User) {
                let what = format!(
                    "{}: {given:?} and {said:?} of {taken:?} given back",
                    original.id
                );
                findings.push(Finding::of("X3", &original.account, what));
            }
        }
    }
}

/// I6: the lifetime totals are what was used less what was refunded; resets and released room do not lower them.
pub(super) fn check_lifetime(home: &AuditHome, id: &AccountId, findings: &mut Vec<Finding>) {
    let counted = home
        .operations
        .iter()
        .filter(|operation| is_use(operation) || operation.kind == OperationKind::Refund);
    let mut totals: BTreeMap<&FeatureCode, i128> = BTreeMap::new();
    for operation in counted {
        let is_own = |entry: &&Entry| entry.account == *id && entry.scope != Scope::Token;
        for (feature, units) in units(operation.entries.iter().filter(is_own)) {
            let total = totals.entry(feature).or_insert(0);
            *total = total.saturating_add(units);
        }
    }
    for (_, account) in home.accounts.iter().filter(|(of, _)| of == id) {
        let kept = account.books.lifetime.iter();
        let mut kept: BTreeMap<&FeatureCode, i128> = kept
            .map(|(feature, total)| (feature, i128::from(*total)))
            .collect();
        kept.retain(|_, total| *total != 0);
        totals.retain(|_, total| *total != 0);
        if kept != totals {
            let what = format!("lifetime totals are {kept:?}, the ledger says {totals:?}");
            findings.push(Finding::of("I6", id, what));
        }
    }
}
