//! Payment intents and charges.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::checkout::PresentmentDetails;
use super::lenient::{Listed, Metadata, id, instant, maybe, metadata, or_default};
use super::open::{Open, words};

words! {
    /// The state of a payment.
    IntentStatus {
        Canceled = "canceled",
        Processing = "processing",
        RequiresAction = "requires_action",
        RequiresCapture = "requires_capture",
        RequiresConfirmation = "requires_confirmation",
        RequiresPaymentMethod = "requires_payment_method",
        Succeeded = "succeeded",
    }
}

words! {
    /// The state of a charge.
    ChargeStatus {
        Failed = "failed",
        Pending = "pending",
        Succeeded = "succeeded",
    }
}

/// A payment and all tries to make it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentIntent {
    /// Its id.
    pub id: String,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// When it was made.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    /// Its state.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<Open<IntentStatus>>,
    /// How much is asked for.
    #[serde(default, deserialize_with = "maybe")]
    pub amount: Option<i64>,
    /// How much came.
    #[serde(default, deserialize_with = "maybe")]
    pub amount_received: Option<i64>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// Who pays.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    /// What it pays, before 2025-03-31.
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
    /// Its newest charge.
    #[serde(default, deserialize_with = "id")]
    pub latest_charge: Option<String>,
    /// Why the last try failed.
    #[serde(default, deserialize_with = "maybe")]
    pub last_payment_error: Option<PaymentError>,
    /// What the customer saw.
    #[serde(default, deserialize_with = "maybe")]
    pub presentment_details: Option<PresentmentDetails>,
    /// What the customer has to do.
    #[serde(default, deserialize_with = "maybe")]
    pub next_action: Option<serde_json::Value>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// Why a payment failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PaymentError {
    /// In a word.
    #[serde(default, deserialize_with = "maybe")]
    pub code: Option<String>,
    /// What the bank said.
    #[serde(default, deserialize_with = "maybe")]
    pub decline_code: Option<String>,
    /// In a sentence.
    #[serde(default, deserialize_with = "maybe")]
    pub message: Option<String>,
}

/// Money that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Charge {
    /// Its id.
    pub id: String,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// When it was made.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    /// Its state.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<Open<ChargeStatus>>,
    /// How much.
    #[serde(default, deserialize_with = "maybe")]
    pub amount: Option<i64>,
    /// How much of it was sent back; what became of that is in the list of refunds.
    #[serde(default, deserialize_with = "maybe")]
    pub amount_refunded: Option<i64>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// Who paid.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    /// What it is of.
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
    /// What it pays, before 2025-03-31.
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
    /// Whether it is or was disputed.
    #[serde(default, deserialize_with = "or_default")]
    pub disputed: bool,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

impl Listed for PaymentIntent {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for Charge {
    fn id(&self) -> &str {
        &self.id
    }
}
