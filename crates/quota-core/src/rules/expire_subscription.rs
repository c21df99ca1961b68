//! The end of a subscription, carried out in the books (S9).

use super::closing::{close, is_over};
use super::desk::Desk;
use super::moves::zero;
use super::outcome::Outcome;
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::change::Change;
use crate::event::EventKind;
use crate::operation::Entry;
use crate::terms::Subscription;

/// Records that the subscription ended: consumable counters go to 0, and it is announced.
pub(crate) fn expire_subscription(desk: &mut Desk<'_>) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let account = desk.account_mut()?;
    let is_due = |held: &&mut Subscription| {
        let end = held.unrecorded_end();
        end.is_some_and(|end| end <= context.now)
    };
    let Some(subscription) = account.terms.subscription.as_mut().filter(is_due) else {
        return Ok(desk.unchanged());
    };
    // What ended is what followed last.
    *subscription = subscription
        .current(context.catalog, context.now)
        .into_owned();
    subscription.end_recorded_at = Some(context.now);
    let plan = subscription.plan.clone();
    let entries = zero_consumables(desk)?;
    let mut booking = desk.change(Change::SubscriptionExpired, Some(plan.to_string()));
    booking.entries = entries;
    desk.mark_terms();
    let outcome = desk.book(booking);
    desk.announce(&outcome.operation, EventKind::SubscriptionExpired { plan });
    Ok(outcome)
}

/// Closes consumable windows that are over, and sets to 0 what still counts.
fn zero_consumables(desk: &mut Desk<'_>) -> Result<Vec<Entry>, Rejection> {
    let context = desk.context;
    let account = desk.account()?;
    let (mut ended, mut counted) = (Vec::new(), Vec::new());
    for balance in &account.books.balances {
        let (Bucket::Window(code, _) | Bucket::Standing(code)) = &balance.bucket else {
            continue;
        };
        if !context.is_consumable(code) {
            continue;
        }
        if is_over(account, balance, &context) {
            ended.push(balance.bucket.clone());
        } else if balance.used != 0 {
            counted.push((balance.bucket.clone(), code.clone()));
        }
    }
    for bucket in ended {
        close(desk.home, &desk.request.account, &bucket);
    }
    zero(desk, counted)
}
