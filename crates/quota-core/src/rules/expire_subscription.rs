//! The end of a subscription, carried out in the books (S9).

use super::closing::{close, is_over};
use super::desk::Desk;
use super::outcome::Outcome;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::change::Change;
use crate::event::EventKind;
use crate::terms::Subscription;

/// Records that the subscription ended, moves the windows that ended with it from the live balances to the closed ones, and
/// announces it. A window leaves with what was used in it, so no entry is booked; no decision depends on any of it, since
/// an ended window counts no more from its end on.
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
        .of_its_own(context.catalog, context.now)
        .into_owned();
    subscription.end_recorded_at = Some(context.now);
    let plan = subscription.plan.clone();
    close_consumables(desk)?;
    let booking = desk.change_booking(Change::SubscriptionExpired, Some(plan.to_string()));
    desk.mark_terms();
    let outcome = desk.book(booking);
    desk.announce(&outcome.operation, EventKind::SubscriptionExpired { plan });
    Ok(outcome)
}

/// Closes consumable windows that are over. What a late renewal would bring back stays: what it carries, and a window of
/// the calendar.
fn close_consumables(desk: &mut Desk<'_>) -> Result<(), Rejection> {
    let context = desk.context;
    let account = desk.account()?;
    let is_ended = |balance: &&Balance| {
        let is_consumable =
            matches!(&balance.bucket, Bucket::Window(code, _) if context.is_consumable(code));
        is_consumable && is_over(account, balance, &context)
    };
    let ended = account.books.balances.iter().filter(is_ended);
    let ended: Vec<Bucket> = ended.map(|balance| balance.bucket.clone()).collect();
    for bucket in ended {
        close(desk.home, &desk.request.account, &bucket);
    }
    Ok(())
}
