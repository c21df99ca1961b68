//! What an account owes for use on demand (C11), summed over its features.

use chrono::{DateTime, Utc};

use super::context::Context;
use super::had::in_force;
use super::on_demand::{Caps, of_period, owed};
use crate::balance::Balance;
use crate::catalog::Plan;
use crate::home::Account;
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
}

/// What an account owes on demand, and may: by the plan in force; after that ended, what is owed for the period that it left.
/// None where nothing is, or was, sold in a period that runs.
pub fn spending(context: &Context<'_>, account: &Account) -> Option<Spending> {
    let balances = &account.books.balances;
    if let Some((plan, period)) = plan_in_force(context, account)
        && !plan.on_demand.is_empty()
    {
        let start = period.starts_at.timestamp_micros();
        return Some(Spending {
            owed: owed(of_period(balances, start), Balance::spent),
            cap: Caps::of(account.terms.spend_cap, plan).sum(plan),
            currency: plan.currency.clone(),
            period_ends_at: period.ends_at,
        });
    }
    let runs = |sold: &&Balance| sold.ends_at.is_none_or(|ends_at| context.now < ends_at);
    let sold = balances.iter().filter(|sold| sold.sale.is_some());
    let last = sold.filter(runs).max_by_key(|sold| sold.starts_at)?;
    let start = last.starts_at.timestamp_micros();
    Some(Spending {
        owed: owed(of_period(balances, start), Balance::spent),
        cap: 0,
        currency: last.sale.as_ref()?.currency.clone(),
        period_ends_at: last.ends_at,
    })
}

/// The plan of the subscription that is in force, and its running period.
pub(super) fn plan_in_force<'a>(
    context: &Context<'a>,
    account: &Account,
) -> Option<(&'a Plan, Window)> {
    let held = in_force(context, &account.terms)?;
    let plan = context.catalog.plan(&held.plan, held.plan_version)?;
    Some((plan, held.period(context.now)))
}
