//! What the plans of an account say of a feature: its base plan, and the add-ons beside it (C12, C13, P13).

use chrono::{DateTime, Utc};

use crate::amount::Limit;
use crate::catalog::{Catalog, Feature, Per, Plan, PlanLimit, PlanValue};
use crate::ids::PlanCode;
use crate::quantity::Quantity;
use crate::terms::{Addon, Subscription, Terms};

/// What the plan that limits a feature says of it, and how many of that plan there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) value: &'a PlanValue,
    seats: Quantity,
    quantity: Quantity,
    /// Since when the account has it; none where that is as long as its subscription runs. Nothing rolls over from before it
    /// (C10).
    pub(super) since: Option<DateTime<Utc>>,
}

impl<'a> Held<'a> {
    /// By the base plan, if it names the feature.
    pub(super) fn by_base(
        (plan, held): (&'a Plan, &Subscription),
        feature: &Feature,
    ) -> Option<Self> {
        let value = plan.limits.get(&feature.code)?;
        Some(Self {
            value,
            seats: held.seats,
            quantity: Quantity::ONE,
            since: held.plan_since,
        })
    }

    /// By an add-on, where the base plan does not name the feature.
    fn by_addon(held: &HeldAddon<'a>, value: &'a PlanValue) -> Self {
        Self {
            value,
            seats: Quantity::ONE,
            quantity: held.addon.quantity,
            since: Some(held.addon.starts_at),
        }
    }

    /// One of its limits, in stored units.
    pub(super) fn stored(&self, limit: &PlanLimit, feature: &Feature) -> Limit {
        limit.stored(feature, self.seats).times(self.quantity)
    }
}

/// An add-on that an account holds, and the version of its plan that applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldAddon<'a> {
    pub(super) plan: &'a Plan,
    pub(super) addon: &'a Addon,
}

/// The add-ons that are held at `at` beside the base plan of that instant, the one that was had first before the others. Whether
/// they grant anything is asked of the base plan.
pub(super) fn addons_at<'a>(
    terms: &'a Terms,
    catalog: &'a Catalog,
    at: DateTime<Utc>,
) -> Vec<HeldAddon<'a>> {
    let base = terms
        .subscription
        .as_ref()
        .filter(|_| !terms.addons.is_empty());
    let Some(base) = base.map(|base| base.current(catalog, at)) else {
        return Vec::new();
    };
    let held = terms.addons.iter().filter_map(|(code, addon)| {
        let plan = base.addon_plan(catalog, (code, addon), at)?;
        Some(HeldAddon { plan, addon })
    });
    let mut held: Vec<_> = held.collect();
    held.sort_by_key(|held| held.addon.starts_at);
    held
}

/// What the first add-on says that names a feature: where the base plan does not, it limits the feature by itself.
pub(super) fn first_named<'a>(
    addons: &[HeldAddon<'a>],
    feature: &Feature,
) -> Option<(Held<'a>, &'a PlanCode)> {
    let mut named = addons.iter().filter_map(|held| {
        let value = held.plan.limits.get(&feature.code)?;
        Some((Held::by_addon(held, value), &held.plan.code))
    });
    named.next()
}

/// The add-ons beside the plan that limits a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    pub(super) terms: &'a Terms,
    pub(super) catalog: &'a Catalog,
    /// The add-on that limits the feature by itself, where one does.
    pub(super) but: Option<&'a PlanCode>,
}

impl Beside<'_> {
    /// What they add at `at` to the limit that is counted by `per`; none when none of them has such a limit.
    pub(super) fn added(&self, feature: &Feature, per: Per, at: DateTime<Utc>) -> Option<Limit> {
        let mut sum: Option<Limit> = None;
        for HeldAddon { plan, addon } in addons_at(self.terms, self.catalog, at) {
            let value = plan.limits.get(&feature.code);
            let Some(value) = value.filter(|_| self.but != Some(&plan.code)) else {
                continue;
            };
            let limits = value.limits();
            let same = limits.iter().filter(|limit| limit.per(feature) == per);
            for limit in same {
                let more = limit.stored(feature, Quantity::ONE).times(addon.quantity);
                sum = Some(sum.map_or(more, |sum| sum.with(more)));
            }
        }
        sum
    }
}
