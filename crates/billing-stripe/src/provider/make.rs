//! Customers, checkouts and links into the portal.

use quota_core::ids::{AccountId, CustomerRef, SubscriptionRef};
use quota_core::ports::{Checkout, CheckoutKind, CheckoutState, NewCheckout};

use super::fault::{Fault, there};
use super::stripe::Stripe;
use crate::client::{
    CheckoutLine, CustomerFields, IdempotencyKey, NewPortalSession, NewSession, SessionSubscription,
};
use crate::shapes::{CheckoutMode, CheckoutSession, CheckoutStatus, Metadata, Open};

/// The metadata by which people see whose an object is. It is never read back.
const ACCOUNT_KEY: &str = "account";
/// The metadata by which what a catalog file made is found again.
pub(super) const OURS: &str = "quota";
/// What the portal's configuration has there.
pub(super) const PORTAL: &str = "portal";

impl Stripe {
    /// The customer of an account.
    pub(super) async fn new_customer(
        &self,
        account: &AccountId,
        key: &str,
    ) -> Result<CustomerRef, Fault> {
        let fields = CustomerFields {
            metadata: for_people(account),
            ..CustomerFields::default()
        };
        let key = IdempotencyKey::of(key, "");
        let made = self.client.create_customer(&fields, &key).await?;
        Ok(CustomerRef::new(&made.id)?)
    }

    /// A page on which somebody pays.
    pub(super) async fn new_checkout(&self, asked: &NewCheckout) -> Result<Checkout, Fault> {
        let lines = asked.items.iter().map(|(price, quantity)| CheckoutLine {
            price: price.as_str().to_owned(),
            quantity: *quantity,
        });
        let metadata = for_people(&asked.account);
        let (mode, subscription_data) = match asked.kind {
            CheckoutKind::Payment => (CheckoutMode::Payment, None),
            CheckoutKind::Subscription => {
                let data = SessionSubscription {
                    trial_period_days: asked.trial_days,
                    metadata: metadata.clone(),
                    ..SessionSubscription::default()
                };
                (CheckoutMode::Subscription, Some(data))
            }
        };
        let session = NewSession {
            mode,
            line_items: lines.collect(),
            customer: Some(asked.customer.as_str().to_owned()),
            client_reference_id: Some(asked.account.as_str().to_owned()),
            success_url: asked.success_url.clone(),
            cancel_url: Some(asked.cancel_url.clone()),
            expires_at: None,
            allow_promotion_codes: None,
            with_invoice: None,
            setup_future_usage: None,
            payment_metadata: Metadata::new(),
            payment_method_collection: None,
            subscription_data,
            metadata,
        };
        let key = IdempotencyKey::of(&asked.key, "");
        checkout_of(self.client.create_session(&session, &key).await?)
    }

    /// A page that was made.
    pub(super) async fn found_checkout(&self, id: &str) -> Result<Option<Checkout>, Fault> {
        let found = there(self.client.retrieve_session(id).await)?;
        found.map(checkout_of).transpose()
    }

    /// A link into the portal. Each is a new one, since it is good for minutes.
    pub(super) async fn new_portal_link(
        &self,
        customer: &CustomerRef,
        return_url: &str,
    ) -> Result<String, Fault> {
        let session = NewPortalSession {
            customer: customer.as_str().to_owned(),
            return_url: Some(return_url.to_owned()),
            configuration: self.our_portal().await?,
        };
        let key = format!("portal:{:032x}", rand::random::<u128>());
        let key = IdempotencyKey::of(&key, "");
        let made = self.client.create_portal_session(&session, &key).await?;
        made.url
            .ok_or_else(|| Fault::unreadable(&made.id, "it has no address"))
    }
}

impl Stripe {
    /// The configuration of the portal that a catalog file set up; Stripe's default one where there is none.
    async fn our_portal(&self) -> Result<Option<String>, Fault> {
        let all = self.client.list_portal_configurations().all().await?;
        let ours = all.into_iter().find(|one| is_portal(&one.metadata));
        Ok(ours.map(|one| one.id))
    }
}

/// Whether it is the configuration of the portal that a catalog file sets up.
pub(super) fn is_portal(metadata: &Metadata) -> bool {
    metadata.get(OURS).is_some_and(|what| what == PORTAL)
}

/// Metadata that says whose an object is.
pub(super) fn for_people(account: &AccountId) -> Metadata {
    Metadata::from([(ACCOUNT_KEY.to_owned(), account.as_str().to_owned())])
}

fn checkout_of(session: CheckoutSession) -> Result<Checkout, Fault> {
    let state = match session.status {
        Some(Open::Known(CheckoutStatus::Complete)) => CheckoutState::Complete,
        Some(Open::Known(CheckoutStatus::Expired)) => CheckoutState::Expired,
        Some(Open::Known(CheckoutStatus::Open) | Open::Other(_)) | None => CheckoutState::Open,
    };
    let customer = session.customer.as_deref().map(CustomerRef::new);
    let subscription = session.subscription.as_deref().map(SubscriptionRef::new);
    Ok(Checkout {
        customer: customer.transpose()?,
        state,
        url: session.url.filter(|_| state == CheckoutState::Open),
        subscription: subscription.transpose()?,
        id: session.id,
    })
}
