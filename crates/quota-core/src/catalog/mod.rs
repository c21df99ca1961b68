//! Features and plans: what plans differ in, and what a subscription grants of it.

mod cadence;
mod feature;
mod given;
mod invalid;
mod kept;
mod on_demand;
mod pack;
mod payment;
mod plan;
mod plan_limit;
mod prices;
mod said_limits;
mod validate;
mod written;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{FeatureCode, PackCode, PlanCode, PriceId, ProviderCode};

pub use cadence::{Cadence, InvalidCadence, Span};
pub use feature::{Anchor, Counts, Feature, Kind, OnRenewal};
pub use given::Given;
pub use invalid::{CatalogMistake, InvalidCatalog, MISTAKES_MAX};
pub use on_demand::OnDemand;
pub use pack::{Pack, PackBoost};
pub use payment::{Overdue, PRICES_MAX, ProviderPrices, Renewal};
pub use plan::{CatalogFile, Interval, Plan, PlanKind};
pub use plan_limit::{LIMITS_MAX, Per, PlanLimit, PlanValue, Rollover, TEXT_CHARS_MAX};

/// The catalog in force: features, and every version of every plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Grows by one with every `apply`; 0 is the empty catalog.
    pub version: u64,
    /// Code of the plan that a new account has, and to which an account falls back when its subscription has ended (C14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_plan: Option<PlanCode>,
    /// The features by code.
    pub features: BTreeMap<FeatureCode, Feature>,
    /// The plans by code, oldest version first.
    pub plans: BTreeMap<PlanCode, Vec<Plan>>,
    /// The packs of credits and boosts that are sold, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packs: BTreeMap<PackCode, Pack>,
    /// Features that were in it once, by code, as they were when they left: accounts may still have balances of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub former_features: BTreeMap<FeatureCode, Feature>,
    /// Plans that were in it once, by code, with all their versions: one that comes back counts its versions on, so that a
    /// pinned subscription has what it was sold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub former_plans: BTreeMap<PlanCode, Vec<Plan>>,
    /// Packs that were in it once, by code: what was ordered of them may be paid yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub former_packs: BTreeMap<PackCode, Pack>,
}

impl Catalog {
    /// Whether some plan sells on demand what a provider's meter is told of, or once did.
    pub fn has_meters(&self) -> bool {
        let all = self.plans.values().chain(self.former_plans.values());
        let mut sold = all.flatten().flat_map(|plan| plan.on_demand.values());
        sold.any(|sold| sold.meter.is_some())
    }

    /// A version of a plan, or the newest. Versions count from 1.
    pub fn plan(&self, code: &PlanCode, version: Option<u32>) -> Option<&Plan> {
        at(self.plans.get(code)?, version)
    }

    /// The version of a plan that a subscription or an add-on has, by the number that it was begun with if the plan was
    /// pinned then (C7). Versions count from 1.
    pub fn held_plan(&self, code: &PlanCode, begun_with: Option<u32>) -> Option<&Plan> {
        let versions = self.plans.get(code)?;
        at(versions, held_of(versions, begun_with))
    }

    /// The version on which a subscription or an add-on stays, by the number that it was begun with; none where it follows
    /// the newest. A plan that is pinned keeps everyone on what they have: those who followed until then on the version before it
    /// was, if there is one. One that is pinned no more is followed by all.
    pub fn held_version(&self, code: &PlanCode, begun_with: Option<u32>) -> Option<u32> {
        held_of(self.plans.get(code)?, begun_with)
    }

    /// The number of a plan's newest version; 0 for an unknown plan.
    pub fn newest_version(&self, code: &PlanCode) -> u32 {
        self.plans.get(code).map_or(0, |versions| {
            u32::try_from(versions.len()).unwrap_or(u32::MAX)
        })
    }

    /// The newest version of the default plan, and its number, if there is one (C14).
    pub fn default_plan(&self) -> Option<(&Plan, u32)> {
        let code = self.default_plan.as_ref()?;
        Some((self.plan(code, None)?, self.newest_version(code)))
    }

