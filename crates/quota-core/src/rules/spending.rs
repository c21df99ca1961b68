//! What an account owes for use on demand (C11), summed over its features.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::context::Context;
use super::had::in_force;
use super::on_demand::{Caps, of_period, owed};
use crate::balance::{Balance, Bucket};
use crate::catalog::Plan;
use crate::home::Account;
use crate::ids::FeatureCode;
use crate::sale::Sale;
use crate::window::Window;

/// What an account owes for use on demand in the running period, and how far it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// Owed for what is used, in minor units of the currency.
    pub owed: u64,
    /// Most that it may come to for all features together.
    pub cap: u64,
    /// Three-letter currency code.
    pub currency: String,
    /// When the period ends; what follows begins at 0.
    pub period_ends_at: Option<DateTime<Utc>>,
    /// What is owed beside it: of earlier periods that were left before their end, up to that, and of this one in another currency;
    /// newest first.
    pub earlier: Vec<SoldPeriod>,
}

/// What was sold to an account in one period of its subscription, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldPeriod {
    /// First instant of the period.
    pub starts_at: DateTime<Utc>,
    /// The end that it had; it may have been left before.
    pub ends_at: Option<DateTime<Utc>>,
    /// Three-letter currency code.
    pub currency: String,
    /// Owed for what is used of all features, in minor units of the currency.
    pub owed: u64,
    /// What was sold of each feature in the period.
    pub features: Vec<SoldFeature>,
}

/// What was sold of one feature in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldFeature {
    /// Code of the feature that was sold.
    pub feature: FeatureCode,
    /// Used, in stored units.
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    pub held: u64,
    /// At which price.
    pub sale: Sale,
    /// What the used units come to.
    pub owed: u64,
}

/// What an account owes on demand, and may: by the plan in force; after that ended, what is owed for the period that it left.
/// None where nothing is, or was, sold in a period that runs.
pub fn spending(context: &Context<'_>, account: &Account) -> Option<Spending> {
    let balances = &account.books.balances;
    let runs = |sold: &&Balance| sold.ends_at.is_none_or(|ends_at| context.now < ends_at);
    let running = balances.iter().filter(runs);
    let mut sold = sold_periods(running);
    if let Some((plan, period)) = plan_in_force(context, account)
        && !plan.on_demand.is_empty()
    {
        let start = period.starts_at.timestamp_micros();
        // What was sold before the plan's currency became another one is shown first: sums of two are none.
        let is_other = |sold: &&SoldPeriod| {
            sold.starts_at == period.starts_at && sold.currency != plan.currency
        };
        let other = sold.iter().find(is_other);
        let currency = other.map_or_else(|| plan.currency.clone(), |sold| sold.currency.clone());
        sold.retain(|sold| sold.starts_at != period.starts_at || sold.currency != currency);
        return Some(Spending {
            owed: owed(of_period(balances, (start, &currency)), Balance::spent),
            cap: Caps::of(account.terms.spend_cap, plan).sum(plan),
            currency,
            period_ends_at: period.ends_at,
            earlier: sold,
        });
    }
    let last = (!sold.is_empty()).then(|| sold.remove(0))?;
    Some(Spending {
        owed: last.owed,
        cap: 0,
        currency: last.currency,
        period_ends_at: last.ends_at,
        earlier: sold,
    })
}

/// The periods in which any of these balances was sold, newest first.
pub fn sold_periods<'a>(balances: impl Iterator<Item = &'a Balance>) -> Vec<SoldPeriod> {
    let mut periods: BTreeMap<(DateTime<Utc>, String), SoldPeriod> = BTreeMap::new();
    for balance in balances.filter(|sold| sold.taken() != 0) {
        let (Bucket::OnDemand(feature, _), Some(sale)) = (&balance.bucket, &balance.sale) else {
            continue;
        };
        let key = (balance.starts_at, sale.currency.clone());
        let period = periods.entry(key).or_insert_with(|| SoldPeriod {
            starts_at: balance.starts_at,
            ends_at: balance.ends_at,
            currency: sale.currency.clone(),
            owed: 0,
            features: Vec::new(),
        });
        let owed = sale.owed(balance.spent());
        period.ends_at = period.ends_at.max(balance.ends_at);
        period.owed = period.owed.saturating_add(owed);
        period.features.push(SoldFeature {
            feature: feature.clone(),
            used: balance.spent(),
            held: balance.held,
            sale: sale.as_ref().clone(),
            owed,
        });
    }
    let mut periods: Vec<SoldPeriod> = periods.into_values().rev().collect();
    for period in &mut periods {
        period
            .features
            .sort_by(|one, other| one.feature.cmp(&other.feature));
    }
    periods
}

/// The plan of the subscription that is in force, and its running period.
pub(super) fn plan_in_force<'a>(
    context: &Context<'a>,
    account: &Account,
) -> Option<(&'a Plan, Window)> {
    let held = in_force(context, &account.terms)?;
    let plan = context.catalog.held_plan(&held.plan, held.plan_version)?;
    Some((plan, held.period(context.now)))
}
