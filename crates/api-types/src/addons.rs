//! Add-ons: plans that an account holds beside its base plan.

use chrono::{DateTime, Utc};
use quota_core::ids::PlanCode;
use quota_core::quantity::Quantity;
use serde::{Deserialize, Serialize};

use crate::Label;

/// An add-on that an account holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddonBody {
    /// Code of the add-on's plan, as in the catalog.
    pub plan: PlanCode,
    /// The version of the plan, if the plan is pinned: the account stays on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_version: Option<u32>,
    /// How many of it the account has.
    pub quantity: Quantity,
    /// Whether it grants something now: only while the base plan is in force too, and its own plan is in the catalog.
    pub in_force: bool,
    /// Since when the account holds it, in whatever quantity.
    pub starts_at: DateTime<Utc>,
    /// First instant at which the account holds it no more; absent when it goes on with the base plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
}

/// An account's add-ons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddonList {
    /// Those that have not ended, by the code of their plan.
    pub addons: Vec<AddonBody>,
}

/// How many of an add-on an account has from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetAddonBody {
    /// How many: 1 to 100,000. They take the place of what the account has of it.
    pub quantity: Quantity,
    /// First instant at which the account holds it no more; when absent, it goes on with the base plan.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub ends_at: Option<DateTime<Utc>>,
    /// Only say what it would come to: nothing is changed, nothing is booked and no key is bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub dry_run: bool,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}
