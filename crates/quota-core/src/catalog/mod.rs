//! Features and plans: what can be counted, and what a subscription grants of it.

mod validate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Limit;
use crate::ids::{FeatureCode, PlanCode};

pub use validate::InvalidCatalog;

/// Whether a feature is spent or occupied (C2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Spent: articles, requests.
    Consumable,
    /// Occupied: albums, bytes; deleting gives back.
    Capacity,
}

/// How often an allowance becomes whole again (C3). There is no `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Every day.
    Daily,
    /// Every month.
    Monthly,
    /// Once for each period of the subscription.
    Subscription,
}

/// What windows are counted from (C4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The subscription's start.
    #[default]
    Subscription,
    /// Midnight, or the first of the month, in the account's time zone.
    Calendar,
}

/// What a renewal does to `used` (C5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRenewal {
    /// It begins at 0.
    Reset,
    /// It stays: what is occupied is still there.
    Carry,
}

/// Something that is counted and limited (C1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its code, unique in the catalog.
    pub code: FeatureCode,
    /// A name for people.
    pub name: String,
    /// The unit that people see, such as `MB`.
    pub unit: String,
    /// Spent or occupied.
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

fn one() -> u64 {
    1
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

/// How long one paid period lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// The limit of each feature in the plan, in shown units.
    #[serde(default)]
    pub limits: BTreeMap<FeatureCode, Limit>,
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
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    /// The features.
    #[serde(default, rename = "feature")]
    pub features: Vec<Feature>,
    /// The plans.
    #[serde(default, rename = "plan")]
    pub plans: Vec<Plan>,
}

/// The catalog in force: features, and every version of every plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Grows by one with every `apply`; 0 is the empty catalog.
    pub version: u64,
    /// The features by code.
    pub features: BTreeMap<FeatureCode, Feature>,
    /// The plans by code, oldest version first.
    pub plans: BTreeMap<PlanCode, Vec<Plan>>,
}

impl Catalog {
    /// The version of a plan that applies: the pinned one, or the newest. Versions count from 1.
    pub fn plan(&self, code: &PlanCode, pinned_version: Option<u32>) -> Option<&Plan> {
        let versions = self.plans.get(code)?;
        match pinned_version {
            Some(number) => versions.get(usize::try_from(number).ok()?.checked_sub(1)?),
            None => versions.last(),
        }
    }

    /// The number of a plan's newest version; 0 for an unknown plan.
    pub fn newest_version(&self, code: &PlanCode) -> u32 {
        self.plans.get(code).map_or(0, |versions| {
            u32::try_from(versions.len()).unwrap_or(u32::MAX)
        })
    }

    /// This catalog after `file` was applied: a plan that changed gets a new version, features are replaced,
    /// plans that the file leaves out stay for those who have them (C7). How a feature is counted does not change.
    ///
    /// # Errors
    /// [`InvalidCatalog`] names the entry and the field that break a rule; nothing is changed then.
    pub fn applied(&self, file: &CatalogFile) -> Result<Self, InvalidCatalog> {
        validate::check(file)?;
        validate::check_counting(&self.features, file)?;
        let mut next = self.clone();
        next.version = self.version.saturating_add(1);
        next.features = file
            .features
            .iter()
            .map(|f| (f.code.clone(), f.clone()))
            .collect();
        for plan in &file.plans {
            let versions = next.plans.entry(plan.code.clone()).or_default();
            if versions.last() != Some(plan) {
                versions.push(plan.clone());
            }
        }
        Ok(next)
    }
}
