//! Subscriptions.

use serde::Serialize;

use super::{Change, Expanded, Nothing};
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::{Metadata, Subscription, SubscriptionItem, SubscriptionStatus};

const PATH: &str = "/v1/subscriptions";

/// Which subscriptions are listed. Those of every state are: without that a canceled one is never seen.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionFilter {
    /// Of one customer; else of all.
    pub customer: Option<String>,
}

#[derive(Debug, Serialize)]
struct Listing<'a> {
    status: &'static str,
    customer: Option<&'a str>,
    expand: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct ItemListing<'a> {
    subscription: &'a str,
}

/// What is changed of a subscription; what is none stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SubscriptionChange {
    /// Items that are changed, added or removed.
    pub items: Vec<ItemChange>,
    /// When it ends (seconds since 1970).
    pub cancel_at: Option<Change<i64>>,
    /// Whether it ends with its period.
    pub cancel_at_period_end: Option<bool>,
    /// `now` begins a period. An object with a type, since 2026-09-30.
    #[serde(rename = "billing_cycle_anchor[type]")]
    pub billing_cycle_anchor: Option<&'static str>,
    /// `none`, `create_prorations`, `always_invoice`.
    pub proration_behavior: Option<&'static str>,
    /// `pending_if_incomplete` acts only when it is paid.
    pub payment_behavior: Option<&'static str>,
    /// When the trial ends (seconds since 1970).
    pub trial_end: Option<i64>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// One item of a change.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ItemChange {
    /// The item; none adds one.
    pub id: Option<String>,
    /// Its new price.
    pub price: Option<String>,
    /// Its new quantity.
    pub quantity: Option<u64>,
    /// Whether it is removed.
    pub deleted: Option<bool>,
}

impl Client {
    /// Subscriptions of every state, of one customer or of all, with their schedules and newest invoices.
    pub fn list_subscriptions(&self, filter: &SubscriptionFilter) -> Pages<Subscription> {
        let listing = Listing {
            status: "all",
            customer: filter.customer.as_deref(),
            expand: &["data.schedule", "data.latest_invoice"],
        };
        Pages::new(self, "list_subscriptions", PATH, &listing)
    }

    /// One subscription, with its schedule and its newest invoice.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_subscription(&self, id: &str) -> Result<Subscription, StripeError> {
        let expand = Expanded {
            expand: &["schedule", "latest_invoice"],
        };
        let call = Call::get("retrieve_subscription", &path(PATH, id)?, &expand);
        self.call(&call).await
    }

    /// All items of a subscription: in the subscription itself are perhaps the first ten only.
    pub fn list_subscription_items(&self, subscription: &str) -> Pages<SubscriptionItem> {
        let listing = ItemListing { subscription };
        let path = "/v1/subscription_items";
        Pages::new(self, "list_subscription_items", path, &listing)
    }

    /// Changes a subscription.
    ///
    /// # Errors
    /// [`StripeError`]; [`StripeError::Declined`] when the change is paid at once and the bank says no.
    pub async fn update_subscription(
        &self,
        id: &str,
        change: &SubscriptionChange,
        key: &IdempotencyKey,
    ) -> Result<Subscription, StripeError> {
        let call = Call::post("update_subscription", path(PATH, id)?, change, key);
        self.call(&call).await
    }

    /// Ends a subscription at once. One that has ended already is given as it is.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn cancel_subscription(&self, id: &str) -> Result<Subscription, StripeError> {
        let call = Call::delete("cancel_subscription", &path(PATH, id)?, &Nothing {});
        let refusal = match self.call(&call).await {
            Err(error @ (StripeError::NotFound { .. } | StripeError::Refused { .. })) => error,
            answered => return answered,
        };
        // A removal has no idempotency key: after a time-out the second one finds nothing left to do.
        let found = self.retrieve_subscription(id).await?;
        let status = found.status.as_ref();
        let is_canceled = status.is_some_and(|status| status.is(SubscriptionStatus::Canceled));
        if is_canceled { Ok(found) } else { Err(refusal) }
    }

    /// Lets a subscription in the state `paused` go on.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn resume_subscription(
        &self,
        id: &str,
        key: &IdempotencyKey,
    ) -> Result<Subscription, StripeError> {
        let path = format!("{}/resume", path(PATH, id)?);
        let call = Call::post("resume_subscription", path, &Nothing {}, key);
        self.call(&call).await
    }
}
