//! Closing of balances: when one is over, and how it leaves the live ones.

use chrono::TimeDelta;

use super::context::Context;
use super::counting::is_window_of;
use crate::balance::{Balance, Bucket};
use crate::home::{Account, ClosedBalance, Home};
use crate::ids::AccountId;
use crate::reservation::TTL_SECONDS_MAX;

/// Takes a balance out of the live ones and keeps it for the books.
pub(crate) fn close(home: &mut Home, id: &AccountId, bucket: &Bucket) {
    let Some(account) = home.account_mut(id) else {
        return;
    };
    let found = account
        .books
        .balances
        .iter()
        .position(|balance| balance.bucket == *bucket);
    let Some(at) = found else {
        return;
    };
    let balance = account.books.balances.swap_remove(at);
    debug_assert_eq!(balance.held, 0, "what is held is not closed");
    account.books.note_closed(&balance.bucket);
    home.changes.accounts.insert(id.clone());
    home.changes.closed.push(ClosedBalance {
        account: id.clone(),
        balance,
    });
}

/// Whether a balance ended and nothing can come back to it. One that was moved stays as long as a hold may last
/// that was made in it, and while anything is held where it was moved to; one that others were moved to stays
/// as long as they do. What counts now is not over, whatever its end was said to be when it was opened.
pub(crate) fn is_over(account: &Account, balance: &Balance, context: &Context<'_>) -> bool {
    let kept = if balance.moved_to.is_some() {
        TimeDelta::seconds(i64::from(TTL_SECONDS_MAX))
    } else {
        TimeDelta::zero()
    };
    let ended = balance
        .ends_at
        .and_then(|ends_at| ends_at.checked_add_signed(kept));
    if balance.held != 0 || ended.is_none_or(|ended| context.now < ended) {
        return false;
    }
    if counts_now(account, balance, context) || rolls_over(account, balance, context) {
        return false;
    }
    let target = account.books.resolved(&balance.bucket);
    let holds = account
        .books
        .balance(&target)
        .is_some_and(|target| target.held != 0);
    let is_target = account
        .books
        .balances
        .iter()
        .any(|other| other.moved_to.as_ref() == Some(&balance.bucket));
    !holds && !is_target
}

fn counts_now(account: &Account, balance: &Balance, context: &Context<'_>) -> bool {
    let (Bucket::Window(code, _) | Bucket::Further(code, ..) | Bucket::Tracked(code, _)) =
        &balance.bucket
    else {
        return false;
    };
    let Some(feature) = context.catalog.features.get(code) else {
        return false;
    };
    let own = context.allowance(account, feature);
    let is_own = own.bucket == balance.bucket;
    is_own
        || own
            .further
            .iter()
            .any(|limit| limit.bucket == balance.bucket)
}

/// Whether the window that follows is still to learn from this one what comes over into it (C10).
fn rolls_over(account: &Account, balance: &Balance, context: &Context<'_>) -> bool {
    let (Bucket::Window(code, _) | Bucket::Further(code, ..)) = &balance.bucket else {
        return false;
    };
    let Some(feature) = context.catalog.features.get(code) else {
        return false;
    };
    let own = context.allowance(account, feature);
    let further = own.further.iter();
    let further = further.map(|limit| (&limit.bucket, limit.window, limit.rollover_max));
    let mut limits = further.chain(std::iter::once((&own.bucket, own.window, own.rollover_max)));
    limits.any(|(bucket, window, max)| {
        let follows = is_window_of(bucket, &balance.bucket)
            && balance.ends_at == Some(window.starts_at)
            && balance.moved_to.is_none();
        max != 0 && follows && account.books.balance(bucket).is_none()
    })
}
