//! Boosts: units of one feature until an instant.

use chrono::{DateTime, Utc};
use quota_core::amount::Amount;
use quota_core::ids::{BoostId, FeatureCode};
use serde::{Deserialize, Serialize};

use crate::credits::is_zero;
use crate::{GrantPurchaseBody, GrantState, Label};

/// A boost: units of one feature that were given or bought until an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoostBody {
    /// Its id, unique within the account.
    pub id: BoostId,
    /// Code of the feature whose units they are, as in the catalog.
    pub feature: FeatureCode,
    /// Whether something of it is left.
    pub state: GrantState,
    /// Units that were given, less what was taken back, in stored units.
    pub granted: u64,
    /// Units used for good, in stored units.
    pub used: u64,
    /// Units that open reservations hold, in stored units.
    pub held: u64,
    /// Units that can still be used or reserved, in stored units.
    pub remaining: u64,
    /// Units that were taken back by refunds and lost disputes, in stored units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revoked: u64,
    /// Units whose payment is disputed, in stored units; they can be used again if the dispute is won.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub frozen: u64,
    /// With what it was bought; absent when it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<GrantPurchaseBody>,
    /// When it was given.
    pub starts_at: DateTime<Utc>,
    /// First instant at which what is left is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
}

/// An account's boosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoostList {
    /// On the first page those of which something is left or reserved. Then those that ended, by id: used up, over and
    /// taken back, with `remaining` 0.
    pub boosts: Vec<BoostBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A new boost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewBoostBody {
    /// Your id for the boost; an account never has the same id twice.
    pub id: BoostId,
    /// Code of the feature; a capacity cannot be boosted.
    pub feature: FeatureCode,
    /// How much of it, in stored units: 1 to 10^15.
    #[cfg_attr(feature = "openapi", schema(example = 50))]
    pub amount: Amount,
    /// First instant at which what is left is lost; when absent, the end of the subscription's running period. Required
    /// where no subscription is in force.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub ends_at: Option<DateTime<Utc>>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}
