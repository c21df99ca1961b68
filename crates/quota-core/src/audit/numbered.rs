//! What an operation that was refunded had numbered of each capacity (X3).

use std::collections::BTreeMap;

use super::units::Spent;
use crate::draw::Scope;
use crate::ids::{AccountId, FeatureCode};
use crate::operation::{Entry, Operation};

/// Where units are numbered: what an account occupies itself, or what its org was charged for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Own,
    AtOrg,
}

impl Side {
    pub(super) const ALL: [Self; 2] = [Self::Own, Self::AtOrg];

    pub(super) fn scope(self) -> Scope {
        match self {
            Self::Own => Scope::User,
            Self::AtOrg => Scope::Org,
        }
    }
}

/// The units that an operation numbered, and what of it was refunded.
#[derive(Debug, Default)]
pub(super) struct Numbered {
    /// Who asked; none before the operation was seen.
    account: Option<AccountId>,
    units: BTreeMap<(Side, FeatureCode), Units>,
    returned: BTreeMap<FeatureCode, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Units {
    first: u64,
    count: u64,
    /// Whether all that was drawn has numbers.
    is_all: bool,
}

/// Which numbers a refund takes out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Back {
    /// None: what was drawn has no numbers.
    Nothing,
    /// It is not known which.
    Unknown,
    /// The first, and how many.
    Units(u64, u64),
}

/// What an operation drew at one side.
pub(super) fn drawn_at(operation: &Operation, side: Side) -> impl Iterator<Item = &Entry> {
    let entries = operation.entries.iter();
    entries.filter(move |entry| entry.scope == side.scope() && units_of(entry) != 0)
}

/// The number of the first unit of each entry that has one, and how many they are.
pub(super) fn numbers_of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<(u64, u64)> {
    let numbered = entries.filter_map(|entry| Some((entry.first_unit?, units_of(entry))));
    numbered.collect()
}

fn units_of(entry: &Entry) -> u64 {
    u64::try_from(entry.used.saturating_add(entry.overage)).unwrap_or(0)
}

impl Numbered {
    pub(super) fn of(operation: &Operation) -> Self {
        let mut units = BTreeMap::new();
        for side in Side::ALL {
            let entries = operation.entries.iter();
            let spent = Spent::of(entries.filter(|entry| entry.scope == side.scope()));
            for (code, all) in spent.units() {
                let of_feature = drawn_at(operation, side);
                let of_feature = of_feature.filter(|entry| entry.feature.as_ref() == Some(code));
                let numbers = numbers_of(of_feature);
                let count = numbers.iter().map(|(_, count)| *count);
                let count = count.fold(0, u64::saturating_add);
                if let Some(first) = numbers.iter().map(|(first, _)| *first).min() {
                    let is_all = i128::from(count) == all;
                    let numbered = Units {
                        first,
                        count,
                        is_all,
                    };
                    units.insert((side, code.clone()), numbered);
                }
            }
        }
        Self {
            account: Some(operation.account.clone()),
            units,
            returned: BTreeMap::new(),
        }
    }

    /// Which numbers a refund of so much takes out: the last that are left.
    pub(super) fn back(&self, side: Side, code: &FeatureCode, amount: u64) -> Back {
        if self.account.is_none() {
            return Back::Unknown;
        }
        let Some(numbered) = self.units.get(&(side, code.clone())) else {
            return Back::Nothing;
        };
        let before = self.returned.get(code).copied().unwrap_or(0);
        let left = numbered.count.checked_sub(before);
        let first = left.and_then(|left| left.checked_sub(amount));
        match first.filter(|_| numbered.is_all) {
            Some(first) => Back::Units(numbered.first.saturating_add(first), amount),
            None => Back::Unknown,
        }
    }

    /// So much of it was refunded.
    pub(super) fn give_back(&mut self, code: &FeatureCode, amount: u64) {
        let returned = self.returned.entry(code.clone()).or_insert(0);
        *returned = returned.saturating_add(amount);
    }

    /// Who leaves an org leaves its numbers there.
    pub(super) fn leave_org(&mut self, account: &AccountId) {
        if self.account.as_ref() == Some(account) {
            self.units.retain(|(side, _), _| *side == Side::Own);
        }
    }
}