    /// The newest version of the plan that has this price, base plan or add-on.
    pub fn plan_of_price(&self, provider: &ProviderCode, price: &PriceId) -> Option<&Plan> {
        let mut newest = self.plans.values().filter_map(|versions| versions.last());
        newest.find(|plan| has(&plan.provider_prices, provider, price))
    }

    /// The pack that has this price; also one that is sold no more, since what was ordered before may be paid yet.
    pub fn pack_of_price(&self, provider: &ProviderCode, price: &PriceId) -> Option<&Pack> {
        let mut packs = self.packs.values().chain(self.former_packs.values());
        packs.find(|pack| has(&pack.provider_prices, provider, price))
    }

    /// This catalog after `file` was applied: a plan that changed gets a new version, features are replaced,
    /// plans that the file leaves out stay for those who have them (C7). How a feature is counted does not change, nor
    /// whether a plan is an add-on, nor when it was left out and comes back.
    ///
    /// # Errors
    /// [`InvalidCatalog`] names every entry and field that breaks a rule; nothing is changed then.
    pub fn applied(&self, file: &CatalogFile) -> Result<Self, InvalidCatalog> {
        let mut mistakes = validate::check(file);
        let features = (&self.features, &self.former_features);
        mistakes.extend(kept::check_counting(features, file));
        mistakes.extend(kept::check_kinds((&self.plans, &self.former_plans), file));
        if let Some(invalid) = InvalidCatalog::of(mistakes) {
            return Err(invalid);
        }
        let mut next = self.clone();
        next.version = self.version.saturating_add(1);
        next.default_plan.clone_from(&file.default_plan);
        next.former_features.append(&mut next.features);
        for feature in &file.features {
            next.former_features.remove(&feature.code);
            next.features.insert(feature.code.clone(), feature.clone());
        }
        next.former_packs.append(&mut next.packs);
        for pack in &file.packs {
            next.former_packs.remove(&pack.code);
            next.packs.insert(pack.code.clone(), pack.clone());
        }
        for plan in &file.plans {
            let former = next.former_plans.remove(&plan.code);
            let entry = next.plans.entry(plan.code.clone());
            let versions = entry.or_insert_with(|| former.unwrap_or_default());
            if versions.last() != Some(plan) {
                versions.push(plan.clone());
            }
        }
        Ok(next)
    }

    /// Takes the plans out that `file` leaves out; what they were is remembered, should they come back.
    #[must_use]
    pub fn without_plans_left_out(mut self, file: &CatalogFile) -> Self {
        let is_in_file = |code: &PlanCode| file.plans.iter().any(|plan| plan.code == *code);
        let (kept, gone) = std::mem::take(&mut self.plans)
            .into_iter()
            .partition(|(code, _)| is_in_file(code));
        self.plans = kept;
        self.former_plans.extend::<BTreeMap<_, _>>(gone);
        self
    }
}

fn has(prices: &ProviderPrices, provider: &ProviderCode, price: &PriceId) -> bool {
    let prices = prices.get(provider);
    prices.is_some_and(|prices| prices.contains(price))
}

/// The version with that number, counted from 1, or the newest.
fn at(versions: &[Plan], version: Option<u32>) -> Option<&Plan> {
    match version {
        Some(number) => versions.get(usize::try_from(number).ok()?.checked_sub(1)?),
        None => versions.last(),
    }
}

/// See [`Catalog::held_version`].
fn held_of(versions: &[Plan], begun_with: Option<u32>) -> Option<u32> {
    let kept = versions.iter().rev().take_while(|plan| plan.pinned).count();
    if kept == 0 {
        return None;
    }
    let before = versions.len().saturating_sub(kept);
    let before = u32::try_from(before).unwrap_or(u32::MAX);
    let begun_pinned = begun_with.filter(|begun| before < *begun);
    begun_pinned.or(Some(before).filter(|before| *before != 0))
}
