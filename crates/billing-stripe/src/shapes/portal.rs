//! The portal in which customers change what they pay for.

use serde::Deserialize;

use super::lenient::{Listed, Metadata, id, maybe, metadata};

/// A link into it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PortalSession {
    /// Its id.
    pub id: String,
    /// Where to send the customer.
    #[serde(default, deserialize_with = "maybe")]
    pub url: Option<String>,
    /// Who it is for.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
}

/// What customers may do in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PortalConfiguration {
    /// Its id.
    pub id: String,
    /// Whether it can be used.
    #[serde(default, deserialize_with = "maybe")]
    pub active: Option<bool>,
    /// Whether it is used when none is named.
    #[serde(default, deserialize_with = "maybe")]
    pub is_default: Option<bool>,
    /// What it lets them do.
    #[serde(default, deserialize_with = "maybe")]
    pub features: Option<serde_json::Value>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

impl Listed for PortalConfiguration {
    fn id(&self) -> &str {
        &self.id
    }
}
