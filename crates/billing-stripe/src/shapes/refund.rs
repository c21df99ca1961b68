//! Refunds.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{Listed, Metadata, id, instant, maybe, metadata};
use super::open::{Open, words};

words! {
    /// The state of a refund.
    RefundStatus {
        Canceled = "canceled",
        Failed = "failed",
        Pending = "pending",
        RequiresAction = "requires_action",
        Succeeded = "succeeded",
    }
}

/// Money that goes back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: String,
    /// When it was made.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    /// Its state.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<Open<RefundStatus>>,
    /// How much.
    #[serde(default, deserialize_with = "maybe")]
    pub amount: Option<i64>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// What it is of.
    #[serde(default, deserialize_with = "id")]
    pub charge: Option<String>,
    /// What that is of.
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
    /// Why.
    #[serde(default, deserialize_with = "maybe")]
    pub reason: Option<String>,
    /// Why it failed.
    #[serde(default, deserialize_with = "maybe")]
    pub failure_reason: Option<String>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

impl Listed for Refund {
    fn id(&self) -> &str {
        &self.id
    }
}
