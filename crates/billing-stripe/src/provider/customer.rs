//! Customers with all their subscriptions.

use quota_core::ids::{CustomerRef, SubscriptionRef};
use quota_core::provider::{FetchedCustomer, ObjectKind, ProviderObject, ProviderSubscription};

use super::fault::{Fault, there};
use super::stripe::Stripe;
use super::subscription::fact;
use crate::client::{InvoiceFilter, StripeError, SubscriptionFilter};
use crate::read::is_paid;
use crate::shapes::{BillingReason, Invoice, OneOf, Subscription};

impl Stripe {
    /// A customer with all its subscriptions.
    pub(super) async fn customer_with_subscriptions(
        &self,
        id: &CustomerRef,
    ) -> Result<Option<FetchedCustomer>, Fault> {
        let Some(found) = there(self.client.retrieve_customer(id.as_str()).await)? else {
            return Ok(None);
        };
        let filter = SubscriptionFilter {
            customer: Some(id.as_str().to_owned()),
        };
        let listed = match self.client.list_subscriptions(&filter).all().await {
            // Nothing is told of a customer that was removed: its subscriptions ended with it.
            Err(StripeError::NotFound { .. } | StripeError::Refused { .. }) if found.deleted => {
                Vec::new()
            }
            listed => listed?,
        };
        let on_clock = |one: &Subscription| one.test_clock.is_some();
        let is_on_test_clock = found.test_clock.is_some() || listed.iter().any(on_clock);
        let mut subscriptions = Vec::with_capacity(listed.len());
        for one in listed {
            subscriptions.push(self.subscription_of(one).await?);
        }
        Ok(Some(FetchedCustomer {
            customer: id.clone(),
            is_deleted: found.deleted,
            is_on_test_clock,
            subscriptions,
        }))
    }

    /// A subscription and whose it is.
    pub(super) async fn found_subscription(
        &self,
        id: &SubscriptionRef,
    ) -> Result<Option<(CustomerRef, ProviderSubscription)>, Fault> {
        match there(self.client.retrieve_subscription(id.as_str()).await)? {
            Some(found) => self.owned_subscription(found).await.map(Some),
            None => Ok(None),
        }
    }

    /// A subscription as quota-core takes it, and whose it is.
    pub(super) async fn owned_subscription(
        &self,
        one: Subscription,
    ) -> Result<(CustomerRef, ProviderSubscription), Fault> {
        let customer = one.customer.as_deref();
        let nobodys = || Fault::unreadable(&one.id, "it does not say whose it is");
        let customer = CustomerRef::new(customer.ok_or_else(nobodys)?)?;
        Ok((customer, self.subscription_of(one).await?))
    }

    /// A subscription as quota-core takes it, with what its own object leaves out.
    pub(super) async fn subscription_of(
        &self,
        mut one: Subscription,
    ) -> Result<ProviderSubscription, Fault> {
        if one.items.has_more {
            one.items.data = self.client.list_subscription_items(&one.id).all().await?;
            one.items.has_more = false;
        }
        if let Some(OneOf::Id(schedule)) = &one.schedule {
            let found = there(self.client.retrieve_schedule(schedule).await)?;
            one.schedule = found.map(|schedule| OneOf::Whole(Box::new(schedule)));
        }
        if is_of_an_unpaid_change(&one) {
            let invoice = self.invoice_of_period(&one.id).await?;
            return fact(&one, invoice.as_ref());
        }
        let newest = one
            .latest_invoice
            .as_ref()
            .and_then(|newest| newest.whole());
        fact(&one, newest)
    }

    /// The newest invoice of a subscription that is not for a change.
    async fn invoice_of_period(&self, subscription: &str) -> Result<Option<Invoice>, Fault> {
        let filter = InvoiceFilter {
            subscription: Some(subscription.to_owned()),
            ..InvoiceFilter::default()
        };
        let mut pages = self.client.list_invoices(&filter);
        while let Some(page) = pages.next().await? {
            if let Some(found) = page.into_iter().find(|invoice| !is_for_a_change(invoice)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whose an object is.
    pub(super) async fn owner_of(
        &self,
        object: &ProviderObject,
    ) -> Result<Option<CustomerRef>, Fault> {
        let (client, id) = (&self.client, object.id.as_str());
        let owner = match object.kind {
            ObjectKind::Customer => Some(id.to_owned()),
            ObjectKind::Subscription => {
                there(client.retrieve_subscription(id).await)?.and_then(|found| found.customer)
            }
            ObjectKind::Schedule => {
                there(client.retrieve_schedule(id).await)?.and_then(|found| found.customer)
            }
            ObjectKind::Session => {
                there(client.retrieve_session(id).await)?.and_then(|found| found.customer)
            }
            ObjectKind::Invoice => {
                there(client.retrieve_invoice(id).await)?.and_then(|found| found.customer)
            }
            ObjectKind::Intent => {
                there(client.retrieve_intent(id).await)?.and_then(|found| found.customer)
            }
            ObjectKind::Charge => {
                there(client.retrieve_charge(id).await)?.and_then(|found| found.customer)
            }
            ObjectKind::Refund => match there(client.retrieve_refund(id).await)? {
                Some(refund) => self.owner_of_charge(refund.charge).await?,
                None => None,
            },
            ObjectKind::Dispute => match there(client.retrieve_dispute(id).await)? {
                Some(dispute) => self.owner_of_charge(dispute.charge).await?,
                None => None,
            },
        };
        Ok(owner.map(|owner| CustomerRef::new(&owner)).transpose()?)
    }

    async fn owner_of_charge(&self, charge: Option<String>) -> Result<Option<String>, Fault> {
        let Some(charge) = charge else {
            return Ok(None);
        };
        let found = there(self.client.retrieve_charge(&charge).await)?;
        Ok(found.and_then(|found| found.customer))
    }
}

/// Whether the newest invoice is for a change that is not paid: it says nothing of the period that runs.
fn is_of_an_unpaid_change(subscription: &Subscription) -> bool {
    let newest = subscription.latest_invoice.as_ref();
    let newest = newest.and_then(|newest| newest.whole());
    newest.is_some_and(|newest| is_for_a_change(newest) && !is_paid(newest))
}

fn is_for_a_change(invoice: &Invoice) -> bool {
    let reason = invoice.billing_reason.as_ref();
    reason.is_some_and(|reason| reason.is(BillingReason::SubscriptionUpdate))
}
