//! Closed balances that are opened again, since they count once more after a start in the past, a late renewal or a change of the
//! zone: what was used in them is given no second time (W4, S9, C11).

use super::closed::{closed_balance, closed_of};
use super::closing::has_rollover;
use super::counting::is_window_of;
use super::desk::Desk;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::catalog::Feature;
use crate::home::{ClosedBalance, MOVES_MAX};

/// Reopens what was closed of what counts under the account's terms, as far as it was read; and the window before it,
/// where something of that may come over (C10). Into one that is open something does where `rolls_anew` says so.
pub(super) fn reopen_what_counts(desk: &mut Desk<'_>, rolls_anew: bool) -> Result<(), Rejection> {
    // Nearly always nothing was closed: the allowances need not be looked at.
    if closed_of(desk).next().is_none() {
        return Ok(());
    }
    let context = desk.context;
    for feature in context.catalog.features.values() {
        let own = context.allowance(desk.account()?, feature);
        let further = own.further.into_iter().map(|limit| limit.bucket);
        for window in std::iter::once(own.bucket).chain(further) {
            reopen(desk, &window)?;
            let knows = desk.account()?.books.balance(&window).is_some();
            if knows && !rolls_anew {
                continue;
            }
            if let Some(before) = window_before(desk, feature, &window) {
                reopen(desk, &before)?;
            }
        }
        if let Some(sold) = own.selling {
            reopen(desk, &sold.bucket)?;
        }
    }
    Ok(())
}

/// Reopens a balance if it was closed, and what it was moved to. Nothing of what it counts stays among the closed ones.
pub(super) fn reopen(desk: &mut Desk<'_>, bucket: &Bucket) -> Result<(), Rejection> {
    let id = desk.request.account.clone();
    let mut next = Some(bucket.clone());
    for _ in 0..MOVES_MAX {
        let Some(bucket) = next.take() else {
            break;
        };
        if let Some(live) = desk.account()?.books.balance(&bucket) {
            next.clone_from(&live.moved_to);
            continue;
        }
        let Some(known) = closed_balance((&*desk.home, &[]), &id, &bucket) else {
            break;
        };
        let (live, balance) = (known.balance.reopened(), known.balance.remnant());
        next.clone_from(&live.moved_to);
        desk.account_mut()?.books.balances.push(live);
        let account = id.clone();
        desk.home
            .changes
            .closed
            .push(ClosedBalance { account, balance });
    }
    Ok(())
}

/// The window before one, of a limit that lets something go over.
fn window_before(desk: &Desk<'_>, feature: &Feature, window: &Bucket) -> Option<Bucket> {
    let account = desk.account().ok()?;
    if !has_rollover(account, &desk.context, (feature, window)) {
        return None;
    }
    let is_earlier = |balance: &&Balance| {
        let is_same = is_window_of(&balance.bucket, window) && balance.moved_to.is_none();
        is_same && balance.bucket.starts_at_micros() < window.starts_at_micros()
    };
    let all = account.books.balances.iter().chain(closed_of(desk));
    let earlier = all.filter(is_earlier);
    let last = earlier.max_by_key(|balance| balance.starts_at);
    last.map(|balance| balance.bucket.clone())
}
