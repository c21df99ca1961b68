//! Disputes.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{Listed, Metadata, id, instant, maybe, metadata};
use super::open::{Open, words};

words! {
    /// The state of a dispute.
    DisputeStatus {
        AppealNeedsResponse = "appeal_needs_response",
        AppealUnderReview = "appeal_under_review",
        ChargeRefunded = "charge_refunded",
        Lost = "lost",
        NeedsResponse = "needs_response",
        Prevented = "prevented",
        UnderReview = "under_review",
        WarningClosed = "warning_closed",
        WarningNeedsResponse = "warning_needs_response",
        WarningUnderReview = "warning_under_review",
        Won = "won",
    }
}

/// A bank wants money back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Dispute {
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
    pub status: Option<Open<DisputeStatus>>,
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
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

impl Listed for Dispute {
    fn id(&self) -> &str {
        &self.id
    }
}
