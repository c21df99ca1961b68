//! What an org lets each of its members use.

use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::ids::FeatureCode;
use serde::{Deserialize, Serialize};

use crate::{Label, OverrideView};

/// Sets what members of an org may use of a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetMemberLimitBody {
    /// The limit in shown units, or `"unlimited"`; 0 means none.
    pub limit: Limit,
    /// First instant at which it counts no more; never when absent.
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

/// What an org lets each of its members use of a feature, in stored units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberLimitBody {
    /// Code of the feature.
    pub feature: FeatureCode,
    /// What counts for a member of which nothing else is said; absent when nothing does now.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub limit: Option<Limit>,
    /// What the org's plan says.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub plan_value: Option<Limit>,
    /// What was set, as it was sent, expired or not; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<OverrideView>,
    /// Whether the org's subscription is in force; while it is not, no limit of members binds.
    pub in_force: bool,
    /// When the org's window ends, and what members have used begins at 0 again.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub resets_at: Option<DateTime<Utc>>,
}

/// What an org lets one member use of a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OneMemberLimitBody {
    /// Code of the feature.
    pub feature: FeatureCode,
    /// How the member stands; absent when no limit binds it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<MemberBalanceBody>,
    /// What was set for this member alone, as it was sent, expired or not; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<OverrideView>,
}

/// How a member stands under the limit that its org sets it, in stored units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberBalanceBody {
    /// What it may use at most in the org's window.
    #[serde(deserialize_with = "quota_core::amount::stored_limit")]
    pub limit: Limit,
    /// What the org was charged for it in that window, whatever paid there.
    pub used: u64,
    /// Reserved and not yet settled.
    pub held: u64,
    /// What a new request can still get; absent when there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// What the org's plan says for each member.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub plan_value: Option<Limit>,
    /// What was set for all members.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub all_value: Option<Limit>,
    /// What was set for this member alone.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub override_value: Option<Limit>,
    /// When the org's window ends, and `used` begins at 0 again.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub resets_at: Option<DateTime<Utc>>,
}

/// What an org lets each member use of a feature, beside how the org itself stands; in stored units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EachMemberBody {
    /// What counts for a member of which nothing else is said.
    #[serde(deserialize_with = "quota_core::amount::stored_limit")]
    pub limit: Limit,
    /// What the org's plan says.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub plan_value: Option<Limit>,
    /// What was set for all members, in place of that.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "quota_core::amount::stored_limit_option"
    )]
    pub all_value: Option<Limit>,
}
