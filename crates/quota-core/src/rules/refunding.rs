//! A refund as it is decided: of what, and how much of it (X3).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::desk::Desk;
use super::settle::{paid_by, settle, units};
use super::share::share_of;
use crate::amount::Amount;
use crate::answer::{Answer, Rejection};
use crate::balance::Balance;
use crate::catalog::Kind;
use crate::command::Refund;
use crate::draw::{Draw, Scope, Source};
use crate::entry::draws;
use crate::home::{Account, Books, Home, Referred};
use crate::ids::{AccountId, FeatureCode};
use crate::item::Item;
use crate::operation::{Operation, OperationKind};
use crate::unrefundable::Unrefundable;

/// Draws of an operation with the features that they paid for, in the order of drawing.
type FeatureDraws = [(FeatureCode, Draw)];

/// A refund as it is decided: of what, and how much of it.
#[derive(Debug, Clone)]
pub(super) struct Refunding {
    pub(super) referred: Referred,
    draws: Vec<(FeatureCode, Draw)>,
    /// What was refunded before, by feature.
    before: BTreeMap<FeatureCode, u64>,
    /// Whether it is of another home than the one that the account lives in.
    pub(super) is_elsewhere: bool,
    /// What is refunded now.
    pub(super) items: Vec<Item>,
}

impl Refunding {
    /// The refund that `asked` comes to, of an operation in `home`, by the account with these books.
    pub(super) fn of(
        (home, books): (&Home, &Books),
        account: &AccountId,
        asked: &Refund,
    ) -> Result<Self, Rejection> {
        let id = asked.operation;
        let referred = referred(home, id).ok_or(Rejection::UnknownOperation)?;
        let original = &referred.operation;
        if original.account != *account {
            return Err(Rejection::UnknownOperation);
        }
        let draws = draws(&original.entries);
        let is_charged = draws.iter().any(|(_, draw)| draw.scope == Scope::User);
        let is_denied = matches!(original.answer, Answer::Denied { .. });
        let why = match (original.kind.traits().is_use, is_denied, is_charged) {
            (true, false, true) => None,
            (false, _, _) => Some(Unrefundable::Kind(original.kind)),
            (true, true, _) => Some(Unrefundable::Denied),
            (true, false, false) => Some(Unrefundable::Uncharged),
        };
        if let Some(why) = why {
            return Err(Rejection::NotRefundable { why });
        }
        let features = features(&draws, asked)?;
        let mut refunding = Self {
            before: refunded(&referred, books.refunded.get(&id)),
            is_elsewhere: !home.accounts.contains_key(account),
            referred,
            draws,
            items: Vec::new(),
        };
        let own = home.accounts.get(account);
        let is_since_arrival = own.is_some_and(|own| refunding.is_since_arrival(own));
        if !is_since_arrival && books.has_forgotten(id) {
            let why = Unrefundable::Forgotten;
            return Err(Rejection::NotRefundable { why });
        }
        refunding.items = refunding.left(&features, asked.amount)?;
        Ok(refunding)
    }

    /// The same refund, of the part that is booked in another home.
    pub(super) fn of_part(&self, home: &Home) -> Result<Self, Rejection> {
        let part = self.referred.operation.answer.elsewhere();
        let part = part.and_then(|part| home.referred.get(&part.operation));
        let part = part.ok_or(Rejection::UnknownOperation)?;
        Ok(Self {
            draws: draws(&part.operation.entries),
            referred: part.clone(),
            ..self.clone()
        })
    }

    /// Whether the operation was booked after the account came to the home that it lies in.
    pub(super) fn is_since_arrival(&self, account: &Account) -> bool {
        is_since_arrival(account, self.referred.operation.sequence)
    }

    /// Whether the operation drew at a scope.
    pub(super) fn drew_at(&self, scope: Scope) -> bool {
        self.draws.iter().any(|(_, draw)| draw.scope == scope)
    }

    /// What the operation drew at a scope for a feature.
    pub(super) fn drawn_at(&self, scope: Scope, feature: &FeatureCode) -> Vec<Draw> {
        of_scope(&self.draws, feature, scope)
    }

    /// Whether the operation bought room of a feature at a scope (X4).
    pub(super) fn bought_room(&self, scope: Scope, feature: &FeatureCode) -> bool {
        let mut entries = self.referred.operation.entries.iter();
        entries.any(|entry| {
            let is_of = entry.scope == scope && entry.feature.as_ref() == Some(feature);
            is_of && entry.is_purchase()
        })
    }

