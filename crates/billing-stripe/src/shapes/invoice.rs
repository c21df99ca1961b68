//! Invoices, their lines and their payments.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{List, Listed, Metadata, id, instant, list, maybe, metadata, or_default};
use super::open::{Open, words};
use super::price::{Plan, Price};

words! {
    /// The state of an invoice.
    InvoiceStatus {
        Draft = "draft",
        Open = "open",
        Paid = "paid",
        Uncollectible = "uncollectible",
        Void = "void",
    }
}

words! {
    /// Why there is an invoice.
    BillingReason {
        AutomaticPendingInvoiceItemInvoice = "automatic_pending_invoice_item_invoice",
        Manual = "manual",
        QuoteAccept = "quote_accept",
        Subscription = "subscription",
        SubscriptionCreate = "subscription_create",
        SubscriptionCycle = "subscription_cycle",
        SubscriptionThreshold = "subscription_threshold",
        SubscriptionUpdate = "subscription_update",
        Upcoming = "upcoming",
    }
}

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Invoice {
    /// Its id.
    pub id: String,
    /// Its state; none of the other fields says that it is paid.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<Open<InvoiceStatus>>,
    /// Who pays.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// When it was made.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    /// When it came into its state.
    #[serde(default, deserialize_with = "or_default")]
    pub status_transitions: StatusTransitions,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// What it comes to, tax and discounts in it.
    #[serde(default, deserialize_with = "maybe")]
    pub total: Option<i64>,
    /// What was paid of it.
    #[serde(default, deserialize_with = "maybe")]
    pub amount_paid: Option<i64>,
    /// What was asked for.
    #[serde(default, deserialize_with = "maybe")]
    pub amount_due: Option<i64>,
    /// Why it was made.
    #[serde(default, deserialize_with = "maybe")]
    pub billing_reason: Option<Open<BillingReason>>,
    /// What it is for, before 2025-03-31.
    #[serde(default, deserialize_with = "id")]
    pub subscription: Option<String>,
    /// What it is for, since 2025-03-31.
    #[serde(default, deserialize_with = "maybe")]
    pub parent: Option<InvoiceParent>,
    /// What paid it, before 2025-03-31.
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
    /// The charge that paid it, before 2025-03-31.
    #[serde(default, deserialize_with = "id")]
    pub charge: Option<String>,
    /// Whether it was paid elsewhere, before 2025-03-31.
    #[serde(default, deserialize_with = "or_default")]
    pub paid_out_of_band: bool,
    /// What paid it, since 2025-03-31, when expanded.
    #[serde(default, deserialize_with = "list")]
    pub payments: List<InvoicePayment>,
    /// What is on it; perhaps the first ten only.
    #[serde(default, deserialize_with = "list")]
    pub lines: List<InvoiceLine>,
    /// Where what it looks back on begins.
    #[serde(default, deserialize_with = "instant")]
    pub period_start: Option<DateTime<Utc>>,
    /// Where that ends.
    #[serde(default, deserialize_with = "instant")]
    pub period_end: Option<DateTime<Utc>>,
    /// Where it can be paid.
    #[serde(default, deserialize_with = "maybe")]
    pub hosted_invoice_url: Option<String>,
    /// When it is charged again.
    #[serde(default, deserialize_with = "instant")]
    pub next_payment_attempt: Option<DateTime<Utc>>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
    /// The test clock that it lives by.
    #[serde(default, deserialize_with = "id")]
    pub test_clock: Option<String>,
}

/// When an invoice came into a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StatusTransitions {
    /// When it was paid.
    #[serde(default, deserialize_with = "instant")]
    pub paid_at: Option<DateTime<Utc>>,
}

/// What made an invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct InvoiceParent {
    /// A subscription did.
    #[serde(default, deserialize_with = "maybe")]
    pub subscription_details: Option<SubscriptionDetails>,
}

