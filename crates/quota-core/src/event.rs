//! Events: what happened to an account, for others to hear of; committed with the change (the outbox).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::change::Change;
use crate::ids::{AccountId, FeatureCode, PlanCode};

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// Limits, subscription, credits, flags or tokens changed.
    QuotaUpdated {
        /// What changed.
        reason: Change,
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
    /// Its number among the account's events: 1 for the first, and one more for each (Y6). A reader that misses one sees
    /// the gap.
    pub number: u64,
    /// The operation's place in the home's history.
    pub sequence: u64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
}
