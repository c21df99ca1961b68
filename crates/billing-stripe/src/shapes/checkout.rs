//! Checkout sessions and their lines.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{List, Listed, Metadata, id, instant, list, maybe, metadata};
use super::open::{Open, words};
use super::price::Price;

words! {
    /// What a session is for.
    CheckoutMode {
        Payment = "payment",
        Setup = "setup",
        Subscription = "subscription",
    }
}

words! {
    /// The state of a session.
    CheckoutStatus {
        Complete = "complete",
        Expired = "expired",
        Open = "open",
    }
}

words! {
    /// Whether a session is paid. A completed one may be unpaid for days.
    CheckoutPaymentStatus {
        NoPaymentRequired = "no_payment_required",
        Paid = "paid",
        Unpaid = "unpaid",
    }
}

/// A page on which somebody pays.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CheckoutSession {
    /// Its id.
    pub id: String,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// When it was made.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    /// What it is for.
    #[serde(default, deserialize_with = "maybe")]
    pub mode: Option<Open<CheckoutMode>>,
    /// Its state.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<Open<CheckoutStatus>>,
    /// Whether it is paid.
    #[serde(default, deserialize_with = "maybe")]
    pub payment_status: Option<Open<CheckoutPaymentStatus>>,
    /// Who pays.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    /// What we named it.
    #[serde(default, deserialize_with = "maybe")]
    pub client_reference_id: Option<String>,
    /// What it began.
    #[serde(default, deserialize_with = "id")]
    pub subscription: Option<String>,
    /// What pays it.
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
    /// The invoice of a subscription, or of a payment for which one is made.
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
    /// What it comes to.
    #[serde(default, deserialize_with = "maybe")]
    pub amount_total: Option<i64>,
    /// Ours; since 2025-03-31 the customer's own is in `presentment_details`.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// What the customer saw.
    #[serde(default, deserialize_with = "maybe")]
    pub presentment_details: Option<PresentmentDetails>,
    /// What is bought, when expanded.
    #[serde(default, deserialize_with = "list")]
    pub line_items: List<SessionLine>,
    /// When it can no longer be paid.
    #[serde(default, deserialize_with = "instant")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Where it is paid.
    #[serde(default, deserialize_with = "maybe")]
    pub url: Option<String>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// Another currency that was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PresentmentDetails {
    /// How much.
    #[serde(default, deserialize_with = "maybe")]
    pub presentment_amount: Option<i64>,
    /// Of what.
    #[serde(default, deserialize_with = "maybe")]
    pub presentment_currency: Option<String>,
}

/// One line of a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SessionLine {
    /// Its id.
    pub id: String,
    /// Its price.
    #[serde(default, deserialize_with = "maybe")]
    pub price: Option<Price>,
    /// How many.
    #[serde(default, deserialize_with = "maybe")]
    pub quantity: Option<u64>,
    /// What it comes to, tax and discounts in it.
    #[serde(default, deserialize_with = "maybe")]
    pub amount_total: Option<i64>,
    /// Without them.
    #[serde(default, deserialize_with = "maybe")]
    pub amount_subtotal: Option<i64>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
}

impl Listed for CheckoutSession {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for SessionLine {
    fn id(&self) -> &str {
        &self.id
    }
}
