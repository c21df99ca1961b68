//! Checkout sessions.

use serde::Serialize;

use super::{Expanded, Nothing};
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::{CheckoutMode, CheckoutSession, Metadata, SessionLine};

const PATH: &str = "/v1/checkout/sessions";

/// Which sessions are listed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SessionFilter {
    /// Those that this intent pays: one at most.
    pub payment_intent: Option<String>,
    /// Those of a customer.
    pub customer: Option<String>,
    /// Those that began this subscription.
    pub subscription: Option<String>,
    /// `complete`, `expired`, `open`.
    pub status: Option<&'static str>,
    /// Those made at this instant or later (seconds since 1970).
    #[serde(rename = "created[gte]")]
    pub created_since: Option<i64>,
}

/// A page on which somebody pays.
#[derive(Clone, Debug, Serialize)]
pub struct NewSession {
    /// What it is for.
    pub mode: CheckoutMode,
    /// What is bought.
    pub line_items: Vec<CheckoutLine>,
    /// Who pays.
    pub customer: Option<String>,
    /// What we name it.
    pub client_reference_id: Option<String>,
    /// Where to go when it is paid; `{CHECKOUT_SESSION_ID}` becomes its id.
    pub success_url: String,
    /// Where to go when it is not.
    pub cancel_url: Option<String>,
    /// When it can no longer be paid (seconds since 1970).
    pub expires_at: Option<i64>,
    /// Whether codes of Stripe's are taken.
    pub allow_promotion_codes: Option<bool>,
    /// Whether an invoice is made of a single payment too.
    #[serde(rename = "invoice_creation[enabled]")]
    pub with_invoice: Option<bool>,
    /// `off_session`: the card may be charged later without its owner.
    #[serde(rename = "payment_intent_data[setup_future_usage]")]
    pub setup_future_usage: Option<&'static str>,
    /// What is attached to the payment.
    #[serde(
        rename = "payment_intent_data[metadata]",
        skip_serializing_if = "Metadata::is_empty"
    )]
    pub payment_metadata: Metadata,
    /// `if_required`: a trial may begin without a card.
    pub payment_method_collection: Option<&'static str>,
    /// How the subscription begins.
    pub subscription_data: Option<SessionSubscription>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// How a subscription begins.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SessionSubscription {
    /// With how many days of trial.
    pub trial_period_days: Option<u32>,
    /// What becomes of it when the trial ends and there is no card: `cancel` or `pause`.
    #[serde(rename = "trial_settings[end_behavior][missing_payment_method]")]
    pub without_card: Option<&'static str>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// One thing that is bought.
#[derive(Clone, Debug, Serialize)]
pub struct CheckoutLine {
    /// Its price.
    pub price: String,
    /// How many.
    pub quantity: u64,
}

impl Client {
    /// One session, with the first of its lines.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_session(&self, id: &str) -> Result<CheckoutSession, StripeError> {
        let expand = Expanded {
            expand: &["line_items"],
        };
        let call = Call::get("retrieve_session", &path(PATH, id)?, &expand);
        self.call(&call).await
    }

    /// All lines of a session.
    ///
    /// # Errors
    /// [`StripeError`] when the id cannot be one.
    pub fn list_session_lines(&self, id: &str) -> Result<Pages<SessionLine>, StripeError> {
        let path = format!("{}/line_items", path(PATH, id)?);
        Ok(Pages::new(self, "list_session_lines", path, &Nothing {}))
    }

    /// Sessions, newest first.
    pub fn list_sessions(&self, filter: &SessionFilter) -> Pages<CheckoutSession> {
        Pages::new(self, "list_sessions", PATH, filter)
    }

    /// A new session.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_session(
        &self,
        session: &NewSession,
        key: &IdempotencyKey,
    ) -> Result<CheckoutSession, StripeError> {
        let call = Call::post("create_session", PATH, session, key);
        self.call(&call).await
    }

    /// Makes a session one that can no longer be paid.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn expire_session(
        &self,
        id: &str,
        key: &IdempotencyKey,
    ) -> Result<CheckoutSession, StripeError> {
        let path = format!("{}/expire", path(PATH, id)?);
        let call = Call::post("expire_session", path, &Nothing {}, key);
        self.call(&call).await
    }
}
