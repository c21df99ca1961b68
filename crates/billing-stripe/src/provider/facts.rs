//! What the objects of a payment say: pure functions over their shapes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::ids::{Currency, LineRef, PackCode, PaymentRef, PriceId};
use quota_core::payment::{DisputeStatus, Disputed, Paying, RefundStatus, Refunded};
use quota_core::provider::FetchedLine;

use super::fault::Fault;
use crate::read::{self, line_fact};
use crate::shapes::{
    Charge, ChargeStatus, CheckoutMode, CheckoutSession, CheckoutStatus, Dispute, IntentStatus,
    Invoice, InvoiceLine, InvoiceStatus, Open, PaymentIntent, Refund, SessionLine, Word,
};

/// The metadata of an intent by which an order of ours names its pack, where there are no lines.
pub const PACK_KEY: &str = "quota_pack";

/// Whether a session is one in which something is bought once. Those of old do not say what they are for.
pub(super) fn is_purchase(session: &CheckoutSession) -> bool {
    match &session.mode {
        Some(mode) => mode.is(CheckoutMode::Payment),
        None => session.payment_intent.is_some(),
    }
}

/// Whether a session waits for money that comes after it: it was completed and is not paid.
pub(super) fn is_waiting(session: &CheckoutSession) -> bool {
    let is_complete = session.status.as_ref();
    is_complete.is_some_and(|status| status.is(CheckoutStatus::Complete))
        && !read::is_settled(session)
}

/// Whether the money of a session came. `intent` is what pays one that waits.
pub(super) fn session_paying(session: &CheckoutSession, intent: Option<&PaymentIntent>) -> Paying {
    if read::is_settled(session) {
        return Paying::Paid;
    }
    let status = session.status.as_ref();
    if status.is_some_and(|status| status.is(CheckoutStatus::Expired)) {
        return Paying::Failed;
    }
    let status = intent.and_then(|intent| intent.status.as_ref());
    match status {
        // A debit that was sent back: nobody is there to try another card.
        Some(Open::Known(IntentStatus::Canceled | IntentStatus::RequiresPaymentMethod)) => {
            Paying::Failed
        }
        Some(
            Open::Known(
                IntentStatus::Processing
                | IntentStatus::RequiresAction
                | IntentStatus::RequiresCapture
                | IntentStatus::RequiresConfirmation
                | IntentStatus::Succeeded,
            )
            | Open::Other(_),
        )
        | None => Paying::Pending,
    }
}

/// Whether the money of an invoice came; one that is written off may be paid all the same, later.
pub(super) fn invoice_paying(invoice: &Invoice) -> Paying {
    match invoice.status {
        Some(Open::Known(status)) => match status {
            InvoiceStatus::Paid => Paying::Paid,
            InvoiceStatus::Void | InvoiceStatus::Uncollectible => Paying::Failed,
            InvoiceStatus::Draft | InvoiceStatus::Open => Paying::Pending,
        },
        Some(Open::Other(_)) | None => Paying::Pending,
    }
}

/// Whether the money of an order came.
pub(super) fn intent_paying(intent: &PaymentIntent) -> Paying {
    match intent.status {
        Some(Open::Known(IntentStatus::Succeeded)) => Paying::Paid,
        Some(Open::Known(IntentStatus::Canceled)) => Paying::Failed,
        Some(
            Open::Known(
                IntentStatus::Processing
                | IntentStatus::RequiresAction
                | IntentStatus::RequiresCapture
                | IntentStatus::RequiresConfirmation
                | IntentStatus::RequiresPaymentMethod,
            )
            | Open::Other(_),
        )
        | None => Paying::Pending,
    }
}

/// What an order came to: what came of it, or what is asked for as long as nothing did.
pub(super) fn intent_amount(intent: &PaymentIntent) -> u64 {
    match intent_paying(intent) {
        Paying::Paid => amount(intent.amount_received.or(intent.amount)),
        Paying::Pending | Paying::Failed => amount(intent.amount),
    }
}

