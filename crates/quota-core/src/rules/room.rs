//! Room of a capacity: what credits or the trial paid for is occupied, and when it is given back it is free room, not credits
//! (X4). It stays bought: no window counts it, and no renewal, plan or end of a subscription takes it away.

use super::capacity::{count_in_room, occupied_of};
use super::desk::Desk;
use super::numbering::Refundable;
use super::opening::opened;
use super::posting::{negated, scope_account, signed};
use super::refunding::{Refunding, most_of, was_reset};
use super::settle::paid_by;
use super::share::count_share;
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::draw::{Draw, Scope, Source};
use crate::ids::FeatureCode;
use crate::operation::Entry;

/// A change of the room that an account has of a feature, at a scope.
struct Purchase<'a> {
    scope: Scope,
    feature: &'a FeatureCode,
    granted: i64,
    used: i64,
}

/// Of a capacity, what credits and the trial paid of these draws: room that is bought, and occupied.
///
/// An org is paid for by whoever asks; one that left it meanwhile occupies nothing there any more (O8).
pub(super) fn buy_room(
    desk: &mut Desk<'_>,
    feature: &FeatureCode,
    draws: &[Draw],
) -> Result<Vec<Entry>, Rejection> {
    let mut entries = Vec::new();
    let is_paid = |draw: &Draw| matches!(draw.source, Source::Credits | Source::Trial);
    // Most requests are paid by the allowance alone, and ask the catalog for nothing here.
    if !draws.iter().any(is_paid) || desk.context.capacity(feature).is_none() {
        return Ok(entries);
    }
    for scope in [Scope::User, Scope::Org] {
        let units = signed(paid_by(draws, scope));
        if units == 0 {
            continue;
        }
        let is_here = desk.home.accounts.contains_key(&desk.request.account);
        let used = if is_here { units } else { 0 };
        let purchase = Purchase {
            scope,
            feature,
            granted: units,
            used,
        };
        entries.push(book(desk, &purchase)?);
    }
    Ok(entries)
}

/// What paid for room was given back: the room is not bought any more, and what of it is still occupied is counted no more,
/// at the org at most what it was charged for the user, and no more than is `left` of what was drawn. Where the room is free
/// by then, and a window counts what is left, that is counted in the room first.
pub(super) fn give_room_up(
    desk: &mut Desk<'_>,
    refunding: &Refunding,
    (scope, feature): (Scope, &FeatureCode),
    (back, refundable): (&[Draw], &mut Refundable),
) -> Result<Vec<Entry>, Rejection> {
    let units = paid_by(back, scope);
    if units == 0 || !refunding.bought_room(scope, feature) {
        return Ok(Vec::new());
    }
    let mut entries = fill_room(desk, (scope, feature), refundable, units)?;
    entries.extend(unbuy(desk, refunding, (scope, feature, units), refundable)?);
    Ok(entries)
}

/// Counts in the room what is refunded of it and a window counts by now.
fn fill_room(
    desk: &mut Desk<'_>,
    (scope, code): (Scope, &FeatureCode),
    refundable: &Refundable,
    units: u64,
) -> Result<Vec<Entry>, Rejection> {
    let feature = desk.context.catalog.features.get(code);
    let (Some(feature), true) = (feature, refundable.is_numbered()) else {
        return Ok(Vec::new());
    };
    let id = scope_account(desk.home, &desk.request.account, scope);
    let books = desk.home.accounts.get(id).map(|account| &account.books);
    let room = books.and_then(|books| books.balance(&Bucket::Room(code.clone())));
    let Some(room) = room else {
        return Ok(Vec::new());
    };
    let there = occupied_of(desk, scope, room).min(room.used);
    let short = units.min(refundable.left).saturating_sub(there);
    count_in_room(desk, scope, feature, short)
}

/// Ends the purchase of so many units.
fn unbuy(
    desk: &mut Desk<'_>,
    refunding: &Refunding,
    (scope, feature, units): (Scope, &FeatureCode, u64),
    refundable: &mut Refundable,
) -> Result<Option<Entry>, Rejection> {
    let left = &mut refundable.left;
    let bucket = Bucket::Room(feature.clone());
    let id = scope_account(desk.home, &desk.request.account, scope);
    let account = desk.home.accounts.get(id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    let Some(balance) = account.books.balance(&bucket) else {
        return Ok(None);
    };
    let granted = balance.granted.ceiling().unwrap_or(0).min(units);
    let draw = Draw {
        scope,
        bucket,
        further: Vec::new(),
        source: Source::Room,
        amount: units,
        unit_cost: 1,
    };
    let most = most_of(desk, (&draw, feature), (balance, refunding));
    let used = if was_reset(account, balance, refunding) {
        0
    } else {
        units.min(balance.used).min(most).min(*left)
    };
    if granted == 0 {
        return Ok(None);
    }
    *left = left.saturating_sub(used);
    let purchase = Purchase {
        scope,
        feature,
        granted: negated(granted),
        used: negated(used),
    };
    book(desk, &purchase).map(Some)
}

/// Changes what is bought and what of it is occupied. The units are counted with what paid: the lifetime total, which bounds
/// both counters, is left alone.
fn book(desk: &mut Desk<'_>, purchase: &Purchase<'_>) -> Result<Entry, Rejection> {
    let &Purchase {
        scope,
        feature,
        granted,
        used,
    } = purchase;
    let (context, bucket) = (desk.context, Bucket::Room(feature.clone()));
    let id = scope_account(desk.home, &desk.request.account, scope).clone();
    let account = desk.home.account_mut(&id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    if account.books.balance(&bucket).is_none() {
        let opened = opened(account, &context, &bucket);
        account.books.balances.push(opened);
    }
    let balance = account.books.balance_mut(&bucket);
    let balance = balance.ok_or(Rejection::UnknownAccount)?;
    let worth = balance.granted.ceiling().unwrap_or(0);
    balance.granted = Limit::Of(worth.saturating_add_signed(granted));
    balance.used = balance.used.saturating_add_signed(used);
    desk.home.changes.accounts.insert(id.clone());
    if scope == Scope::Org && used != 0 {
        count_share(desk, (&id, &bucket), feature, used);
    }
    Ok(Entry {
        scope,
        account: id,
        bucket,
        feature: Some(feature.clone()),
        source: Source::Room,
        used,
        held: 0,
        overage: 0,
        granted,
        unit_cost: 1,
        used_at: None,
        first_unit: None,
    })
}