/// The subscription of an invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SubscriptionDetails {
    /// Its id.
    #[serde(default, deserialize_with = "id")]
    pub subscription: Option<String>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InvoiceLine {
    /// Its id.
    pub id: String,
    /// What it comes to, before discounts.
    #[serde(default, deserialize_with = "maybe")]
    pub amount: Option<i64>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// How many.
    #[serde(default, deserialize_with = "maybe")]
    pub quantity: Option<u64>,
    /// What the customer reads.
    #[serde(default, deserialize_with = "maybe")]
    pub description: Option<String>,
    /// Its price, before 2025-03-31.
    #[serde(default, deserialize_with = "maybe")]
    pub price: Option<Price>,
    /// Its price, before there were prices.
    #[serde(default, deserialize_with = "maybe")]
    pub plan: Option<Plan>,
    /// Its price, since 2025-03-31.
    #[serde(default, deserialize_with = "maybe")]
    pub pricing: Option<LinePricing>,
    /// What it is for, before 2025-03-31.
    #[serde(default, deserialize_with = "id")]
    pub subscription: Option<String>,
    /// What it is for, since 2025-03-31.
    #[serde(default, deserialize_with = "maybe")]
    pub parent: Option<LineParent>,
    /// Whether it settles a change in mid-period, before 2025-03-31.
    #[serde(default, deserialize_with = "or_default")]
    pub proration: bool,
    /// The time that it pays for.
    #[serde(default, deserialize_with = "maybe")]
    pub period: Option<LinePeriod>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// How a line came to its price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LinePricing {
    /// By a price.
    #[serde(default, deserialize_with = "maybe")]
    pub price_details: Option<PriceDetails>,
}

/// The price of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PriceDetails {
    /// Its id.
    #[serde(default, deserialize_with = "id")]
    pub price: Option<String>,
    /// What is sold.
    #[serde(default, deserialize_with = "id")]
    pub product: Option<String>,
}

/// What made a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LineParent {
    /// An item of a subscription did.
    #[serde(default, deserialize_with = "maybe")]
    pub subscription_item_details: Option<LineParentDetails>,
    /// An item of an invoice did.
    #[serde(default, deserialize_with = "maybe")]
    pub invoice_item_details: Option<LineParentDetails>,
}

/// More of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LineParentDetails {
    /// The subscription.
    #[serde(default, deserialize_with = "id")]
    pub subscription: Option<String>,
    /// Whether it settles a change in mid-period.
    #[serde(default, deserialize_with = "or_default")]
    pub proration: bool,
}

/// The time that a line pays for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LinePeriod {
    /// Its first instant.
    #[serde(default, deserialize_with = "instant")]
    pub start: Option<DateTime<Utc>>,
    /// The instant at which it is over.
    #[serde(default, deserialize_with = "instant")]
    pub end: Option<DateTime<Utc>>,
}

/// One payment of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InvoicePayment {
    /// Its id.
    pub id: String,
    /// Which one.
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
    /// `open`, `paid` or `canceled`.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<String>,
    /// How much.
    #[serde(default, deserialize_with = "maybe")]
    pub amount_paid: Option<i64>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// By what.
    #[serde(default, deserialize_with = "maybe")]
    pub payment: Option<PaidBy>,
}

/// What paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PaidBy {
    /// Which of them.
    #[serde(rename = "type")]
    #[serde(default, deserialize_with = "maybe")]
    pub kind: Option<String>,
    /// An intent.
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
    /// A charge.
    #[serde(default, deserialize_with = "id")]
    pub charge: Option<String>,
    /// Money that came another way.
    #[serde(default, deserialize_with = "id")]
    pub payment_record: Option<String>,
}

/// What will stand on an invoice as a line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InvoiceItem {
    /// Its id.
    pub id: String,
    /// Which one.
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
    /// Whose.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
}

impl Listed for Invoice {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for InvoiceLine {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for InvoicePayment {
    fn id(&self) -> &str {
        &self.id
    }
}
