//! Catalogs as they are stored.

use std::collections::BTreeMap;

use quota_core::amount::Limit;
use quota_core::catalog::{
    Anchor, Cadence, Catalog, Counts, Feature, Interval, Kind, OnDemand, OnRenewal, Overdue, Pack,
    PackBoost, Plan, PlanKind, PlanLimit, PlanValue, ProviderPrices, Renewal, Rollover,
};
use quota_core::ids::{FeatureCode, MeterName, PackCode, PriceId, ProviderCode};

use super::{amount, feature, of, plan};
use crate::Documents;

fn full_limits() -> BTreeMap<FeatureCode, PlanValue> {
    BTreeMap::from([
        (feature("albums"), PlanValue::Limit(Limit::Unlimited)),
        (feature("articles"), PlanValue::Limit(Limit::Of(10))),
        (
            feature("messages"),
            PlanValue::Limits(vec![PlanLimit::new(Limit::Of(5))]),
        ),
        (
            feature("tokens"),
            PlanValue::Limits(vec![
                PlanLimit {
                    per: Some(Cadence::Weekly),
                    anchor: Some(Anchor::Calendar),
                    rollover: Some(Rollover { max: 30 }),
                    per_seat: true,
                    member_limit: Some(Limit::Of(50)),
                    ..PlanLimit::new(Limit::Of(500))
                },
                PlanLimit::new(Limit::Unlimited),
            ]),
        ),
        (feature("sso"), PlanValue::Flag(true)),
        (feature("support"), PlanValue::Text("mail".to_owned())),
    ])
}

/// One of each kind.
fn features(least: Feature) -> [Feature; 5] {
    let full = Feature {
        code: feature("articles"),
        kind: Kind::Consumable,
        cadence: Cadence::Daily,
        anchor: Anchor::Calendar,
        on_renewal: Some(OnRenewal::Reset),
        credit_cost: Some(3),
        trial_limit: 2,
        scale: 1_000_000,
        ..least.clone()
    };
    let flag = Feature::new(feature("sso"), "Sign-on", Kind::Flag);
    let setting = Feature {
        unit: "kind".to_owned(),
        ..Feature::new(feature("support"), "Support", Kind::Setting)
    };
    let members = Feature {
        counts: Some(Counts::Members),
        ..Feature::new(feature("members"), "Members", Kind::Capacity)
    };
    [least, full, flag, members, setting]
}

fn full_on_demand() -> BTreeMap<FeatureCode, OnDemand> {
    let least = OnDemand {
        price: 4,
        per: 1,
        cap: 100,
        currency: None,
        meter: None,
    };
    let full = OnDemand {
        per: 1_000,
        meter: Some(of(MeterName::new("tokens_used"))),
        currency: Some("eur".to_owned()),
        ..least.clone()
    };
    BTreeMap::from([(feature("messages"), least), (feature("tokens"), full)])
}

pub fn catalogs() -> Documents<Catalog> {
    let least_feature = Feature {
        code: feature("albums"),
        name: "Albums".to_owned(),
        unit: "album".to_owned(),
        kind: Kind::Capacity,
        cadence: Cadence::Subscription,
        anchor: Anchor::Subscription,
        on_renewal: None,
        credit_cost: None,
        trial_limit: 0,
        scale: 1,
        counts: None,
    };
    let [least_plan, full_plan] = plans();
    let former = Feature {
        code: feature("uploads"),
        ..least_feature.clone()
    };
    let addon = Plan {
        code: plan("more"),
        kind: PlanKind::Addon,
        ..least_plan.clone()
    };
    let gone = Plan {
        code: plan("gone"),
        ..least_plan.clone()
    };
    let [least_pack, full_pack, boost_pack] = packs();
    let full = Catalog {
        packs: BTreeMap::from([
            (pack("credits_500"), full_pack),
            (pack("articles_20"), boost_pack),
        ]),
        former_packs: BTreeMap::from([(pack("credits_50"), least_pack)]),
        version: 3,
        default_plan: Some(plan("free")),
        former_plans: BTreeMap::from([(plan("gone"), vec![gone])]),
        former_features: BTreeMap::from([(feature("uploads"), former)]),
        features: features(least_feature)
            .map(|feature| (feature.code.clone(), feature))
            .into(),
        plans: BTreeMap::from([
            (plan("free"), vec![least_plan, full_plan]),
            (plan("more"), vec![addon]),
        ]),
    };
    vec![("empty", Catalog::default()), ("full", full)]
}

fn pack(code: &str) -> PackCode {
    of(PackCode::new(code))
}

fn prices() -> ProviderPrices {
    let prices = ["price_1", "price_2"].map(|price| of(PriceId::new(price)));
    BTreeMap::from([(of(ProviderCode::new("stripe")), prices.into())])
}

/// With as little as may be said of one, and with everything.
fn packs() -> [Pack; 3] {
    let least_pack = Pack {
        code: pack("credits_50"),
        name: "50 credits".to_owned(),
        credits: Some(amount(50)),
        boost: None,
        price: 500,
        currency: "usd".to_owned(),
        days: None,
        priority: 0,
        provider_prices: BTreeMap::new(),
    };
    let full_pack = Pack {
        code: pack("credits_500"),
        days: Some(365),
        priority: 7,
        provider_prices: prices(),
        ..least_pack.clone()
    };
    let boost = PackBoost {
        feature: of(FeatureCode::new("articles")),
        amount: amount(20),
        days: Some(30),
    };
    let boost_pack = Pack {
        code: pack("articles_20"),
        credits: None,
        boost: Some(boost),
        ..least_pack.clone()
    };
    [least_pack, full_pack, boost_pack]
}

/// The same of plans.
fn plans() -> [Plan; 2] {
    let least_plan = Plan {
        code: plan("free"),
        name: "Free".to_owned(),
        kind: PlanKind::Base,
        price: 0,
        currency: "usd".to_owned(),
        interval: Interval::Month,
        pinned: false,
        trial_days: None,
        limits: BTreeMap::new(),
        on_demand: BTreeMap::new(),
        provider_prices: BTreeMap::new(),
        renewal: Renewal::AtOnce,
        overdue: BTreeMap::new(),
    };
    let full_plan = Plan {
        code: plan("free"),
        price: 4_900,
        currency: "eur".to_owned(),
        interval: Interval::Year,
        pinned: true,
        trial_days: Some(14),
        limits: full_limits(),
        on_demand: full_on_demand(),
        provider_prices: prices(),
        renewal: Renewal::WhenPaid,
        overdue: BTreeMap::from([
            (feature("albums"), Overdue::ReadOnly),
            (feature("articles"), Overdue::Blocked),
        ]),
        ..least_plan.clone()
    };
    [least_plan, full_plan]
}
