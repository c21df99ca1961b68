//! An account with all its balances.

use chrono::{DateTime, Utc};
use quota_core::ids::{FeatureCode, TokenId};
use serde::{Deserialize, Serialize};

use crate::{AccountBody, BalanceBody, GrantBody};

/// An account's balance of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeatureBody {
    /// The feature.
    pub feature: FeatureCode,
    /// The feature's name, to show.
    pub name: String,
    /// The unit, to show.
    pub unit: String,
    /// Stored units in one shown unit; amounts and balances are in stored units.
    pub scale: u64,
    /// The account's own balance.
    pub own: BalanceBody,
    /// The balance of its org, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<BalanceBody>,
    /// Used in all windows together.
    pub lifetime: u64,
}

/// A token's balance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenStanding {
    /// The token's id.
    pub id: TokenId,
    /// Its balance.
    pub balance: BalanceBody,
}

/// An account with all its balances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverviewBody {
    /// The account.
    pub account: AccountBody,
    /// When it was read.
    pub at: DateTime<Utc>,
    /// Grows with every change of the account or of its org.
    pub version: u64,
    /// Whether its subscription is in force.
    pub in_force: bool,
    /// Every feature of the catalog.
    pub features: Vec<FeatureBody>,
    /// Its tokens.
    pub tokens: Vec<TokenStanding>,
    /// Its credit grants that are not used up.
    pub grants: Vec<GrantBody>,
}
