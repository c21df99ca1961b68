//! Customers.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{Listed, Metadata, id, instant, maybe, metadata, or_default};

/// Somebody who pays.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Customer {
    /// Its id.
    pub id: String,
    /// When it was made.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// Whether it is gone: a deleted one answers 200 with little else in it.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
    /// Its address.
    #[serde(default, deserialize_with = "maybe")]
    pub email: Option<String>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
    /// How its invoices are paid.
    #[serde(default, deserialize_with = "maybe")]
    pub invoice_settings: Option<InvoiceSettings>,
    /// The card of old that is charged by default.
    #[serde(default, deserialize_with = "id")]
    pub default_source: Option<String>,
    /// The test clock that it lives by: nothing of it is applied.
    #[serde(default, deserialize_with = "id")]
    pub test_clock: Option<String>,
}

/// How invoices are paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct InvoiceSettings {
    /// What is charged by default.
    #[serde(default, deserialize_with = "id")]
    pub default_payment_method: Option<String>,
}

impl Listed for Customer {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Something that a customer pays with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PaymentMethod {
    /// Its id.
    pub id: String,
}

impl Listed for PaymentMethod {
    fn id(&self) -> &str {
        &self.id
    }
}
