//! Payments, and money that goes back.

use serde::Serialize;

use super::Nothing;
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::{Charge, Dispute, Metadata, PaymentIntent, Refund};

const INTENTS: &str = "/v1/payment_intents";

/// Which payments are listed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct IntentFilter {
    /// Those of a customer.
    pub customer: Option<String>,
    /// Those made at this instant or later (seconds since 1970).
    #[serde(rename = "created[gte]")]
    pub created_since: Option<i64>,
}

/// Which charges are listed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChargeFilter {
    /// Those of a payment.
    pub payment_intent: Option<String>,
    /// Those of a customer.
    pub customer: Option<String>,
}

/// Which refunds are listed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RefundFilter {
    /// Those of a payment.
    pub payment_intent: Option<String>,
    /// Those of a charge.
    pub charge: Option<String>,
    /// Those made at this instant or later (seconds since 1970).
    #[serde(rename = "created[gte]")]
    pub created_since: Option<i64>,
}

/// Which disputes are listed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DisputeFilter {
    /// Those of a payment.
    pub payment_intent: Option<String>,
    /// Those of a charge.
    pub charge: Option<String>,
    /// Those made at this instant or later (seconds since 1970).
    #[serde(rename = "created[gte]")]
    pub created_since: Option<i64>,
}

/// A payment that is made at once without its payer.
#[derive(Clone, Debug, Serialize)]
pub struct NewOffSessionIntent {
    /// In the smallest unit of the currency.
    pub amount: i64,
    /// Three letters in lower case.
    pub currency: String,
    /// Who pays.
    pub customer: String,
    /// With what.
    pub payment_method: String,
    /// What the payer reads.
    pub description: Option<String>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

#[derive(Debug, Serialize)]
struct MadeAtOnce<'a> {
    #[serde(flatten)]
    intent: &'a NewOffSessionIntent,
    off_session: bool,
    confirm: bool,
}

impl Client {
    /// One payment.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_intent(&self, id: &str) -> Result<PaymentIntent, StripeError> {
        let call = Call::get("retrieve_intent", &path(INTENTS, id)?, &Nothing {});
        self.call(&call).await
    }

    /// Payments, newest first.
    pub fn list_intents(&self, filter: &IntentFilter) -> Pages<PaymentIntent> {
        Pages::new(self, "list_intents", INTENTS, filter)
    }

    /// Makes a payment at once without its payer.
    ///
    /// # Errors
    /// [`StripeError`]; [`StripeError::Declined`] with `authentication_required` when the bank asks for the payer.
    pub async fn create_off_session_intent(
        &self,
        intent: &NewOffSessionIntent,
        key: &IdempotencyKey,
    ) -> Result<PaymentIntent, StripeError> {
        let intent = MadeAtOnce {
            intent,
            off_session: true,
            confirm: true,
        };
        let call = Call::post("create_off_session_intent", INTENTS, &intent, key);
        self.call(&call).await
    }

    /// Takes a payment back that was not made: it can be paid no more.
    ///
    /// # Errors
    /// [`StripeError`]; [`StripeError::Refused`] when it was made, or taken back before.
    pub async fn cancel_intent(
        &self,
        id: &str,
        key: &IdempotencyKey,
    ) -> Result<PaymentIntent, StripeError> {
        let path = format!("{}/cancel", path(INTENTS, id)?);
        let call = Call::post("cancel_intent", path, &Nothing {}, key);
        self.call(&call).await
    }

    /// One charge.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_charge(&self, id: &str) -> Result<Charge, StripeError> {
        let call = Call::get("retrieve_charge", &path("/v1/charges", id)?, &Nothing {});
        self.call(&call).await
    }

    /// Charges, newest first: all tries of a payment, those that failed too.
    pub fn list_charges(&self, filter: &ChargeFilter) -> Pages<Charge> {
        Pages::new(self, "list_charges", "/v1/charges", filter)
    }

    /// One refund.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_refund(&self, id: &str) -> Result<Refund, StripeError> {
        let call = Call::get("retrieve_refund", &path("/v1/refunds", id)?, &Nothing {});
        self.call(&call).await
    }

    /// Refunds, newest first.
    pub fn list_refunds(&self, filter: &RefundFilter) -> Pages<Refund> {
        Pages::new(self, "list_refunds", "/v1/refunds", filter)
    }

    /// One dispute.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_dispute(&self, id: &str) -> Result<Dispute, StripeError> {
        let call = Call::get("retrieve_dispute", &path("/v1/disputes", id)?, &Nothing {});
        self.call(&call).await
    }

    /// Disputes, newest first.
    pub fn list_disputes(&self, filter: &DisputeFilter) -> Pages<Dispute> {
        Pages::new(self, "list_disputes", "/v1/disputes", filter)
    }
}
