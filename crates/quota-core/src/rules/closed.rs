//! Closed balances as they are now: one that was closed in this batch is newer than what was loaded, and of the records that
//! several homes have of one balance the last counts.

use std::collections::BTreeMap;

use super::desk::Desk;
use crate::balance::{Balance, Bucket};
use crate::home::{ClosedBalance, Home};
use crate::ids::AccountId;

/// A home, and what was loaded of its closed balances with the operation that is refunded.
pub(super) type Known<'a> = (&'a Home, &'a [ClosedBalance]);

/// A balance that was closed: in this batch, or before it was loaded.
pub(super) fn closed_balance<'a>(
    (home, closed): Known<'a>,
    id: &AccountId,
    bucket: &Bucket,
) -> Option<&'a ClosedBalance> {
    let is_it = |known: &&ClosedBalance| known.account == *id && known.balance.bucket == *bucket;
    let new = home.changes.closed.iter().rev().find(is_it);
    let stored = home.closed.iter().chain(closed).filter(is_it);
    new.or_else(|| stored.min_by_key(|known| known.rank()))
}

/// The closed balances of the account that asks.
pub(super) fn closed_of<'d>(desk: &'d Desk<'_>) -> impl Iterator<Item = &'d Balance> {
    closed_in(desk.home, &desk.request.account)
}

/// The same, of any account of a home.
pub(super) fn closed_in<'h>(
    home: &'h Home,
    account: &AccountId,
) -> impl Iterator<Item = &'h Balance> {
    let mut last: BTreeMap<&Bucket, &ClosedBalance> = BTreeMap::new();
    let is_own = |known: &&ClosedBalance| known.account == *account;
    for stored in home.closed.iter().filter(is_own) {
        let known = last.entry(&stored.balance.bucket).or_insert(stored);
        if stored.rank() < known.rank() {
            *known = stored;
        }
    }
    let new = home.changes.closed.iter().filter(is_own);
    last.extend(new.map(|new| (&new.balance.bucket, new)));
    last.into_values().map(|known| &known.balance)
}
