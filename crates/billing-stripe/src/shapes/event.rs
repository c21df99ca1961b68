//! Events: with a picture of their object (snapshot), or with its id alone (thin). Either is a hint; the object is fetched.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{Listed, Metadata, id, instant, maybe, metadata};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// Its id, by which it is kept once.
    pub id: String,
    /// `event`, or `v2.core.event` for a thin one.
    #[serde(default, deserialize_with = "maybe")]
    pub object: Option<String>,
    /// What happened, `customer.subscription.updated`; thin ones have `v1.` before it.
    #[serde(rename = "type", default, deserialize_with = "maybe")]
    pub kind: Option<String>,
    /// When, in whole seconds: no order.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// The version that its picture is in.
    #[serde(default, deserialize_with = "maybe")]
    pub api_version: Option<String>,
    /// The other account that a snapshot is of.
    #[serde(default, deserialize_with = "id")]
    pub account: Option<String>,
    /// The other account that a thin event is of.
    #[serde(default, deserialize_with = "id")]
    pub context: Option<String>,
    /// The object of a snapshot.
    #[serde(default, deserialize_with = "maybe")]
    pub data: Option<EventData>,
    /// The object of a thin event.
    #[serde(default, deserialize_with = "maybe")]
    pub related_object: Option<RelatedObject>,
}

/// What a snapshot shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct EventData {
    /// The object as it was; read as far as its identity.
    #[serde(default, deserialize_with = "maybe")]
    pub object: Option<EventObject>,
}

/// Which object an event is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct EventObject {
    /// Its id.
    #[serde(default, deserialize_with = "id")]
    pub id: Option<String>,
    /// What it is, `subscription`.
    #[serde(default, deserialize_with = "maybe")]
    pub object: Option<String>,
    /// Whose it is.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    /// The invoice that it is of, where it names one.
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
    /// The payment that it is of, where it names one.
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
    /// The charge that it is of, where it names one.
    #[serde(default, deserialize_with = "id")]
    pub charge: Option<String>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// Which object a thin event is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RelatedObject {
    /// Its id.
    #[serde(default, deserialize_with = "id")]
    pub id: Option<String>,
    /// What it is, `subscription`.
    #[serde(rename = "type", default, deserialize_with = "maybe")]
    pub kind: Option<String>,
    /// Where it is fetched.
    #[serde(default, deserialize_with = "maybe")]
    pub url: Option<String>,
}

impl Listed for Event {
    fn id(&self) -> &str {
        &self.id
    }
}
