//! What the members of an org used.

use quota_core::ids::FeatureCode;
use serde::{Deserialize, Serialize};

/// What one member used of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberUse {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// Used by the member in its current window, in stored units.
    pub used: u64,
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
    /// What it used, for each feature that it ever used.
    pub features: Vec<MemberUse>,
}

/// A page of members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberList {
    /// The members, by id.
    pub items: Vec<MemberBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
