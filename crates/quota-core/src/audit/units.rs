//! What entries are worth, in units of the features that they are about.

use std::collections::BTreeMap;

use crate::draw::Source;
use crate::ids::FeatureCode;
use crate::operation::Entry;

/// What entries spent, by feature and by what a unit cost; credits are paid in full units only in their sum.
#[derive(Debug, Clone, Default)]
pub(super) struct Spent(BTreeMap<(FeatureCode, u64), i128>);

impl Spent {
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut spent = Self::default();
        entries.for_each(|entry| spent.add(entry));
        spent
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        let Some(feature) = entry.feature.as_ref() else {
            return;
        };
        if entry.is_beside() {
            return;
        }
        let cost = if entry.source == Source::Credits {
            entry.unit_cost
        } else {
            1
        };
        let sum = self.0.entry((feature.clone(), cost)).or_insert(0);
        let by = i128::from(entry.used).saturating_add(entry.overage.into());
        *sum = sum.saturating_add(by);
    }

    /// Units by feature; those that come to nothing are left out.
    pub(super) fn units(&self) -> BTreeMap<&FeatureCode, i128> {
        let mut units: BTreeMap<&FeatureCode, i128> = BTreeMap::new();
        for ((feature, cost), sum) in &self.0 {
            let part = sum.checked_div((*cost).into()).unwrap_or(0);
            let total = units.entry(feature).or_insert(0);
            *total = total.saturating_add(part);
        }
        units.retain(|_, units| *units != 0);
        units
    }
}
