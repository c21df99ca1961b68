//! Numbering: a capacity's units are numbered as they are drawn, so that a refund gives back none that was released (X3, X4).

use std::collections::BTreeMap;

use super::capacity::{lower_refunded, occupied, occupied_of};
use super::desk::Desk;
use super::funding::bought_room;
use super::posting::scope_account;
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::draw::Scope;
use crate::home::Books;
use crate::ids::FeatureCode;
use crate::occupancy::Occupancy;
use crate::operation::Entry;

/// Numbers what the account that asks has drawn of a capacity with these entries, its own units and those that its org was
/// charged. What was told late of a window that is over occupies nothing and has no number; nor has what a boost paid, or what
/// was sold on demand: no release lowers it.
pub(super) fn number(
    desk: &mut Desk<'_>,
    code: &FeatureCode,
    entries: &mut [Entry],
) -> Result<(), Rejection> {
    for scope in [Scope::User, Scope::Org] {
        let of_scope = |entry: &&mut Entry| {
            let is_of_feature = entry.feature.as_ref() == Some(code);
            entry.scope == scope && is_of_feature && drawn_by(entry) != 0
        };
        let drawn: Vec<&mut Entry> = entries.iter_mut().filter(of_scope).collect();
        if !drawn.is_empty() {
            number_at(desk, (scope, code), drawn)?;
        }
    }
    Ok(())
}

fn number_at(
    desk: &mut Desk<'_>,
    (scope, code): (Scope, &FeatureCode),
    drawn: Vec<&mut Entry>,
) -> Result<(), Rejection> {
    let Some(counted) = counted(desk, scope, code)? else {
        return Ok(());
    };
    let is_counted = |entry: &&mut Entry| counted.buckets.contains(&entry.bucket);
    let drawn: Vec<&mut Entry> = drawn.into_iter().filter(is_counted).collect();
    let new = drawn.iter().map(|entry| drawn_by(entry));
    let before = counted
        .units
        .saturating_sub(new.fold(0, u64::saturating_add));
    let occupancy = known(&mut desk.account_mut()?.books, scope);
    let occupancy = occupancy.entry(code.clone()).or_default();
    occupancy.keep(before);
    for entry in drawn {
        entry.first_unit = Some(occupancy.draw(drawn_by(entry)));
    }
    Ok(())
}

fn drawn_by(entry: &Entry) -> u64 {
    u64::try_from(entry.used.saturating_add(entry.overage)).unwrap_or(0)
}

/// What a refund gives back of a capacity at one scope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refundable {
    scope: Scope,
    /// How many units may still be given back; of what has no numbers, all.
    pub(super) left: u64,
    /// The numbers that the refunded units have: the first, and how many.
    units: Option<(u64, u64)>,
}

impl Refundable {
    /// What may be given back now of these units of a feature.
    pub(super) fn of(
        desk: &mut Desk<'_>,
        (scope, code): (Scope, &FeatureCode),
        units: Option<(u64, u64)>,
    ) -> Result<Self, Rejection> {
        let mut refundable = Self {
            scope,
            left: u64::MAX,
            units: None,
        };
        let Some((first, units)) = units else {
            return Ok(refundable);
        };
        let Some(counted) = counted(desk, scope, code)? else {
            return Ok(refundable);
        };
        let known = known(&mut desk.account_mut()?.books, scope);
        if let Some(occupancy) = known.get_mut(code) {
            // What was released, reset or left behind since is noted only now.
            occupancy.keep(counted.units);
            refundable.left = occupancy.left_of(first, units);
            refundable.units = Some((first, units));
        }
        Ok(refundable)
    }

    /// Whether the refunded units have numbers.
    pub(super) fn is_numbered(&self) -> bool {
        self.units.is_some()
    }

    /// Gives back what is left where its balance counts less by now, as a release would; and notes what was refunded.
    pub(super) fn end(
        &self,
        desk: &mut Desk<'_>,
        code: &FeatureCode,
    ) -> Result<Vec<Entry>, Rejection> {
        let Some((first, units)) = self.units else {
            return Ok(Vec::new());
        };
        let feature = desk.context.feature(code)?;
        let rest = lower_refunded(desk, self.scope, feature, self.left)?;
        let known = known(&mut desk.account_mut()?.books, self.scope);
        if let Some(occupancy) = known.get_mut(code) {
            occupancy.refund(first, units);
        }
        let user = desk.request.account.clone();
        desk.home.changes.accounts.insert(user);
        Ok(rest)
    }
}

/// The numbers of what the account occupies itself, or of what its org is charged for it.
fn known(books: &mut Books, scope: Scope) -> &mut BTreeMap<FeatureCode, Occupancy> {
    match scope {
        Scope::Token | Scope::User => &mut books.occupancy,
        Scope::Org => &mut books.org_occupancy,
    }
}

/// Where a capacity is counted, and how much of it for the account that asks.
struct Counted {
    buckets: Vec<Bucket>,
    units: u64,
}

/// None for what is no capacity, and where the account lives elsewhere.
fn counted(
    desk: &Desk<'_>,
    scope: Scope,
    code: &FeatureCode,
) -> Result<Option<Counted>, Rejection> {
    let (Some(feature), Ok(_)) = (desk.context.capacity(code), desk.account()) else {
        return Ok(None);
    };
    let id = scope_account(desk.home, &desk.request.account, scope);
    let Some(account) = desk.home.accounts.get(id) else {
        return Ok(None);
    };
    let mut buckets = occupied(desk, id, feature)?;
    let room = bought_room(&account.books.balances, feature);
    buckets.extend(room.map(|room| room.bucket.clone()));
    let balances = buckets
        .iter()
        .filter_map(|bucket| account.books.balance(bucket));
    let units = balances.map(|balance| occupied_of(desk, scope, balance));
    let units = units.fold(0, u64::saturating_add);
    Ok(Some(Counted { buckets, units }))
}
