//! Events: what others are told after a change, committed with it (the outbox).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{AccountId, FeatureCode, PlanCode};

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// Limits, subscription, credits, flags or tokens changed.
    QuotaUpdated {
        /// What changed, such as `override_set`.
        reason: String,
    },
    /// The subscription ended (S9).
    SubscriptionExpired {
        /// The plan that ended.
        plan: PlanCode,
    },
    /// Windows were closed in the books, or an operator set `used` to 0 (W5, X6).
    QuotaReset {
        /// Of which features.
        features: Vec<FeatureCode>,
    },
}

/// One event of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The operation that it came from; stable over every delivery.
    pub id: Uuid,
    /// The account's home.
    pub home: AccountId,
    /// Whose event.
    pub account: AccountId,
    /// The operation's place in the home's history: a reader sees gaps by it.
    pub sequence: u64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
}
