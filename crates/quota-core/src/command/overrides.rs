//! What the commands say that set an account's own limits, and what it has by itself (F6).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::amount::Limit;
use crate::catalog::Given;
use crate::ids::FeatureCode;

/// Sets an account's own limit for a feature (F6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetOverride {
    /// Code of the feature, as in the catalog; the override beats what the plan says of it.
    pub feature: FeatureCode,
    /// The limit, in shown units.
    pub limit: Limit,
    /// First instant at which the plan's value is back; never by itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Sets what an account has of a flag or a setting by itself (F6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetGiven {
    /// Code of the flag or setting, as in the catalog; the override beats what the plan says of it.
    pub feature: FeatureCode,
    /// Whether it has the flag, or the setting's value.
    pub value: Given,
    /// First instant at which what the plan gives is back; never by itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Takes an account's own limit away, or what it has of a flag or a setting by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearOverride {
    /// For which what the plan says is back.
    pub feature: FeatureCode,
}
