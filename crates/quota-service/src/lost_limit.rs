//! Who would have nothing of a feature any more under another catalog (C6, C7, C14).

use quota_core::catalog::{Catalog, Feature};
use quota_core::ids::{AccountId, FeatureCode};
use quota_core::ports::AccountRow;

use crate::setting::Setting;

/// An account that would lose its limit of a feature: nothing of that would be granted to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostLimit {
    /// The user or org.
    pub account: AccountId,
    /// Code of the feature.
    pub feature: FeatureCode,
}

/// Of which features that stay in the catalog an account is granted something now, and would be granted nothing then: its plan does not
/// name them any more, or it would have no plan.
pub(crate) fn lost_limits(
    row: &AccountRow,
    setting: &Setting,
    (now, next): (&Catalog, &Catalog),
) -> Vec<LostLimit> {
    if row.account.terms.unlimited {
        // It is granted all that it wants (U1).
        return Vec::new();
    }
    let has = |catalog: &Catalog, feature: &Feature| {
        let own = setting.under(catalog).allowance(&row.account, feature);
        own.in_force() && own.limit().is_some()
    };
    let counted = next.features.values();
    let counted = counted.filter(|feature| feature.kind.is_counted());
    let lost = counted.filter(|feature| has(now, feature) && !has(next, feature));
    let named = lost.map(|feature| LostLimit {
        account: row.id.clone(),
        feature: feature.code.clone(),
    });
    named.collect()
}
