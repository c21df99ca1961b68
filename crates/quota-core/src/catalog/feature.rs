//! Features: what plans differ in.

use serde::{Deserialize, Serialize};

use super::cadence::Cadence;
use crate::ids::FeatureCode;

/// What is done with a feature (C2): it is spent, occupied, had or not, or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Spent: articles, requests.
    Consumable,
    /// Occupied: albums, bytes; deleting gives back.
    Capacity,
    /// Had or not: single sign-on. Nothing of it is counted.
    Flag,
    /// A whole number or a text that a service reads: the largest file in MB, the kind of support. Nothing of it is counted.
    Setting,
}

impl Kind {
    /// Whether use of it is counted. Of what is not, a plan says what it is; nothing can be spent.
    pub fn is_counted(self) -> bool {
        match self {
            Self::Consumable | Self::Capacity => true,
            Self::Flag | Self::Setting => false,
        }
    }

    /// Its name, as in a catalog file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consumable => "consumable",
            Self::Capacity => "capacity",
            Self::Flag => "flag",
            Self::Setting => "setting",
        }
    }
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

/// What uses a capacity by itself, where no request does (C12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// The members of an org: one joins and it is charged, one leaves and it is given back.
    Members,
}

/// Something that plans differ in (C1): counted and limited, or had or read.
///
/// Of a flag or a setting only code, name, kind and perhaps a unit are said; the rest has its defaults, and is neither read
/// nor written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Its code, unique in the catalog.
    pub code: FeatureCode,
    /// A name for people.
    pub name: String,
    /// The unit that people see, such as `MB`; empty for a flag, and for a setting without one.
    pub unit: String,
    /// What is done with it.
    pub kind: Kind,
    /// How often its allowance becomes whole; `subscription` where nothing is counted.
    pub cadence: Cadence,
    /// What its windows are counted from.
    pub anchor: Anchor,
    /// What a renewal does; by default `reset` for consumables and `carry` for capacities.
    pub on_renewal: Option<OnRenewal>,
    /// Credits that one stored unit costs, at least 1; none when credits cannot pay for it.
    pub credit_cost: Option<u64>,
    /// Free uses in a lifetime, in stored units.
    pub trial_limit: u64,
    /// Stored units in one shown unit, at least 1; limits are written in shown units, amounts in stored ones.
    pub scale: u64,
    /// What uses it by itself; none where requests do.
    pub counts: Option<Counts>,
}

impl Feature {
    /// A feature of which nothing is said but what it is.
    pub fn new(code: FeatureCode, name: &str, kind: Kind) -> Self {
        Self {
            code,
            name: name.to_owned(),
            unit: String::new(),
            kind,
            cadence: Cadence::Subscription,
            anchor: Anchor::default(),
            on_renewal: None,
            credit_cost: None,
            trial_limit: 0,
            scale: 1,
            counts: None,
        }
    }

    /// Whether requests use it: what is not counted is only had or read, and an org's members come and go.
    pub fn is_drawn(&self) -> bool {
        self.kind.is_counted() && self.counts.is_none()
    }

    /// What a renewal does to `used`, with the default of its kind (C5).
    pub fn renewal(&self) -> OnRenewal {
        self.on_renewal.unwrap_or(match self.kind {
            Kind::Consumable | Kind::Flag | Kind::Setting => OnRenewal::Reset,
            Kind::Capacity => OnRenewal::Carry,
        })
    }
}
