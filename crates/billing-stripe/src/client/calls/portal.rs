//! The portal.

use serde::Serialize;
use serde_json::Value;

use super::Nothing;
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::{Metadata, PortalConfiguration, PortalSession};

const PATH: &str = "/v1/billing_portal/configurations";

/// A link into the portal.
#[derive(Clone, Debug, Serialize)]
pub struct NewPortalSession {
    /// Who it is for.
    pub customer: String,
    /// Where to go afterwards.
    pub return_url: Option<String>,
    /// What may be done there.
    pub configuration: Option<String>,
}

/// What may be done in the portal. `features` is as Stripe has it: `{"subscription_update": {"enabled": true, …}}`.
#[derive(Clone, Debug, Serialize)]
pub struct PortalFeatures {
    /// What it lets customers do.
    pub features: Value,
    /// Where to go afterwards, unless the session says.
    pub default_return_url: Option<String>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl Client {
    /// A link into the portal, good for minutes.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_portal_session(
        &self,
        session: &NewPortalSession,
        key: &IdempotencyKey,
    ) -> Result<PortalSession, StripeError> {
        let path = "/v1/billing_portal/sessions";
        let call = Call::post("create_portal_session", path, session, key);
        self.call(&call).await
    }

    /// All configurations.
    pub fn list_portal_configurations(&self) -> Pages<PortalConfiguration> {
        Pages::new(self, "list_portal_configurations", PATH, &Nothing {})
    }

    /// A new configuration.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_portal_configuration(
        &self,
        features: &PortalFeatures,
        key: &IdempotencyKey,
    ) -> Result<PortalConfiguration, StripeError> {
        let call = Call::post("create_portal_configuration", PATH, features, key);
        self.call(&call).await
    }

    /// Changes a configuration.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn update_portal_configuration(
        &self,
        id: &str,
        features: &PortalFeatures,
        key: &IdempotencyKey,
    ) -> Result<PortalConfiguration, StripeError> {
        let name = "update_portal_configuration";
        let call = Call::post(name, path(PATH, id)?, features, key);
        self.call(&call).await
    }
}
