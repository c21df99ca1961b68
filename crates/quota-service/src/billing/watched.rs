//! A provider whose answers are watched: what its key was refused for is known until the same works again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use quota_core::ids::{AccountId, CustomerRef, ProviderCode, SubscriptionRef};
use quota_core::payment::PaymentMode;
use quota_core::ports::{
    Charged, Checkout, Listed, NewCharge, NewCheckout, PaymentProvider, ProviderError,
    ProviderFault, SubscriptionAct,
};
use quota_core::provider::{
    FetchedCustomer, FetchedPayment, KeptEvent, ProviderObject, ProviderSubscription,
};

use crate::Engine;

/// For how long a refusal is told that did not come again: what is seldom asked for must not be told of for ever.
const TOLD_FOR: TimeDelta = TimeDelta::hours(1);

/// A provider, and what its key was refused for.
pub(super) struct Watched {
    provider: Arc<dyn PaymentProvider>,
    engine: Engine,
    /// By the kind of call.
    refusals: Mutex<BTreeMap<&'static str, Refusal>>,
}

struct Refusal {
    at: DateTime<Utc>,
    what: String,
}

impl Watched {
    pub(super) fn new(provider: Arc<dyn PaymentProvider>, engine: Engine) -> Self {
        Self {
            provider,
            engine,
            refusals: Mutex::default(),
        }
    }

    /// What the key was refused for last, if that has not worked since.
    pub(super) fn refusal(&self) -> Option<String> {
        let refusals = self.refusals.lock();
        let refusals = refusals.unwrap_or_else(PoisonError::into_inner);
        let newest = refusals.values().max_by_key(|refusal| refusal.at)?;
        let told_before = newest.at.checked_add_signed(TOLD_FOR)?;
        (self.engine.now() < told_before).then(|| newest.what.clone())
    }

    fn seen<T>(
        &self,
        call: &'static str,
        answer: Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let refusals = self.refusals.lock();
        let mut refusals = refusals.unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Ok(_) => {
                refusals.remove(call);
            }
            Err(error) if error.fault == ProviderFault::Key => {
                let (at, what) = (self.engine.now(), error.to_string());
                refusals.insert(call, Refusal { at, what });
            }
            // What else fails says nothing of the key.
            Err(_) => {}
        }
        answer
    }
}

#[async_trait]
impl PaymentProvider for Watched {
    fn code(&self) -> &ProviderCode {
        self.provider.code()
    }

    fn mode(&self) -> PaymentMode {
        self.provider.mode()
    }

    async fn account(&self) -> Result<String, ProviderError> {
        self.seen("account", self.provider.account().await)
    }

    async fn customer(
        &self,
        customer: &CustomerRef,
    ) -> Result<Option<FetchedCustomer>, ProviderError> {
        self.seen("customer", self.provider.customer(customer).await)
    }

    async fn subscription(
        &self,
        subscription: &SubscriptionRef,
    ) -> Result<Option<(CustomerRef, ProviderSubscription)>, ProviderError> {
        let answer = self.provider.subscription(subscription).await;
        self.seen("subscription", answer)
    }

    async fn customer_of(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<CustomerRef>, ProviderError> {
        self.seen("customer_of", self.provider.customer_of(object).await)
    }

    async fn payment(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<FetchedPayment>, ProviderError> {
        self.seen("payment", self.provider.payment(object).await)
    }

    async fn subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<Listed<(CustomerRef, ProviderSubscription)>, ProviderError> {
        self.seen("subscriptions", self.provider.subscriptions(after).await)
    }

    async fn events(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Listed<KeptEvent>, ProviderError> {
        self.seen("events", self.provider.events(since, after, now).await)
    }

    async fn payments(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
    ) -> Result<Listed<ProviderObject>, ProviderError> {
        self.seen("payments", self.provider.payments(since, after).await)
    }

    async fn make_customer(
        &self,
        account: &AccountId,
        key: &str,
    ) -> Result<CustomerRef, ProviderError> {
        let made = self.provider.make_customer(account, key).await;
        self.seen("make_customer", made)
    }

    async fn make_checkout(&self, asked: &NewCheckout) -> Result<Checkout, ProviderError> {
        self.seen("make_checkout", self.provider.make_checkout(asked).await)
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, ProviderError> {
        self.seen("checkout", self.provider.checkout(id).await)
    }

    async fn portal(
        &self,
        customer: &CustomerRef,
        return_url: &str,
    ) -> Result<String, ProviderError> {
        let made = self.provider.portal(customer, return_url).await;
        self.seen("portal", made)
    }

    async fn change_subscription(
        &self,
        subscription: &SubscriptionRef,
        act: &SubscriptionAct,
        key: &str,
    ) -> Result<(), ProviderError> {
        let changed = self.provider.change_subscription(subscription, act, key);
        self.seen("change_subscription", changed.await)
    }

    async fn charged(&self, charge: &NewCharge) -> Result<Option<Charged>, ProviderError> {
        self.seen("charged", self.provider.charged(charge).await)
    }

    async fn charge(&self, charge: &NewCharge) -> Result<Charged, ProviderError> {
        self.seen("charge", self.provider.charge(charge).await)
    }
}
