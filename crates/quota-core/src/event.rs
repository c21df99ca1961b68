//! Events: what happened to an account, for others to hear of; committed with the change (the outbox).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::change::Change;
use crate::ids::{AccountId, FeatureCode, GrantId, PlanCode};

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// Limits, subscription, credits, flags or tokens changed.
    QuotaUpdated {
        /// The change that the operation of this event booked.
        reason: Change,
    },
    /// The subscription ended (S9).
    SubscriptionExpired {
        /// The plan that ended.
        plan: PlanCode,
    },
    /// Windows were closed in the books, or an operator set `used` to 0 (W5, X6).
    QuotaReset {
        /// Features of which something was closed or set to 0.
        features: Vec<FeatureCode>,
    },
    /// Credits fell below the bound of auto top-up (P20).
    CreditsLow {
        /// Credits that can still be spent.
        credits: u64,
        /// The bound.
        below: u64,
    },
    /// Credits will be lost soon (P22).
    CreditsExpiring {
        /// The grant that ends.
        grant: GrantId,
        /// Credits of it that can still be spent.
        credits: u64,
        /// When they are lost.
        expires_at: DateTime<Utc>,
        /// Within how many days that is: the bound that was set.
        days: u32,
    },
}

/// One event of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The operation that it came from; stable over every delivery.
    pub id: Uuid,
    /// The home in which the account lived when it happened.
    pub home: AccountId,
    /// The account that it happened to.
    pub account: AccountId,
    /// Its number among the account's events: 1 for the first, and one more for each (Y6). A reader that misses one sees
    /// the gap.
    pub number: u64,
    /// The operation's place in the home's history.
    pub sequence: u64,
    /// When the operation was decided.
    pub at: DateTime<Utc>,
    /// What happened, with what goes with it.
    pub kind: EventKind,
}
