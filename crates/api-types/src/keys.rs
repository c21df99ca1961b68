//! API keys.

use chrono::{DateTime, Utc};
use quota_core::ports::KeyScope;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Label;

/// An API key, without its secret but where it was just made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyBody {
    /// Id of the key, to revoke it by.
    pub id: Uuid,
    /// What it is for; the actor of everything done with it.
    pub name: String,
    /// What it may do: `read` looks, `write` also decides and changes accounts, `admin` does everything.
    pub scope: KeyScope,
    /// The first characters of the secret.
    #[cfg_attr(feature = "openapi", schema(example = "quota_0a1b2c"))]
    pub prefix: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// The secret: only in the answer that creates the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Every API key, revoked ones too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyList {
    /// The keys, oldest first.
    pub items: Vec<KeyBody>,
}

/// A new API key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewKeyBody {
    /// What it is for; booked as the actor of everything done with it.
    #[cfg_attr(feature = "openapi", schema(example = "billing"))]
    pub name: Label,
    /// What it may do: `read` looks, `write` also decides and changes accounts, `admin` does everything.
    pub scope: KeyScope,
}
