//! What an account may do, in short.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::catalog::Given;
use quota_core::denial::Reason;
use quota_core::draw::Scope;
use quota_core::ids::{AccountId, FeatureCode, PlanCode};
use quota_core::quantity::Quantity;
use serde::{Deserialize, Serialize};

/// What an account may do: flags, settings, and what is left of each limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntitlementsBody {
    /// The account, such as `user:alice`.
    pub account: AccountId,
    /// Whether its subscription is in force, and counts: false while `denied` is there.
    pub in_force: bool,
    /// Why every check is denied, whatever the feature, if it is: `account_disabled`, `org_disabled`. Nothing is left of
    /// anything then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<Reason>,
    /// How many seats of its plan the account has; absent when no subscription is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<Quantity>,
    /// The add-ons that are in force, by the code of their plan, and how many of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addons: BTreeMap<PlanCode, Quantity>,
    /// Every flag of the catalog by code, and whether the account has it. A member has one when it and its org have it.
    pub flags: BTreeMap<FeatureCode, bool>,
    /// The value of each setting that the account's plan has, by code; of a member its org's, where that has one.
    pub settings: BTreeMap<FeatureCode, Given>,
    /// What is left of each counted feature, by code.
    pub limits: BTreeMap<FeatureCode, LeftBody>,
}

/// What is left of a feature: of the account's own limit, or of its org's where less is left of that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeftBody {
    /// Whose limit it is: the user's or the org's.
    pub scope: Scope,
    /// The limit of the current window, in stored units; absent when no subscription in force names the feature, or every check is denied.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub limit: Option<Limit>,
    /// What is left of it, in stored units; absent when there is no limit, 0 where every check is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// Units left in boosts, in stored units; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boosts: Option<u64>,
    /// Units of a capacity that are free in what credits or the trial bought, in stored units; absent when nothing was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<u64>,
    /// Credits left, if credits can pay for the feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<u64>,
    /// Units that can still be sold on demand, in stored units, if the plan sells the feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<u64>,
    /// Free uses left, if the feature has a free trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<u64>,
    /// When the limit is whole again.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub resets_at: Option<DateTime<Utc>>,
}
