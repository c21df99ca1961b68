//! What a payment provider says of its subscriptions, and what that makes of an account: pure rules, so that
//! a webhook, a job and a page that was come back to all come to the same (P6).

mod billing_problem;
mod choice;
mod event;
mod fetched;
mod link;
mod order;
mod problem;
mod target;
mod top_up;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::ids::{PriceId, ProviderCode, SubscriptionRef};

pub use billing_problem::{BillingProblem, ProblemId, ProblemKind, Settled};
pub use event::{EventId, EventState, KeptEvent, ObjectKind, ProviderObject};
pub use fetched::{FetchedCustomer, FetchedLine, FetchedPayment};
pub use link::{Connection, CustomerId, CustomerLink, SyncProgress};
pub use order::{Order, OrderRefusal, Wanted, order};
pub use problem::Problem;
pub use target::{AddonTarget, BaseTarget, Target, target};
pub use top_up::{TopUp, TopUpState};

/// From when to when something is paid: `[starts_at, ends_at)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderPeriod {
    /// First instant of it.
    pub starts_at: DateTime<Utc>,
    /// First instant after it.
    pub ends_at: DateTime<Utc>,
}

/// What a provider sells in a subscription: a price, so many times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderItem {
    /// Its price; the catalog says what that stands for.
    pub price: PriceId,
    /// How many of it; none for what is metered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// Its period, where items have periods of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<ProviderPeriod>,
}

/// A change of price that a provider will make by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderChange {
    /// The price that follows.
    pub price: PriceId,
    /// When it takes over.
    pub at: DateTime<Utc>,
}

/// A subscription as its provider has it: facts, whatever they mean here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSubscription {
    /// Its id.
    pub id: SubscriptionRef,
    /// Its status, in the provider's word: S1 maps those that are known.
    pub status: String,
    /// What is sold in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ProviderItem>,
    /// Its period, where items have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<ProviderPeriod>,
    /// Whether the invoice of the running period is paid, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_paid: Option<bool>,
    /// When it will end; also the end of its period where it ends with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// When its trial ends, or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<DateTime<Utc>>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Whether a change waits for its payment: until then everything is as it was.
    #[serde(default, skip_serializing_if = "is_default")]
    pub has_pending_update: bool,
    /// The next change that is scheduled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<ProviderChange>,
    /// Whether nothing is collected for it; its status decides all the same.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_collection_paused: bool,
}

/// Whose subscription something is here: that of a provider, as a fetch saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provided {
    /// The provider.
    pub provider: ProviderCode,
    /// The subscription there.
    pub subscription: SubscriptionRef,
    /// When the fetch began that told it: one that began earlier changes nothing (P6).
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub fetched_at: DateTime<Utc>,
}

impl Provided {
    /// Whether it is this subscription of this provider.
    pub fn is(&self, provider: &ProviderCode, subscription: &SubscriptionRef) -> bool {
        self.provider == *provider && self.subscription == *subscription
    }
}
