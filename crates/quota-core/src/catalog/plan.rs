//! Plans: what a subscription grants; and the file that states both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::feature::Feature;
use super::plan_limit::PlanValue;
use crate::ids::{FeatureCode, PlanCode};

/// How long one paid period lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// One month.
    #[default]
    Month,
    /// Twelve months.
    Year,
}

impl Interval {
    /// The interval in months.
    pub fn months(self) -> u32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }
}

/// What a subscription grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its code, unique in the catalog.
    pub code: PlanCode,
    /// A name for people.
    pub name: String,
    /// Price of one interval in minor units of `currency`; 0 makes it a free plan (S7).
    #[serde(default)]
    pub price: u64,
    /// Three-letter currency code, lower case.
    #[serde(default = "usd")]
    pub currency: String,
    /// How long one period lasts.
    #[serde(default)]
    pub interval: Interval,
    /// Whether running subscriptions stay on the version they began with (C7).
    #[serde(default)]
    pub pinned: bool,
    /// What it allows of each feature that it names, in shown units.
    #[serde(default)]
    pub limits: BTreeMap<FeatureCode, PlanValue>,
}

fn usd() -> String {
    "usd".to_owned()
}

impl Plan {
    /// Whether the plan costs nothing and so renews by itself (S7).
    pub fn is_free(&self) -> bool {
        self.price == 0
    }
}

/// The catalog as its file states it: plans as code (C7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    /// What can be counted and limited, in any order; no code twice.
    #[serde(default, rename = "feature")]
    pub features: Vec<Feature>,
    /// What a subscription may be for, in any order; no code twice.
    #[serde(default, rename = "plan")]
    pub plans: Vec<Plan>,
}
