//! What a catalog file may say of prices, packs and payments that are late (P8, P12, S14).

use std::collections::BTreeSet;

use super::invalid::{InvalidCatalog, is_currency, of_member, refused};
use super::pack::Pack;
use super::payment::{Overdue, PRICES_MAX, Renewal};
use super::plan::{CatalogFile, Plan, PlanKind};
use crate::amount::AMOUNT_MAX;

/// Longest life of a pack's credits, in days.
const DAYS_MAX: u32 = 36_500;

/// The packs of a file, and that a price stands for one thing alone.
pub(super) fn check_payment(file: &CatalogFile) -> Result<(), InvalidCatalog> {
    let mut codes = BTreeSet::new();
    for pack in &file.packs {
        check_pack(pack)?;
        if !codes.insert(&pack.code) {
            let entry = format!("pack `{}`", pack.code);
            return Err(refused(&entry, "code", "stands twice"));
        }
    }
    let plans = file.plans.iter();
    let plans = plans.map(|plan| (format!("plan `{}`", plan.code), &plan.provider_prices));
    let packs = file.packs.iter();
    let packs = packs.map(|pack| (format!("pack `{}`", pack.code), &pack.provider_prices));
    let mut seen = BTreeSet::new();
    for (entry, prices) in plans.chain(packs) {
        for (provider, prices) in prices {
            if prices.is_empty() || PRICES_MAX < prices.len() {
                let why = format!("of `{provider}` must be 1 to {PRICES_MAX}");
                return Err(refused(&entry, "provider_prices", &why));
            }
            let twice = prices.iter().find(|price| !seen.insert((provider, *price)));
            if let Some(price) = twice {
                let why = format!("name `{price}` of `{provider}`, which stands before");
                return Err(refused(&entry, "provider_prices", &why));
            }
        }
    }
    file.plans.iter().try_for_each(check_overdue)
}

fn check_pack(pack: &Pack) -> Result<(), InvalidCatalog> {
    let entry = format!("pack `{}`", pack.code);
    if !is_currency(&pack.currency) {
        let why = "must be three lower-case letters";
        return Err(refused(&entry, "currency", why));
    }
    if AMOUNT_MAX < pack.price {
        return Err(refused(&entry, "price", "must be at most 10^15"));
    }
    if pack
        .days
        .is_some_and(|days| !(1..=DAYS_MAX).contains(&days))
    {
        let why = format!("must be 1 to {DAYS_MAX}");
        return Err(refused(&entry, "days", &why));
    }
    Ok(())
}

/// What a plan says of payments that are late: of what it limits or has, and only where there is something to pay (S11, S14).
fn check_overdue(plan: &Plan) -> Result<(), InvalidCatalog> {
    let entry = format!("plan `{}`", plan.code);
    let why = match plan.kind {
        PlanKind::Addon => Some("is for a plan that accounts subscribe to: this is an add-on"),
        PlanKind::Base if plan.is_free() => Some("cannot be said of a free plan: nothing is paid"),
        PlanKind::Base => None,
    };
    if let Some(why) = why {
        let said = [
            ("renewal", plan.renewal != Renewal::default()),
            ("overdue", !plan.overdue.is_empty()),
        ];
        if let Some((field, _)) = said.iter().find(|(_, is_said)| *is_said) {
            return Err(refused(&entry, field, why));
        }
    }
    let mut codes = plan.overdue.keys();
    match codes.find(|code| !plan.limits.contains_key(*code)) {
        Some(code) => {
            let why = "says something of what the plan's `limits` do not name";
            Err(of_member(&entry, "overdue", code, why))
        }
        None => Ok(()),
    }
}

/// Of a flag or a setting there is no use to show: it is had or not (S14).
pub(super) fn check_uncounted_overdue(
    plan: &Plan,
    file: &CatalogFile,
) -> Result<(), InvalidCatalog> {
    for feature in file.features.iter().filter(|one| !one.kind.is_counted()) {
        if plan.overdue.get(&feature.code) == Some(&Overdue::ReadOnly) {
            let entry = format!("plan `{}`", plan.code);
            let why = "cannot be `read_only`: nothing of it is counted";
            return Err(of_member(&entry, "overdue", &feature.code, why));
        }
    }
    Ok(())
}