/// The pack that an order names; none: it is no order of ours.
pub(super) fn ordered_pack(intent: &PaymentIntent) -> Option<PackCode> {
    PackCode::new(intent.metadata.get(PACK_KEY)?).ok()
}

/// A sum of money; below nothing is nothing.
pub(super) fn amount(said: Option<i64>) -> u64 {
    u64::try_from(said.unwrap_or_default()).unwrap_or_default()
}

/// The currency of an object.
pub(super) fn currency(id: &str, said: Option<&str>) -> Result<Currency, Fault> {
    let said = said.ok_or_else(|| Fault::unreadable(id, "it has no currency"))?;
    Ok(Currency::new(&said.to_ascii_lowercase())?)
}

/// When an object was made.
pub(super) fn made_at(id: &str, said: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, Fault> {
    said.ok_or_else(|| Fault::unreadable(id, "it does not say when it was made"))
}

/// The lines of a session.
pub(super) fn session_lines(lines: &[SessionLine]) -> Result<Vec<FetchedLine>, Fault> {
    let lines = lines.iter().map(|line| {
        let price = line.price.as_ref().map(|price| PriceId::new(&price.id));
        Ok(FetchedLine {
            line: LineRef::new(&line.id)?,
            price: price.transpose()?,
            quantity: line.quantity.unwrap_or(1),
            is_proration: false,
        })
    });
    lines.collect()
}

/// The lines of an invoice.
pub(super) fn invoice_lines(lines: &[InvoiceLine]) -> Result<Vec<FetchedLine>, Fault> {
    let lines = lines.iter().map(|line| {
        let fact = line_fact(line);
        Ok(FetchedLine {
            line: LineRef::new(fact.id)?,
            price: fact.price.map(PriceId::new).transpose()?,
            quantity: fact.quantity,
            is_proration: fact.is_proration,
        })
    });
    lines.collect()
}

/// Refunds by their ids, each with its status as quota-core knows it.
pub(super) fn refunded(refunds: &[Refund]) -> Result<BTreeMap<PaymentRef, Refunded>, Fault> {
    let refunds = refunds.iter().map(|refund| {
        let told = Refunded {
            amount: returned(&refund.id, refund.amount)?,
            status: RefundStatus::of_word(word(refund.status.as_ref())),
        };
        Ok((PaymentRef::new(&refund.id)?, told))
    });
    refunds.collect()
}

/// Disputes by their ids, likewise.
pub(super) fn disputed(disputes: &[Dispute]) -> Result<BTreeMap<PaymentRef, Disputed>, Fault> {
    let disputes = disputes.iter().map(|dispute| {
        let told = Disputed {
            amount: returned(&dispute.id, dispute.amount)?,
            status: DisputeStatus::of_word(word(dispute.status.as_ref())),
        };
        Ok((PaymentRef::new(&dispute.id)?, told))
    });
    disputes.collect()
}

fn word<K: Word>(status: Option<&Open<K>>) -> &str {
    status.map(Open::word).unwrap_or_default()
}

fn returned(id: &str, said: Option<i64>) -> Result<u64, Fault> {
    let amount = said.and_then(|amount| u64::try_from(amount).ok());
    amount.ok_or_else(|| Fault::unreadable(id, "it has no amount"))
}

/// Whether a try to take money may have taken it.
pub(super) fn may_have_paid(charge: &Charge) -> bool {
    let status = charge.status.as_ref();
    !status.is_some_and(|status| status.is(ChargeStatus::Failed))
}

/// When the money was taken, as the newest charge that succeeded says.
pub(super) fn charged_at(charges: &[Charge]) -> Option<DateTime<Utc>> {
    let succeeded = charges.iter().filter(|charge| {
        let status = charge.status.as_ref();
        status.is_some_and(|status| status.is(ChargeStatus::Succeeded))
    });
    succeeded.filter_map(|charge| charge.created).max()
}
