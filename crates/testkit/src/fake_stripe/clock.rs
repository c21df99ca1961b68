//! The fake's own clock.

use super::payments::{self, Taken};
use super::store::{Due, Store, text};
use super::{billing, checkout, invoices, schedules};

/// Moves the clock; what is due on the way happens at its own instant, in order.
pub(super) fn advance(store: &mut Store, to: i64) {
    while let Some(due) = store.next_due(to) {
        carry_out(store, due);
    }
    store.now = store.now.max(to);
}

/// What is due happens.
fn carry_out(store: &mut Store, due: Due) {
    match due {
        Due::PeriodEnd(id) => billing::period_ends(store, &id),
        Due::Cancel(id) => {
            let at = store.get(&id)["cancel_at"].as_i64();
            if at.is_some_and(|at| at <= store.now) {
                billing::end(store, &id);
            }
        }
        Due::Finalize(invoice) => {
            invoices::finalize(store, &invoice);
            pay_from_card(store, &invoice);
        }
        Due::Retry(invoice) => {
            pay_from_card(store, &invoice);
        }
        Due::Expire(session) => checkout::expire(store, &session),
        Due::RefundFails(refund) => {
            payments::refund_becomes(store, &refund, "failed");
        }
        Due::Phase(schedule) => schedules::phase_is_due(store, &schedule),
    }
}

/// An open invoice is paid with the card of its customer.
pub(super) fn pay_from_card(store: &mut Store, invoice: &str) -> Option<Taken> {
    if text(store.get(invoice), "status") != "open" {
        return None;
    }
    let customer = text(store.get(invoice), "customer").to_owned();
    let card = billing::customer_card(store, &customer);
    let taken = invoices::pay(store, invoice, card);
    billing::after_payment(store, invoice, taken);
    Some(taken)
}
