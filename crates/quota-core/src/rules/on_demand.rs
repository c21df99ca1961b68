//! What an account may still buy on demand (C11): how many units, at which price, and how far its caps reach.

use super::counting::Clock;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Feature, Plan};
use crate::sale::Sale;
use crate::terms::SpendCap;
use crate::window::Window;

/// A feature as it is sold to an account in the running period of its subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selling {
    /// The balance that counts what is sold; it may not be open yet.
    pub bucket: Bucket,
    /// The period of the subscription.
    pub period: Window,
    /// At which price: the one that the period began with, once something was sold in it.
    pub sale: Sale,
    /// Most money for this feature in the period.
    pub cap: u64,
    /// Most units in the period: what the cap buys, and what is left of the account's own cap beside other features.
    pub most: u64,
}

impl Selling {
    /// Units that can still be sold.
    pub fn room(&self, balances: &[Balance]) -> u64 {
        let open = balances.iter().find(|open| open.bucket == self.bucket);
        self.most.saturating_sub(open.map_or(0, Balance::taken))
    }
}

/// What an account may spend on demand in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caps {
    /// For all features together; none when only those of the plan count.
    total: Option<u64>,
    /// For each feature, in place of the plan's caps.
    each: Option<u64>,
}

impl Caps {
    /// An operator's cap above those of the plan together takes their place; else it binds beside them, as the owner's does.
    pub(super) fn of(own: SpendCap, plan: &Plan) -> Self {
        let each = own.operator.filter(|cap| plan.on_demand_cap() < *cap);
        let total = [own.operator, own.owner].into_iter().flatten().min();
        Self { total, each }
    }

    /// What all features together may come to.
    pub(super) fn sum(self, plan: &Plan) -> u64 {
        let of_plan = self.each.unwrap_or_else(|| plan.on_demand_cap());
        self.total.map_or(of_plan, |total| total.min(of_plan))
    }
}

/// How `plan` sells a feature to an account whose subscription is in force; none where it does not, and to an unlimited
/// user.
pub(super) fn selling(clock: &Clock<'_>, plan: &Plan, feature: &Feature) -> Option<Box<Selling>> {
    let offered = plan.on_demand.get(&feature.code)?;
    let seen = clock.in_force.filter(|_| !clock.terms.unlimited)?;
    let period = seen.period;
    let start = period.starts_at.timestamp_micros();
    let bucket = Bucket::OnDemand(feature.code.clone(), start);
    let open = clock.balances.iter().find(|open| open.bucket == bucket);
    let sale = open.and_then(|open| open.sale.as_deref().cloned());
    let sale = sale.unwrap_or_else(|| offered.sale(&plan.currency, feature));
    let caps = Caps::of(clock.terms.spend_cap, plan);
    let cap = caps.each.unwrap_or(offered.cap);
    let left = caps.total.map_or(cap, |total| {
        let of_period = of_period(clock.balances, (start, &sale.currency));
        let others = of_period.filter(|other| other.bucket != bucket);
        total.saturating_sub(owed(others, Balance::taken)).min(cap)
    });
    let most = sale.units_within(left);
    debug_assert!(sale.owed(most) <= left, "what is sold stays within the cap");
    Some(Box::new(Selling {
        bucket,
        period,
        sale,
        cap,
        most,
    }))
}

/// What was sold of any feature in a currency, in the period that began then: sums of several currencies are none.
pub(super) fn of_period<'a>(
    balances: &'a [Balance],
    (start, currency): (i64, &'a str),
) -> impl Iterator<Item = &'a Balance> {
    balances.iter().filter(move |sold| {
        let is_of = matches!(&sold.bucket, Bucket::OnDemand(_, at) if *at == start);
        let sale = sold.sale.as_ref();
        is_of && sale.is_some_and(|sale| sale.currency == currency)
    })
}

/// What the units of balances come to, each at its own price.
pub(super) fn owed<'a>(sold: impl Iterator<Item = &'a Balance>, units: fn(&Balance) -> u64) -> u64 {
    let money = sold.filter_map(|sold| Some(sold.sale.as_ref()?.owed(units(sold))));
    money.fold(0, u64::saturating_add)
}
