//! Subscriptions and their items.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::invoice::Invoice;
use super::lenient::{
    List, Listed, Metadata, OneOf, array, id, instant, list, maybe, metadata, one_of, or_default,
};
use super::open::{Open, words};
use super::price::{Plan, Price};
use super::schedule::Schedule;

words! {
    /// The state of a subscription.
    SubscriptionStatus {
        Active = "active",
        Canceled = "canceled",
        Incomplete = "incomplete",
        IncompleteExpired = "incomplete_expired",
        PastDue = "past_due",
        Paused = "paused",
        Trialing = "trialing",
        Unpaid = "unpaid",
    }
}

/// A running sale.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Its state.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<Open<SubscriptionStatus>>,
    /// Who pays.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// When it was made.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    /// When it began.
    #[serde(default, deserialize_with = "instant")]
    pub start_date: Option<DateTime<Utc>>,
    /// Where its period begins, before 2025-03-31.
    #[serde(default, deserialize_with = "instant")]
    pub current_period_start: Option<DateTime<Utc>>,
    /// Where its period ends, before 2025-03-31.
    #[serde(default, deserialize_with = "instant")]
    pub current_period_end: Option<DateTime<Utc>>,
    /// The instant that its periods are counted from.
    #[serde(default, deserialize_with = "instant")]
    pub billing_cycle_anchor: Option<DateTime<Utc>>,
    /// When it will end.
    #[serde(default, deserialize_with = "instant")]
    pub cancel_at: Option<DateTime<Utc>>,
    /// Whether it ends with its period. False in flexible mode, where `cancel_at` says so.
    #[serde(default, deserialize_with = "or_default")]
    pub cancel_at_period_end: bool,
    /// When it was asked to end.
    #[serde(default, deserialize_with = "instant")]
    pub canceled_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, deserialize_with = "instant")]
    pub ended_at: Option<DateTime<Utc>>,
    /// When its trial began.
    #[serde(default, deserialize_with = "instant")]
    pub trial_start: Option<DateTime<Utc>>,
    /// When its trial ends.
    #[serde(default, deserialize_with = "instant")]
    pub trial_end: Option<DateTime<Utc>>,
    /// What is sold.
    #[serde(default, deserialize_with = "list")]
    pub items: List<SubscriptionItem>,
    /// What will change it.
    #[serde(default, deserialize_with = "one_of")]
    pub schedule: Option<OneOf<Schedule>>,
    /// Its newest invoice.
    #[serde(default, deserialize_with = "one_of")]
    pub latest_invoice: Option<OneOf<Invoice>>,
    /// Whether nothing is collected; its state stays `active`.
    #[serde(default, deserialize_with = "maybe")]
    pub pause_collection: Option<PauseCollection>,
    /// A change that waits for its payment.
    #[serde(default, deserialize_with = "maybe")]
    pub pending_update: Option<PendingUpdate>,
    /// What is charged.
    #[serde(default, deserialize_with = "id")]
    pub default_payment_method: Option<String>,
    /// Charged, or sent an invoice.
    #[serde(default, deserialize_with = "maybe")]
    pub collection_method: Option<String>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
    /// The test clock that it lives by.
    #[serde(default, deserialize_with = "id")]
    pub test_clock: Option<String>,
}

/// One price of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SubscriptionItem {
    /// Its id.
    pub id: String,
    /// Its price.
    #[serde(default, deserialize_with = "maybe")]
    pub price: Option<Price>,
    /// Its price, as it was before there were prices.
    #[serde(default, deserialize_with = "maybe")]
    pub plan: Option<Plan>,
    /// How many; none for what is metered.
    #[serde(default, deserialize_with = "maybe")]
    pub quantity: Option<u64>,
    /// Where its period begins, since 2025-03-31.
    #[serde(default, deserialize_with = "instant")]
    pub current_period_start: Option<DateTime<Utc>>,
    /// Where its period ends, since 2025-03-31.
    #[serde(default, deserialize_with = "instant")]
    pub current_period_end: Option<DateTime<Utc>>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// Collection is paused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PauseCollection {
    /// What becomes of its invoices.
    #[serde(default, deserialize_with = "maybe")]
    pub behavior: Option<String>,
    /// When it goes on.
    #[serde(default, deserialize_with = "instant")]
    pub resumes_at: Option<DateTime<Utc>>,
}

/// A change that waits for its payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PendingUpdate {
    /// When it is dropped.
    #[serde(default, deserialize_with = "instant")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The items that it would have.
    #[serde(default, deserialize_with = "array")]
    pub subscription_items: Vec<SubscriptionItem>,
}

impl Listed for Subscription {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for SubscriptionItem {
    fn id(&self) -> &str {
        &self.id
    }
}
