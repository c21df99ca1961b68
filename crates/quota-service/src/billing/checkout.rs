//! Checkout and portal: where a buyer pays, what that came to, and where subscriptions are looked after.

use quota_core::answer::Rejection;
use quota_core::ids::{AccountId, CustomerRef, PriceId};
use quota_core::ports::{
    Checkout, CheckoutKind, CheckoutState, NewCheckout, ProviderError, ProviderFault,
};
use quota_core::provider::{ObjectKind, Order, OrderRefusal, ProviderObject, Wanted, order};
use quota_core::quantity::Quantity;

use super::{Billing, BillingError, Synced};
use crate::EngineError;

/// What somebody wants to buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutOrder {
    /// For which account.
    pub account: AccountId,
    /// What.
    pub wanted: Wanted,
    /// How many of it; of a plan with seats, how many seats.
    pub quantity: Quantity,
    /// Which of its prices; the first one when absent.
    pub price: Option<PriceId>,
    /// Where the buyer goes when it is paid. `{CHECKOUT_SESSION_ID}` in it becomes the checkout's id.
    pub success_url: String,
    /// Where the buyer goes who gives up.
    pub cancel_url: String,
    /// The same key is the same checkout.
    pub key: String,
}

/// A checkout, and what it came to here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutResult {
    /// The checkout.
    pub checkout: Checkout,
    /// What its payment came to, once the buyer is through.
    pub payment: Option<Synced>,
    /// What its subscription came to, once the buyer is through.
    pub subscription: Option<Synced>,
}

/// Why there is no checkout.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// It cannot be bought.
    #[error("{refusal}{}", portal.as_ref().map(|url| format!(" at {url}")).unwrap_or_default())]
    Refused {
        /// Why.
        refusal: OrderRefusal,
        /// Where a subscription is changed that stands in the way.
        portal: Option<String>,
    },
    /// Something could not be asked.
    #[error(transparent)]
    Billing(#[from] BillingError),
}

impl Billing {
    /// Makes a checkout at the provider. Its customer is the account's, made if there is none: one, also when it is asked for twice at once.
    ///
    /// # Errors
    /// [`CheckoutError`] when it cannot be bought, or the provider cannot be asked.
    pub async fn check_out(&self, asked: &CheckoutOrder) -> Result<Checkout, CheckoutError> {
        let order = match self.order_of(asked).await? {
            Ok(order) => order,
            Err(refusal) => {
                let portal = self.portal_against(&refusal, asked).await?;
                return Err(CheckoutError::Refused { refusal, portal });
            }
        };
        let customer = self.customer_of(&asked.account).await?;
        let made = match self.made(asked, &order, &customer).await {
            Err(error) if error.fault == ProviderFault::Refused => {
                // The customer may have been deleted, and nobody told of it yet: then it is nobody's from now on.
                self.sync_account(&asked.account).await?;
                let again = self.customer_of(&asked.account).await?;
                if again == customer {
                    return Err(BillingError::from(error).into());
                }
                self.made(asked, &order, &again).await
            }
            made => made,
        };
        Ok(made.map_err(BillingError::from)?)
    }

    async fn made(
        &self,
        asked: &CheckoutOrder,
        order: &Order,
        customer: &CustomerRef,
    ) -> Result<Checkout, ProviderError> {
        let kind = if order.is_recurring {
            CheckoutKind::Subscription
        } else {
            CheckoutKind::Payment
        };
        let new = NewCheckout {
            customer: customer.clone(),
            account: asked.account.clone(),
            kind,
            items: vec![(order.price.clone(), order.quantity.get().into())],
            trial_days: order.trial_days.map(u32::from),
            success_url: asked.success_url.clone(),
            cancel_url: asked.cancel_url.clone(),
            key: format!("checkout:{customer}:{}", asked.key),
        };
        self.provider().make_checkout(&new).await
    }

    async fn order_of(
        &self,
        asked: &CheckoutOrder,
    ) -> Result<Result<Order, OrderRefusal>, BillingError> {
        let row = self.engine().account(&asked.account).await?;
        let catalog = self.engine().catalog_now();
        let grace = self.engine().settings().grace;
        let wanted = (&asked.wanted, asked.quantity, asked.price.as_ref());
        let known = (&row.account.terms, &*catalog);
        Ok(order(
            self.code(),
            wanted,
            known,
            (self.engine().now(), grace),
        ))
    }

    /// Where the subscription is changed that stands in the way of another one.
    async fn portal_against(
        &self,
        refusal: &OrderRefusal,
        asked: &CheckoutOrder,
    ) -> Result<Option<String>, BillingError> {
        if !matches!(refusal, OrderRefusal::AlreadySubscribed(_)) {
            return Ok(None);
        }
        let portal = self.portal(&asked.account, &asked.cancel_url).await;
        Ok(portal.ok())
    }

    /// What a checkout came to: for the page that its buyer comes back to. Once the buyer is through, payment and subscription are
    /// fetched, so that the page shows them whatever became of the webhook (P4).
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked; none when there is no such checkout.
    pub async fn checkout_result(&self, id: &str) -> Result<Option<CheckoutResult>, BillingError> {
        self.connection().await?;
        let Some(checkout) = self.provider().checkout(id).await? else {
            return Ok(None);
        };
        let mut result = CheckoutResult {
            checkout,
            payment: None,
            subscription: None,
        };
        if result.checkout.state != CheckoutState::Complete {
            return Ok(Some(result));
        }
        let session = ProviderObject {
            kind: ObjectKind::Session,
            id: id.to_owned(),
        };
        result.payment = Some(self.sync_payment(&session).await?);
        if result.checkout.subscription.is_some()
            && let Some(customer) = result.checkout.customer.clone()
        {
            result.subscription = Some(self.sync_customer(&customer).await?);
        }
        Ok(Some(result))
    }

    /// Where an account looks after its subscriptions, cards and invoices by itself.
    ///
    /// # Errors
    /// [`BillingError`] when the account is no customer, or the provider cannot be asked.
    pub async fn portal(
        &self,
        account: &AccountId,
        return_url: &str,
    ) -> Result<String, BillingError> {
        let customers = self.customers_of(account).await?;
        let customer: Option<CustomerRef> = customers.into_iter().next().map(|one| one.customer);
        let Some(customer) = customer else {
            return Err(EngineError::Rejected(Rejection::NoSubscription).into());
        };
        Ok(self.provider().portal(&customer, return_url).await?)
    }
}
