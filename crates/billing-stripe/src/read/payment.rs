//! Whether money came.

use crate::shapes::{CheckoutPaymentStatus, CheckoutSession, CheckoutStatus};

/// Whether what was bought in a session is to be had: it is complete, and paid or free. Completed alone is not paid.
pub fn is_settled(session: &CheckoutSession) -> bool {
    let is_complete = session.status.as_ref();
    let is_complete = is_complete.is_some_and(|status| status.is(CheckoutStatus::Complete));
    let is_paid = session.payment_status.as_ref().is_some_and(|status| {
        status.is(CheckoutPaymentStatus::Paid)
            || status.is(CheckoutPaymentStatus::NoPaymentRequired)
    });
    is_complete && is_paid
}