    /// The units of an item that are refunded now, by their number in the account's occupancy at a scope: the first, and how
    /// many; the last of those that earlier refunds left. None for what has no numbers.
    pub(super) fn units_of(
        &self,
        desk: &Desk<'_>,
        scope: Scope,
        item: &Item,
    ) -> Option<(u64, u64)> {
        // The numbers at an org begin anew with each stay.
        let user = desk.account().ok()?;
        if scope == Scope::Org && !self.is_since_arrival(user) {
            return None;
        }
        let entries = self.referred.operation.entries.iter();
        let of_item = entries
            .filter(|entry| entry.scope == scope && entry.feature.as_ref() == Some(&item.feature));
        let first = of_item.filter_map(|entry| entry.first_unit).min()?;
        let drawn = self.drawn_at(scope, &item.feature);
        let numbered = |draws: &[Draw]| {
            let has_numbers = |draw: &&Draw| self.is_numbered(&item.feature, draw);
            let counted: Vec<Draw> = draws.iter().filter(has_numbers).cloned().collect();
            let plain = counted.iter().filter(|draw| is_occupied(draw.source));
            let plain = plain.fold(0_u64, |sum, draw| sum.saturating_add(draw.amount));
            plain.saturating_add(paid_by(&counted, scope))
        };
        let (left, back) = self.split(item, &drawn);
        let units = numbered(&back);
        let end = first.saturating_add(numbered(&left));
        Some((end.saturating_sub(units), units))
    }

    /// Whether the units that a draw paid for have numbers: those of one operation may in part be of a window that is over, which occupies
    /// nothing.
    pub(super) fn is_numbered(&self, feature: &FeatureCode, draw: &Draw) -> bool {
        let is_paid = matches!(draw.source, Source::Credits | Source::Trial);
        let mut entries = self.referred.operation.entries.iter();
        entries.any(|entry| {
            let is_of_draw = if is_paid {
                entry.is_purchase()
            } else {
                entry.bucket == draw.bucket && entry.source == draw.source && !entry.is_purchase()
            };
            let is_of_feature = entry.feature.as_ref() == Some(feature);
            is_of_draw && is_of_feature && entry.scope == draw.scope && entry.first_unit.is_some()
        })
    }

    /// What earlier refunds left of these draws, and which of it goes back now: what was drawn last.
    pub(super) fn split(&self, item: &Item, drawn: &[Draw]) -> (Vec<Draw>, Vec<Draw>) {
        let still = units(drawn).saturating_sub(self.before(&item.feature));
        // Earlier refunds took the last draws; what is left of them is what the first ones cover.
        let left = settle(drawn, still).spent;
        let back = settle(&left, still.saturating_sub(item.amount.get())).given_back;
        (left, back)
    }

    /// What was refunded of a feature before.
    pub(super) fn before(&self, feature: &FeatureCode) -> u64 {
        self.before.get(feature).copied().unwrap_or(0)
    }

    /// What is to be refunded of each feature: what was asked for, or all that is left.
    fn left(
        &self,
        features: &[FeatureCode],
        amount: Option<Amount>,
    ) -> Result<Vec<Item>, Rejection> {
        let mut items = Vec::with_capacity(features.len());
        for feature in features {
            let total = units(&of_scope(&self.draws, feature, Scope::User));
            let left = total.saturating_sub(self.before(feature));
            let wanted = amount.map_or(left, Amount::get);
            if wanted > left {
                return Err(match left {
                    0 => Rejection::AlreadyRefunded,
                    refundable => Rejection::RefundTooLarge { refundable },
                });
            }
            if let Ok(amount) = Amount::new(wanted) {
                let feature = feature.clone();
                items.push(Item { feature, amount });
            }
        }
        if items.is_empty() {
            return Err(Rejection::AlreadyRefunded);
        }
        Ok(items)
    }
}

/// Whether what has this place in the history of a home was booked after the account came to it, or was always there.
pub(super) fn is_since_arrival(account: &Account, sequence: u64) -> bool {
    let moved = account.terms.former_homes.last();
    moved.is_none_or(|moved| moved.arrived < sequence)
}

