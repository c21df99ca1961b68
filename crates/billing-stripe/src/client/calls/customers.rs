//! Customers.

use serde::Serialize;

use super::Nothing;
use crate::client::error::StripeError;
use crate::client::key::IdempotencyKey;
use crate::client::pages::Pages;
use crate::client::send::{Call, Client, path};
use crate::shapes::{Customer, Metadata, PaymentMethod};

const PATH: &str = "/v1/customers";

/// What is known of a customer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CustomerFields {
    /// Its address.
    pub email: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What people read about it.
    pub description: Option<String>,
    /// What is attached to it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl Client {
    /// One customer; a removed one says so in `deleted`.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn retrieve_customer(&self, id: &str) -> Result<Customer, StripeError> {
        let call = Call::get("retrieve_customer", &path(PATH, id)?, &Nothing {});
        self.call(&call).await
    }

    /// What a customer may be charged with, newest first.
    ///
    /// # Errors
    /// [`StripeError`] when the id cannot be one.
    pub fn list_payment_methods(
        &self,
        customer: &str,
    ) -> Result<Pages<PaymentMethod>, StripeError> {
        let path = format!("{}/payment_methods", path(PATH, customer)?);
        Ok(Pages::new(self, "list_payment_methods", path, &Nothing {}))
    }

    /// A new customer. One for each account: the key is made of the account's name.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_customer(
        &self,
        fields: &CustomerFields,
        key: &IdempotencyKey,
    ) -> Result<Customer, StripeError> {
        let call = Call::post("create_customer", PATH, fields, key);
        self.call(&call).await
    }

    /// Changes what is known of a customer.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn update_customer(
        &self,
        id: &str,
        fields: &CustomerFields,
        key: &IdempotencyKey,
    ) -> Result<Customer, StripeError> {
        let call = Call::post("update_customer", path(PATH, id)?, fields, key);
        self.call(&call).await
    }
}
