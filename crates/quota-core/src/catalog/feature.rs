//! Features: what can be counted and limited.

use serde::{Deserialize, Serialize};

use super::cadence::Cadence;
use crate::absent::one;
use crate::ids::FeatureCode;

/// Whether a feature is spent or occupied (C2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Spent: articles, requests.
    Consumable,
    /// Occupied: albums, bytes; deleting gives back.
    Capacity,
}

/// What windows are counted from (C4).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The subscription's start.
    #[default]
    Subscription,
    /// The full hour, midnight, Monday, the first of the month or 1 January, in the account's time zone.
    Calendar,
    /// The first accepted request after the last window ended (W7). Hours, days and spans only.
    FirstUse,
}

/// What a renewal does to `used` (C5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnRenewal {
    /// It begins at 0.
    Reset,
    /// It stays: what is occupied is still there.
    Carry,
}

/// Something that is counted and limited (C1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its code, unique in the catalog.
    pub code: FeatureCode,
    /// A name for people.
    pub name: String,
    /// The unit that people see, such as `MB`.
    pub unit: String,
    /// Whether it is spent (`consumable`) or occupied (`capacity`).
    pub kind: Kind,
    /// How often its allowance becomes whole.
    pub cadence: Cadence,
    /// What its windows are counted from.
    #[serde(default)]
    pub anchor: Anchor,
    /// What a renewal does; by default `reset` for consumables and `carry` for capacities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_renewal: Option<OnRenewal>,
    /// Credits that one stored unit costs, at least 1; none when credits cannot pay for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_cost: Option<u64>,
    /// Free uses in a lifetime, in stored units.
    #[serde(default)]
    pub trial_limit: u64,
    /// Stored units in one shown unit, at least 1; limits are written in shown units, amounts in stored ones.
    #[serde(default = "one")]
    pub scale: u64,
}

impl Feature {
    /// What a renewal does to `used`, with the default of its kind (C5).
    pub fn renewal(&self) -> OnRenewal {
        self.on_renewal.unwrap_or(match self.kind {
            Kind::Consumable => OnRenewal::Reset,
            Kind::Capacity => OnRenewal::Carry,
        })
    }
}
