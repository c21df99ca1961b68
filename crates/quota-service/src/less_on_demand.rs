//! Who would be sold less on demand under another catalog (C7, C11).

use quota_core::balance::Balance;
use quota_core::catalog::{Catalog, Feature, Kind};
use quota_core::ids::{AccountId, FeatureCode};
use quota_core::ports::AccountRow;

use crate::setting::Setting;

/// An account that would be sold less on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessOnDemand {
    /// The user or org.
    pub account: AccountId,
    /// Code of the feature.
    pub feature: FeatureCode,
    /// What it owes for it in the running period, in minor units of the plan's currency.
    pub owed: u64,
    /// What it would be sold for at most; none when the feature would not be sold any more.
    pub cap: Option<u64>,
}

/// Which features the plan of an account sells on demand now and would not then, or up to less than is owed already.
pub(crate) fn less_on_demand(
    row: &AccountRow,
    setting: &Setting,
    (now, next): (&Catalog, &Catalog),
) -> Vec<LessOnDemand> {
    if row.account.terms.unlimited {
        // Nothing is sold to it (U1).
        return Vec::new();
    }
    let selling = |catalog: &Catalog, feature: &Feature| {
        let own = setting.under(catalog).allowance(&row.account, feature);
        own.selling
    };
    let less = |feature: &Feature| {
        let sold = selling(now, feature)?;
        let then = next.features.get(&feature.code);
        let cap = then.and_then(|feature| selling(next, feature));
        let cap = cap.map(|sold| sold.cap);
        let open = row.account.books.balance(&sold.bucket);
        let owed = sold.sale.owed(open.map_or(0, Balance::spent));
        let is_enough = cap.is_some_and(|cap| owed <= cap || sold.cap <= cap);
        (!is_enough).then(|| LessOnDemand {
            account: row.id.clone(),
            feature: feature.code.clone(),
            owed,
            cap,
        })
    };
    let spent = now.features.values();
    let spent = spent.filter(|feature| feature.kind == Kind::Consumable);
    spent.filter_map(less).collect()
}
