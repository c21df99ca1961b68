//! Plans: what a subscription grants; and the file that states both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::feature::Feature;
use super::on_demand::OnDemand;
use super::pack::Pack;
use super::payment::{Overdue, Renewal, usd};
use super::plan_limit::PlanValue;
use crate::absent::is_default;
use crate::ids::{FeatureCode, PlanCode, PriceId, ProviderCode};

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

/// Whether a plan is subscribed to, or held beside one that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// An account subscribes to it.
    #[default]
    Base,
    /// It is held beside a base plan, in a quantity, and adds to its limits.
    Addon,
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
    /// Whether accounts subscribe to it, or hold it beside the plan that they subscribe to (C13).
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: PlanKind,
    /// Price of one interval in minor units of `currency`; 0 makes it a free plan (S7).
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000_000_000_000_u64))]
    pub price: u64,
    /// Three-letter currency code, lower case.
    #[serde(default = "usd")]
    #[cfg_attr(feature = "openapi", schema(min_length = 3, max_length = 3))]
    pub currency: String,
    /// How long one period lasts.
    #[serde(default)]
    pub interval: Interval,
    /// Whether running subscriptions stay on the version they began with (C7).
    #[serde(default)]
    pub pinned: bool,
    /// Days that an account may try it before it pays, 1 to 366; once in the account's life (S13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 366, nullable = false)
    )]
    pub trial_days: Option<u16>,
    /// What it allows of each feature that it names, in shown units.
    #[serde(default)]
    pub limits: BTreeMap<FeatureCode, PlanValue>,
    /// What it sells of consumables that it limits, when all else is spent (C11); of others nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on_demand: BTreeMap<FeatureCode, OnDemand>,
    /// Its prices at each provider: who pays one of them has the plan.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provider_prices: BTreeMap<ProviderCode, Vec<PriceId>>,
    /// Whether a period grants as soon as it begins, or once its invoice is paid (S11).
    #[serde(default, skip_serializing_if = "is_default")]
    pub renewal: Renewal,
    /// What is had of features while a payment is overdue and the grace runs; of others all (S14).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overdue: BTreeMap<FeatureCode, Overdue>,
}

impl Plan {
    /// Whether the plan costs nothing and so renews by itself (S7).
    pub fn is_free(&self) -> bool {
        self.price == 0
    }

    /// Whether it costs less than another plan over the same time, whatever the currencies.
    pub fn is_cheaper_than(&self, other: &Self) -> bool {
        let over_time = |plan: &Self, other: &Self| {
            let months = u64::from(other.interval.months());
            plan.price.saturating_mul(months)
        };
        over_time(self, other) < over_time(other, self)
    }

    /// Most money that all of what it sells on demand may come to in a period.
    pub fn on_demand_cap(&self) -> u64 {
        let caps = self.on_demand.values().map(|sold| sold.cap);
        caps.fold(0, u64::saturating_add)
    }
}

/// The catalog as its file states it: plans as code (C7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    /// Code of the plan that a new account has, and to which an account falls back when its subscription has ended (C14);
    /// it must be free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub default_plan: Option<PlanCode>,
    /// What can be counted and limited, in any order; no code twice.
    #[serde(default, rename = "feature")]
    pub features: Vec<Feature>,
    /// What a subscription may be for, in any order; no code twice.
    #[serde(default, rename = "plan")]
    pub plans: Vec<Plan>,
    /// Packs of credits that are sold, in any order; no code twice.
    #[serde(default, rename = "pack", skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<Pack>,
}
