//! Catalogs that are kept.

use std::collections::BTreeMap;

use quota_core::amount::{AMOUNT_MAX, Amount, Limit};
use quota_core::catalog::{
    Anchor, Cadence, Catalog, CatalogFile, Feature, Interval, Kind, OnDemand, Overdue, Pack, Plan,
    PlanKind, PlanLimit, PlanValue, ProviderPrices, Renewal, Rollover,
};
use quota_core::ids::{MeterName, PackCode, PlanCode, PriceId, ProviderCode};

use super::Store;
use super::round_trip::{ODD, odd_instant};
use crate::fixtures::feature;

fn limits() -> Vec<PlanLimit> {
    vec![
        PlanLimit {
            rollover: Some(Rollover { max: AMOUNT_MAX }),
            ..PlanLimit::new(Limit::Of(AMOUNT_MAX))
        },
        PlanLimit {
            per: Some("5h".parse().expect("a span")),
            anchor: Some(Anchor::FirstUse),
            per_seat: true,
            ..PlanLimit::new(Limit::Unlimited)
        },
    ]
}

fn sold() -> OnDemand {
    OnDemand {
        price: 4,
        per: 1_000,
        cap: AMOUNT_MAX,
        currency: Some("eur".to_owned()),
        meter: MeterName::new("tokens_used").ok(),
    }
}

/// A catalog comes back with all versions of its plans.
pub async fn a_whole_catalog_comes_back(store: Store) {
    let feature = Feature {
        code: self::feature("f0"),
        name: ODD.to_owned(),
        unit: ODD.to_owned(),
        kind: Kind::Consumable,
        cadence: Cadence::Monthly,
        anchor: Anchor::Subscription,
        on_renewal: None,
        credit_cost: None,
        trial_limit: 0,
        scale: 1,
        counts: None,
    };
    let flag = Feature::new(self::feature("f1"), ODD, Kind::Flag);
    let setting = Feature {
        unit: ODD.to_owned(),
        ..Feature::new(self::feature("f2"), ODD, Kind::Setting)
    };
    let mut pro = Plan {
        code: PlanCode::new("pro").expect("a plan's code"),
        name: ODD.to_owned(),
        kind: PlanKind::Base,
        price: AMOUNT_MAX,
        currency: "eur".to_owned(),
        interval: Interval::Year,
        pinned: true,
        trial_days: Some(366),
        limits: [
            (feature.code.clone(), PlanValue::Limits(limits())),
            (flag.code.clone(), PlanValue::Flag(true)),
            (setting.code.clone(), PlanValue::Text(ODD.to_owned())),
        ]
        .into(),
        on_demand: [(feature.code.clone(), sold())].into(),
        provider_prices: prices("price_1 \"¤'"),
        renewal: Renewal::WhenPaid,
        overdue: [(feature.code.clone(), Overdue::ReadOnly)].into(),
    };
    let addon = Plan {
        code: PlanCode::new("more").expect("a plan's code"),
        kind: PlanKind::Addon,
        trial_days: None,
        on_demand: BTreeMap::new(),
        provider_prices: BTreeMap::new(),
        renewal: Renewal::AtOnce,
        overdue: BTreeMap::new(),
        limits: BTreeMap::from([(feature.code.clone(), Limit::Of(AMOUNT_MAX).into())]),
        ..pro.clone()
    };
    let file = |plan: &Plan| CatalogFile {
        default_plan: plan.is_free().then(|| plan.code.clone()),
        features: vec![feature.clone(), flag.clone(), setting.clone()],
        plans: vec![plan.clone(), addon.clone()],
        packs: vec![pack()],
    };
    let first = Catalog::default().applied(&file(&pro)).expect("is valid");
    (pro.price, pro.trial_days) = (0, None);
    (pro.renewal, pro.overdue) = (Renewal::AtOnce, BTreeMap::new());
    let second = first.applied(&file(&pro)).expect("is valid");
    for catalog in [&first, &second] {
        let put = store.put_catalog(catalog, Some(ODD), odd_instant()).await;
        assert!(put.expect("writes"));
    }
    assert_eq!(store.catalog().await.expect("reads"), second);
}

fn prices(id: &str) -> ProviderPrices {
    let provider = ProviderCode::new("stripe").expect("a provider's code");
    let price = PriceId::new(id).expect("a price's id");
    [(provider, vec![price])].into()
}

fn pack() -> Pack {
    Pack {
        code: PackCode::new("credits").expect("a pack's code"),
        name: ODD.to_owned(),
        credits: Some(Amount::new(AMOUNT_MAX).expect("an amount")),
        boost: None,
        price: AMOUNT_MAX,
        currency: "eur".to_owned(),
        days: Some(36_500),
        priority: u32::MAX,
        provider_prices: prices("price_2"),
    }
}
