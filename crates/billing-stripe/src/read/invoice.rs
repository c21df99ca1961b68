//! What an invoice is for, what is on it, and what paid it.

use super::PaidPart;
use crate::shapes::{Invoice, InvoiceLine, InvoiceStatus, LineParentDetails};

/// Whether an invoice is paid: its state says so, and nothing else does.
pub fn is_paid(invoice: &Invoice) -> bool {
    let status = invoice.status.as_ref();
    status.is_some_and(|status| status.is(InvoiceStatus::Paid))
}

/// The subscription that an invoice is for.
pub fn subscription_of(invoice: &Invoice) -> Option<&str> {
    let by_parent = || {
        let parent = invoice.parent.as_ref()?;
        parent
            .subscription_details
            .as_ref()?
            .subscription
            .as_deref()
    };
    invoice.subscription.as_deref().or_else(by_parent)
}

/// The price of a line.
pub fn line_price(line: &InvoiceLine) -> Option<&str> {
    let details = line
        .pricing
        .as_ref()
        .and_then(|pricing| pricing.price_details.as_ref());
    details
        .and_then(|details| details.price.as_deref())
        .or_else(|| line.price.as_ref().map(|price| price.id.as_str()))
        .or_else(|| line.plan.as_ref().map(|plan| plan.id.as_str()))
}

/// How many of a line: one where it is not said.
pub fn line_quantity(line: &InvoiceLine) -> u64 {
    line.quantity.unwrap_or(1)
}

/// The subscription that a line is for; none when it is a single purchase.
pub fn line_subscription(line: &InvoiceLine) -> Option<&str> {
    let by_parent = || details(line).find_map(|details| details.subscription.as_deref());
    line.subscription.as_deref().or_else(by_parent)
}

/// Whether a line settles a change in mid-period. Such a line buys nothing.
pub fn line_is_proration(line: &InvoiceLine) -> bool {
    line.proration || details(line).any(|details| details.proration)
}

fn details(line: &InvoiceLine) -> impl Iterator<Item = &LineParentDetails> {
    let parent = line.parent.iter();
    parent.flat_map(|parent| {
        let by_item = parent.subscription_item_details.iter();
        by_item.chain(&parent.invoice_item_details)
    })
}

/// What a line says, read in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFact<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its price.
    pub price: Option<&'a str>,
    /// How many.
    pub quantity: u64,
    /// What it comes to.
    pub amount: Option<i64>,
    /// The subscription that it is for.
    pub subscription: Option<&'a str>,
    /// Whether it settles a change in mid-period.
    pub is_proration: bool,
}

/// What a line says.
pub fn line_fact(line: &InvoiceLine) -> LineFact<'_> {
    LineFact {
        id: &line.id,
        price: line_price(line),
        quantity: line_quantity(line),
        amount: line.amount,
        subscription: line_subscription(line),
        is_proration: line_is_proration(line),
    }
}

/// The intents, charges and records that paid an invoice or are to pay it: those that it names itself, and those among its
/// payments where they were expanded. Each once.
pub fn parts_that_paid(invoice: &Invoice) -> Vec<PaidPart> {
    let payments = invoice.payments.data.iter();
    let paid_by = payments.filter_map(|payment| payment.payment.as_ref());
    let newer = paid_by.flat_map(|by| {
        let intent = by.payment_intent.clone().map(PaidPart::Intent);
        let charge = by.charge.clone().map(PaidPart::Charge);
        let record = by.payment_record.clone().map(PaidPart::Record);
        [intent, charge, record]
    });
    let intent = invoice.payment_intent.clone().map(PaidPart::Intent);
    let charge = invoice.charge.clone().map(PaidPart::Charge);
    let mut parts: Vec<PaidPart> = [intent, charge]
        .into_iter()
        .chain(newer)
        .flatten()
        .collect();
    parts.sort();
    parts.dedup();
    parts
}
