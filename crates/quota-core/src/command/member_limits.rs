//! What an org lets its members use (O7).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::amount::Limit;
use crate::ids::{FeatureCode, OrgId};

/// Sets what each member of an org may use of a feature, or what one member may in place of that (O7): the account is the org,
/// or the member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetMemberLimit {
    /// Code of the feature that is limited.
    pub feature: FeatureCode,
    /// Its limit, in shown units; 0 means none.
    pub limit: Limit,
    /// First instant at which it counts no more, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// For one member: the org that it must belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_of: Option<OrgId>,
}

/// Takes a member limit away: what would count without it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearMemberLimit {
    /// Code of the feature that it was set for.
    pub feature: FeatureCode,
    /// For one member: the org that it must belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_of: Option<OrgId>,
}
