//! Closing of balances: when one is over, and how it leaves the live ones.

use chrono::TimeDelta;

use super::closed::closed_of;
use super::context::Context;
use super::counting::{CLOCKS_DIFFER_MAX, is_window_of};
use super::desk::Desk;
use super::held_plans::{addons_at, first_named};
use crate::balance::{Balance, Bucket};
use crate::catalog::{Feature, Per, PlanValue};
use crate::cover::is_needed;
use crate::emptied::Emptied;
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

/// Why nothing is left of a grant or a boost that was closed: in this batch, or before the home was loaded.
pub(super) fn why_empty(desk: &Desk<'_>, is_one: impl Fn(&Bucket) -> bool) -> Emptied {
    let known = closed_of(desk).find(|known| is_one(&known.bucket));
    known.map_or(Emptied::Earlier, |known| {
        Emptied::of(known, desk.context.now)
    })
}

/// Whether a balance ended and nothing can come back to it. One that was moved stays as long as a hold may last
/// that was made in it, and while anything is held where it was moved to; one that others were moved to stays
/// as long as they do. What counts now is not over, whatever its end was said to be when it was opened.
pub(crate) fn is_over(account: &Account, balance: &Balance, context: &Context<'_>) -> bool {
    let kept = if balance.moved_to.is_some() {
        TimeDelta::seconds(i64::from(TTL_SECONDS_MAX))
    } else if balance.bucket.is_given() {
        TimeDelta::zero()
    } else {
        // By a clock that is a little behind it counts still, and would be begun anew.
        CLOCKS_DIFFER_MAX
    };
    let ended = balance
        .ends_at
        .and_then(|ends_at| ends_at.checked_add_signed(kept));
    if balance.held != 0 || ended.is_none_or(|ended| context.now < ended) {
        return false;
    }
    if is_needed(&account.books.balances, balance)
        || counts_now(account, balance, context)
        || rolls_over(account, balance, context)
    {
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
    let (Bucket::Window(code, _)
    | Bucket::Further(code, ..)
    | Bucket::Tracked(code, _)
    | Bucket::OnDemand(code, _)) = &balance.bucket
    else {
        return false;
    };
    let Some(feature) = context.catalog.features.get(code) else {
        return false;
    };
    let own = context.allowance(account, feature);
    let is_own = own.bucket == balance.bucket;
    let is_sold = own.selling.as_ref();
    is_own
        || is_sold.is_some_and(|sold| sold.bucket == balance.bucket)
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
    let is_followed = account.books.balances.iter().any(|later| {
        let is_same = is_window_of(&later.bucket, &balance.bucket) && later.moved_to.is_none();
        is_same && balance.starts_at < later.starts_at
    });
    balance.moved_to.is_none()
        && !is_followed
        && has_rollover(account, context, (feature, &balance.bucket))
}

/// Whether the plan of the account, in force or not, or an add-on in its place, lets something go over from windows of this
/// limit: a late renewal brings it back (S9).
pub(super) fn has_rollover(
    account: &Account,
    context: &Context<'_>,
    (feature, bucket): (&Feature, &Bucket),
) -> bool {
    let Some(held) = &account.terms.subscription else {
        return false;
    };
    let held = held.current(context.catalog, context.now);
    let plan = context.catalog.held_plan(&held.plan, held.plan_version);
    let value = plan.and_then(|plan| plan.limits.get(&feature.code));
    let addons = addons_at(&account.terms, context.catalog, context.now);
    let by_itself = || first_named(&addons, feature).map(|(held, _)| held.value);
    let value = value.or_else(by_itself);
    let per = match bucket {
        Bucket::Further(_, per, _) => *per,
        Bucket::Window(..)
        | Bucket::Tracked(..)
        | Bucket::Standing(_)
        | Bucket::Trial(_)
        | Bucket::Boost(..)
        | Bucket::Room(_)
        | Bucket::Member(..)
        | Bucket::OnDemand(..)
        | Bucket::Grant(_)
        | Bucket::Token(_)
        | Bucket::TokenWindow(..) => Per::of(feature),
    };
    match value {
        Some(PlanValue::Limits(limits)) => limits
            .iter()
            .any(|limit| limit.per(feature) == per && limit.rollover.is_some()),
        Some(PlanValue::Limit(_) | PlanValue::Flag(_) | PlanValue::Text(_)) | None => false,
    }
}
