//! The end of a subscription, carried out in the books (S9).

use std::borrow::Cow;

use super::closing::{close, is_over};
use super::desk::Desk;
use super::outcome::Outcome;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::change::Change;
use crate::event::EventKind;

/// Records that the subscription ended, moves the windows that ended with it from the live balances to the closed ones, and
/// announces it. A window leaves with what was used in it, so no entry is booked; no decision depends on any of it, since
/// an ended window counts no more from its end on.
pub(crate) fn expire_subscription(desk: &mut Desk<'_>) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let account = desk.account_mut()?;
    let due = account.terms.subscription.as_mut().and_then(|held| {
        let end = held.unrecorded_end()?;
        (end <= context.now).then_some((held, end))
    });
    let Some((subscription, end)) = due else {
        return Ok(desk.unchanged());
    };
    // What ended is what followed last. What it followed stays: it tells what was when, for use that is told late (X5).
    let ended = subscription.of_its_own(context.catalog, context.now);
    let plan = ended.plan.clone();
    if let Cow::Owned(begun) = ended {
        *subscription = begun;
    }
    subscription.note_end(end, context.now);
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
