//! What a catalog file may say of prices, packs and payments that are late (P8, P12, S14).

use std::collections::BTreeSet;

use super::invalid::{CatalogMistake, is_currency, of_member, refused};
use super::pack::Pack;
use super::payment::{Overdue, PRICES_MAX, Renewal};
use super::plan::{CatalogFile, Plan, PlanKind};
use crate::amount::AMOUNT_MAX;

/// Longest life of a pack's credits, in days.
const DAYS_MAX: u32 = 36_500;

/// The packs of a file, and that a price stands for one thing alone.
pub(super) fn check_payment(file: &CatalogFile) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
    let mut codes = BTreeSet::new();
    for pack in &file.packs {
        found.extend(check_pack(pack));
        if !codes.insert(&pack.code) {
            let entry = format!("pack `{}`", pack.code);
            found.push(refused(&entry, "code", "stands twice"));
        }
    }
    found.extend(check_prices(file));
    found.extend(file.plans.iter().flat_map(check_overdue));
    found
}

fn check_prices(file: &CatalogFile) -> Vec<CatalogMistake> {
    let plans = file.plans.iter();
    let plans = plans.map(|plan| (format!("plan `{}`", plan.code), &plan.provider_prices));
    let packs = file.packs.iter();
    let packs = packs.map(|pack| (format!("pack `{}`", pack.code), &pack.provider_prices));
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (entry, prices) in plans.chain(packs) {
        for (provider, prices) in prices {
            if prices.is_empty() || PRICES_MAX < prices.len() {
                let why = format!("of `{provider}` must be 1 to {PRICES_MAX}");
                let within = vec![provider.to_string()];
                found.push(refused(&entry, "provider_prices", &why).within(within));
            }
            for (index, price) in prices.iter().enumerate() {
                if !seen.insert((provider, price)) {
                    let why = format!("name `{price}` of `{provider}`, which stands before");
                    let within = vec![provider.to_string(), index.to_string()];
                    found.push(refused(&entry, "provider_prices", &why).within(within));
                }
            }
        }
    }
    found
}

fn check_pack(pack: &Pack) -> Vec<CatalogMistake> {
    let entry = format!("pack `{}`", pack.code);
    let mut found = Vec::new();
    if !is_currency(&pack.currency) {
        let why = "must be three lower-case letters";
        found.push(refused(&entry, "currency", why));
    }
    if AMOUNT_MAX < pack.price {
        found.push(refused(&entry, "price", "must be at most 10^15"));
    }
    if pack
        .days
        .is_some_and(|days| !(1..=DAYS_MAX).contains(&days))
    {
        let why = format!("must be 1 to {DAYS_MAX}");
        found.push(refused(&entry, "days", &why));
    }
    found
}

/// What a plan says of payments that are late: of what it limits or has, and only where there is something to pay (S11, S14).
fn check_overdue(plan: &Plan) -> Vec<CatalogMistake> {
    let entry = format!("plan `{}`", plan.code);
    let why = match plan.kind {
        PlanKind::Addon => Some("is for a plan that accounts subscribe to: this is an add-on"),
        PlanKind::Base if plan.is_free() => Some("cannot be said of a free plan: nothing is paid"),
        PlanKind::Base => None,
    };
    let said = [
        ("renewal", plan.renewal != Renewal::default()),
        ("overdue", !plan.overdue.is_empty()),
    ];
    let said = said.iter().filter(|(_, is_said)| *is_said);
    let misplaced = said.filter_map(|(field, _)| why.map(|why| refused(&entry, field, why)));
    let mut found: Vec<CatalogMistake> = misplaced.collect();
    if found.is_empty() {
        let codes = plan.overdue.keys();
        let unnamed = codes.filter(|code| !plan.limits.contains_key(*code));
        let why = "says something of what the plan's `limits` do not name";
        found.extend(unnamed.map(|code| of_member(&entry, "overdue", code, why)));
    }
    found
}

/// Of a flag or a setting there is no use to show: it is had or not (S14).
pub(super) fn check_uncounted_overdue(plan: &Plan, file: &CatalogFile) -> Vec<CatalogMistake> {
    let entry = format!("plan `{}`", plan.code);
    let uncounted = file.features.iter().filter(|one| !one.kind.is_counted());
    let read_only = uncounted.filter(|one| plan.overdue.get(&one.code) == Some(&Overdue::ReadOnly));
    let why = "cannot be `read_only`: nothing of it is counted";
    let found = read_only.map(|one| of_member(&entry, "overdue", &one.code, why));
    found.collect()
}
