//! What the members of an org used.

use crate::MemberBalanceBody;
use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::ids::FeatureCode;
use serde::{Deserialize, Serialize};

/// What one member used of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberUse {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// The member's own limit in stored units; absent where it has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Used by the member in its current window, in stored units.
    pub used: u64,
    /// What the org was charged for the member, in the org's current window and in stored units; without what the org's
    /// credits paid of a consumable, with what its boosts paid that run.
    pub charged: u64,
    /// How it stands under the limit that the org sets it, if one binds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_org: Option<MemberBalanceBody>,
    /// Used in all windows together, in stored units, paid by credits and trial too.
    pub lifetime: u64,
}

/// A member of an org.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberBody {
    /// The user's id.
    pub id: String,
    /// Whether the user's own limits never deny a request.
    pub unlimited: bool,
    /// Whether every request is denied.
    pub disabled: bool,
    /// What it used, for each feature that it ever used, or that the org limits for it.
    pub features: Vec<MemberUse>,
}

/// What the org was charged for a member that left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeftUse {
    /// Code of the feature that it used.
    pub feature: FeatureCode,
    /// How much, in the org's current window.
    pub charged: u64,
}

/// A user that was a member of the org.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeftMemberBody {
    /// The user's id.
    pub id: String,
    /// First instant at which it was no member any more.
    pub left_at: DateTime<Utc>,
    /// What the org was charged for it.
    pub features: Vec<LeftUse>,
}

/// A page of members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberList {
    /// The members, by id.
    pub items: Vec<MemberBody>,
    /// On the first page: users that left, for which the org was charged in a window that still runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftMemberBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
