//! The port.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, CustomerRef, ProviderCode, SubscriptionRef};
use quota_core::payment::PaymentMode;
use quota_core::ports::{
    Charged, Checkout, Listed, NewCharge, NewCheckout, PaymentProvider, ProviderError,
    SubscriptionAct,
};
use quota_core::provider::{
    FetchedCustomer, FetchedPayment, KeptEvent, ProviderObject, ProviderSubscription,
};

use super::fault::Fault;
use super::stripe::Stripe;

impl Stripe {
    fn told<T>(&self, outcome: Result<T, impl Into<Fault>>) -> Result<T, ProviderError> {
        outcome.map_err(|fault| fault.into().of(&self.code))
    }
}

#[async_trait]
impl PaymentProvider for Stripe {
    fn code(&self) -> &ProviderCode {
        &self.code
    }

    fn mode(&self) -> PaymentMode {
        self.mode
    }

    async fn account(&self) -> Result<String, ProviderError> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let account = self.told(self.client.account().await)?;
        Ok(account.id)
    }

    async fn customer(
        &self,
        customer: &CustomerRef,
    ) -> Result<Option<FetchedCustomer>, ProviderError> {
        self.told(self.customer_with_subscriptions(customer).await)
    }

    async fn subscription(
        &self,
        subscription: &SubscriptionRef,
    ) -> Result<Option<(CustomerRef, ProviderSubscription)>, ProviderError> {
        self.told(self.found_subscription(subscription).await)
    }

    async fn customer_of(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<CustomerRef>, ProviderError> {
        self.told(self.owner_of(object).await)
    }

    async fn payment(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<FetchedPayment>, ProviderError> {
        self.told(self.payment_of(object).await)
    }

    async fn subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<Listed<(CustomerRef, ProviderSubscription)>, ProviderError> {
        self.told(self.page_of_subscriptions(after).await)
    }

    async fn events(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Listed<KeptEvent>, ProviderError> {
        self.told(self.page_of_events(since, after, now).await)
    }

    async fn payments(
        &self,
        since: DateTime<Utc>,
        after: Option<&str>,
    ) -> Result<Listed<ProviderObject>, ProviderError> {
        self.told(self.page_of_payments(since, after).await)
    }

    async fn make_customer(
        &self,
        account: &AccountId,
        key: &str,
    ) -> Result<CustomerRef, ProviderError> {
        self.told(self.new_customer(account, key).await)
    }

    async fn make_checkout(&self, asked: &NewCheckout) -> Result<Checkout, ProviderError> {
        self.told(self.new_checkout(asked).await)
    }

    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, ProviderError> {
        self.told(self.found_checkout(id).await)
    }

    async fn portal(
        &self,
        customer: &CustomerRef,
        return_url: &str,
    ) -> Result<String, ProviderError> {
        self.told(self.new_portal_link(customer, return_url).await)
    }

    async fn change_subscription(
        &self,
        subscription: &SubscriptionRef,
        act: &SubscriptionAct,
        key: &str,
    ) -> Result<(), ProviderError> {
        self.told(self.act_on(subscription, act, key).await)
    }

    async fn charged(&self, charge: &NewCharge) -> Result<Option<Charged>, ProviderError> {
        self.told(self.found_charge(charge).await)
    }

    async fn charge(&self, charge: &NewCharge) -> Result<Charged, ProviderError> {
        self.told(self.new_charge(charge).await)
    }
}
