//! A user's API tokens.

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::catalog::Cadence;
use quota_core::ids::TokenId;
use quota_core::terms::CapSpan;
use serde::{Deserialize, Serialize};

use crate::{BalanceBody, Label};

/// A token and its balance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenBody {
    /// Id of the token, unique within the user.
    pub id: TokenId,
    /// What may be used with it, in stored units, or `"unlimited"`: in all, or in each window of `per`.
    pub cap: Limit,
    /// How often the cap becomes whole again; absent where it counts over the token's lifetime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<Cadence>,
    /// When it was made; windows of `per` are counted from it. Absent for tokens that are older than this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_at: Option<DateTime<Utc>>,
    /// First instant at which it is denied; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked; absent when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// What was used with it, and what is left of its cap.
    pub balance: BalanceBody,
}

/// A user's tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenList {
    /// The tokens, by id.
    pub items: Vec<TokenBody>,
}

/// A token to be made for a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTokenBody {
    /// Your id for the token, unique within the user. Do not send the token's secret.
    pub id: TokenId,
    /// Its cap in stored units, or `"unlimited"`; required unless the user is unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<Limit>,
    /// In which time the cap counts: `lifetime` (when absent), or a cadence such as `monthly` or `5h`, counted from the
    /// token's making.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<CapSpan>,
    /// First instant at which it is denied; never when absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// Settings of a token. Fields that are absent stay as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenTermsBody {
    /// Its cap in stored units, or `"unlimited"`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub cap: Option<Limit>,
    /// In which time the cap counts: `lifetime`, or a cadence such as `monthly` or `5h`, counted from the token's making. A
    /// change of it begins a new count.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub per: Option<CapSpan>,
    /// First instant at which it is denied; it stays as it is when absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::said::deserialize_instant"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}
