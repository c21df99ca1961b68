//! Refunds against what they give back.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::finding::Finding;
use super::units::Spent;
use crate::answer::Answer;
use crate::draw::Scope;
use crate::ids::{AccountId, FeatureCode};
use crate::operation::{Operation, OperationKind};

fn by_scope(operation: &Operation) -> [Spent; 3] {
    Scope::ALL.map(|scope| {
        Spent::of(
            operation
                .entries
                .iter()
                .filter(|entry| entry.scope == scope),
        )
    })
}

/// An operation that was refunded.
#[derive(Debug, Default)]
struct Refunded {
    /// Whose refunds they were.
    by: Option<AccountId>,
    taken: Option<(AccountId, [Spent; 3])>,
    given: [Spent; 3],
    said: BTreeMap<FeatureCode, i128>,
}

/// All operations of a home that were refunded.
#[derive(Debug, Default)]
pub(super) struct Refunds(BTreeMap<Uuid, Refunded>);

impl Refunds {
    pub(super) fn of(refunded: Vec<Uuid>) -> Self {
        let refunded = refunded.into_iter();
        Self(refunded.map(|id| (id, Refunded::default())).collect())
    }

    pub(super) fn see(&mut self, operation: &Operation) {
        if let Some(refunded) = self.0.get_mut(&operation.id) {
            refunded.taken = Some((operation.account.clone(), by_scope(operation)));
        }
        let (OperationKind::Refund, Some(of)) = (operation.kind, operation.refers_to) else {
            return;
        };
        let refunded = self.0.entry(of).or_default();
        refunded.by = Some(operation.account.clone());
        for entry in &operation.entries {
            for (scope, given) in Scope::ALL.iter().zip(&mut refunded.given) {
                if entry.scope == *scope {
                    given.add(entry);
                }
            }
        }
        let Answer::Refunded { items, .. } = &operation.answer else {
            return;
        };
        for item in items {
            let total = refunded.said.entry(item.feature.clone()).or_insert(0);
            *total = total.saturating_add(item.amount.get().into());
        }
    }

    /// X3: refunds of an operation say and give back no more than it took. Where an earlier life of the home is not
    /// among the records (`has_earlier_life`), the operation may lie there; that of an account that came from another home
    /// (`has_moved_in`), in that one.
    pub(super) fn check(
        &self,
        home: &AccountId,
        (has_earlier_life, has_moved_in): (bool, impl Fn(&AccountId) -> bool),
        findings: &mut Vec<Finding>,
    ) {
        for (id, refunded) in &self.0 {
            let Some((account, taken)) = &refunded.taken else {
                let is_elsewhere = refunded.by.as_ref().is_some_and(&has_moved_in);
                if !has_earlier_life && !is_elsewhere {
                    let what = format!("a refund of {id}, which is not there");
                    findings.push(Finding::of("X3", home, what));
                }
                continue;
            };
            let said = &refunded.said;
            for ((scope, taken), given) in Scope::ALL.iter().zip(taken).zip(&refunded.given) {
                let (taken, given) = (taken.units(), given.units());
                let most = |feature: &FeatureCode| taken.get(feature).copied().unwrap_or(0);
                let gave_more = given
                    .iter()
                    .any(|(feature, units)| units.saturating_neg() > most(feature));
                let said_more = said.iter().any(|(feature, units)| *units > most(feature));
                if gave_more || (said_more && *scope == Scope::User) {
                    let what = format!("{id}: {given:?} and {said:?} of {taken:?} given back");
                    findings.push(Finding::of("X3", account, what));
                }
            }
        }
    }
}