/// Whether what an operation drew from a balance was set to 0 since. Where the account moved after it, sequences say nothing
/// of that: times do.
pub(super) fn was_reset(account: &Account, balance: &Balance, refunding: &Refunding) -> bool {
    let operation = &refunding.referred.operation;
    let has_moved = !account.terms.former_homes.is_empty();
    if has_moved && (refunding.is_elsewhere || !refunding.is_since_arrival(account)) {
        return balance.reset_at.is_some_and(|at| operation.at <= at);
    }
    operation.sequence < balance.reset_sequence
}

/// How much a balance may be lowered by at most: a capacity of the org by what it was charged for this member (O8), and for
/// an earlier stay by nothing, since the move gave it back. What has left the catalog may have been one.
pub(super) fn most_of(
    desk: &Desk<'_>,
    (draw, feature): (&Draw, &FeatureCode),
    (balance, refunding): (&Balance, &Refunding),
) -> u64 {
    let features = &desk.context.catalog.features;
    let may_be_occupied = match features.get(feature).map(|feature| feature.kind) {
        Some(Kind::Capacity) | None => true,
        Some(Kind::Consumable | Kind::Flag | Kind::Setting) => false,
    };
    let is_shared = draw.scope == Scope::Org
        && !matches!(
            draw.source,
            Source::Credits | Source::Boost | Source::OnDemand
        )
        && may_be_occupied
        && desk.request.account != desk.home.id;
    if !is_shared {
        return u64::MAX;
    }
    let is_of_earlier_stay = desk
        .account()
        .is_ok_and(|member| !refunding.is_since_arrival(member));
    if is_of_earlier_stay {
        0
    } else {
        share_of(desk, balance)
    }
}

/// Whether what this paid of a capacity is occupied in a balance of its own; what credits and the trial paid is in the room
/// that they bought.
pub(super) fn is_occupied(source: Source) -> bool {
    match source {
        Source::Allowance | Source::Room | Source::Unlimited | Source::Overage => true,
        Source::Boost | Source::Credits | Source::Trial | Source::OnDemand => false,
    }
}

/// Which features of the operation are refunded.
fn features(draws: &FeatureDraws, asked: &Refund) -> Result<Vec<FeatureCode>, Rejection> {
    let of_operation: BTreeSet<FeatureCode> =
        draws.iter().map(|(feature, _)| feature.clone()).collect();
    match &asked.feature {
        Some(one) if of_operation.contains(one) => Ok(vec![one.clone()]),
        Some(other) => Err(Rejection::NotInOperation {
            feature: other.clone(),
            used: of_operation.into_iter().collect(),
        }),
        None if asked.amount.is_some() && of_operation.len() > 1 => Err(Rejection::FeatureRequired),
        None => Ok(of_operation.into_iter().collect()),
    }
}

/// The operation with all its refunds, those of this batch included.
fn referred(home: &Home, id: Uuid) -> Option<Referred> {
    let new = home.changes.operations.iter().find(|new| new.id == id);
    let mut referred = home.referred.get(&id).cloned().or_else(|| {
        Some(Referred {
            operation: new?.as_ref().clone(),
            refunds: Vec::new(),
            closed: Vec::new(),
        })
    })?;
    let of_it = |new: &&Operation| new.kind == OperationKind::Refund && new.refers_to == Some(id);
    let new = home.changes.operations.iter().map(AsRef::as_ref);
    let refunds = new.filter(of_it).cloned();
    referred.refunds.extend(refunds);
    Some(referred)
}

fn of_scope(draws: &FeatureDraws, feature: &FeatureCode, scope: Scope) -> Vec<Draw> {
    let fits = |(of, draw): &&(FeatureCode, Draw)| of == feature && draw.scope == scope;
    draws
        .iter()
        .filter(fits)
        .map(|(_, draw)| draw.clone())
        .collect()
}

/// What was refunded of an operation, where it was booked and since its account moved.
fn refunded(
    referred: &Referred,
    since: Option<&BTreeMap<FeatureCode, u64>>,
) -> BTreeMap<FeatureCode, u64> {
    let mut sums = since.cloned().unwrap_or_default();
    for refund in &referred.refunds {
        let Answer::Refunded { items, .. } = &refund.answer else {
            continue;
        };
        for item in items {
            let sum = sums.entry(item.feature.clone()).or_insert(0);
            *sum = sum.saturating_add(item.amount.get());
        }
    }
    sums
}
