//! An account with all its balances.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::catalog::Given;
use quota_core::ids::{FeatureCode, TokenId};
use serde::{Deserialize, Serialize};

use crate::{AccountBody, BalanceBody, BoostBody, EachMemberBody, GrantBody, SpendingBody};

/// An account's balance of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeatureBody {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// The feature's name, to show.
    pub name: String,
    /// The unit, to show.
    pub unit: String,
    /// Stored units in one shown unit; amounts and balances are in stored units.
    pub scale: u64,
    /// The account's own balance of the feature.
    pub own: BalanceBody,
    /// The balance of the account's org, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<BalanceBody>,
    /// Of an org: what each of its members may use of the feature, if the org limits that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each_member: Option<EachMemberBody>,
    /// Used in all windows together, in stored units.
    pub lifetime: u64,
}

/// A token's balance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenStanding {
    /// Id of the token.
    pub id: TokenId,
    /// What of its cap is used, held and left, over all features.
    pub balance: BalanceBody,
}

/// An account with all its balances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverviewBody {
    /// The account's settings and subscription.
    pub account: AccountBody,
    /// When it was read.
    pub at: DateTime<Utc>,
    /// Grows with every change of the account or of its org.
    pub version: u64,
    /// Whether its subscription is in force.
    pub in_force: bool,
    /// Its balance of every counted feature of the catalog, by code.
    pub features: Vec<FeatureBody>,
    /// Every flag of the catalog by code, and whether the account has it.
    #[serde(default)]
    pub flags: BTreeMap<FeatureCode, bool>,
    /// The value of each setting that its plan has, by code; of a member its org's, where that has one.
    #[serde(default)]
    pub settings: BTreeMap<FeatureCode, Given>,
    /// The balances of its tokens; none for an org.
    pub tokens: Vec<TokenStanding>,
    /// Its credit grants of which something is left or reserved.
    pub grants: Vec<GrantBody>,
    /// Its boosts of which something is left or reserved.
    pub boosts: Vec<BoostBody>,
    /// What it owes for use on demand, and how far it may go, if something is sold to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<SpendingBody>,
}
