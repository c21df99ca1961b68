//! What a catalog file may say of prices, packs and payments that are late (P8, P12, S14).

use std::collections::BTreeSet;

use super::feature::Kind;
use super::invalid::{CatalogMistake, is_currency, of_member, refused};
use super::pack::{Pack, PackBoost};
use super::payment::{Overdue, PRICES_MAX, Renewal};
use super::plan::{CatalogFile, Plan, PlanKind};
use crate::amount::AMOUNT_MAX;

/// Longest life of what a pack gives, in days.
const DAYS_MAX: u32 = 36_500;

/// The packs of a file, and that a price stands for one thing alone.
pub(super) fn check_payment(file: &CatalogFile) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
    let mut codes = BTreeSet::new();
    for pack in &file.packs {
        found.extend(check_pack(pack));
        found.extend(check_gift(pack, file));
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
    if let Some(why) = pack.days.and_then(wrong_days) {
        found.push(refused(&entry, "days", &why));
    }
    found
}

fn wrong_days(days: u32) -> Option<String> {
    let is_possible = (1..=DAYS_MAX).contains(&days);
    (!is_possible).then(|| format!("must be 1 to {DAYS_MAX}"))
}

/// A pack gives credits or a boost; what is said of credits alone is not said of a boost (C13).
fn check_gift(pack: &Pack, file: &CatalogFile) -> Vec<CatalogMistake> {
    let entry = format!("pack `{}`", pack.code);
    let boost = match (pack.credits, &pack.boost) {
        (Some(_), None) => return Vec::new(),
        (None, None) => {
            let why = "is required, or a `boost`: a pack gives the one or the other";
            return vec![refused(&entry, "credits", why)];
        }
        (Some(_), Some(_)) => {
            let why = "cannot stand beside `credits`: a pack gives the one or the other";
            return vec![refused(&entry, "boost", why)];
        }
        (None, Some(boost)) => boost,
    };
    let mut found = Vec::new();
    if pack.days.is_some() {
        let why = "is for credits: a boost says `days` within itself";
        found.push(refused(&entry, "days", why));
    }
    if pack.priority != 0 {
        let why = "is for credits: the boost that ends first is spent first";
        found.push(refused(&entry, "priority", why));
    }
    let mistakes = check_boost(boost, file).into_iter();
    found.extend(mistakes.map(|(key, why)| {
        let why = format!("says a `{key}` that {why}");
        refused(&entry, "boost", &why).within(vec![key.to_owned()])
    }));
    found
}

/// A boost that is sold: of a consumable of the file, as `POST …/boosts` gives one.
fn check_boost(boost: &PackBoost, file: &CatalogFile) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut features = file.features.iter();
    match features.find(|feature| feature.code == boost.feature) {
        None => found.push(("feature", format!("is unknown: `{}`", boost.feature))),
        Some(feature) if feature.kind != Kind::Consumable => {
            let why = "is not spent: only units of a consumable are given until an instant";
            found.push(("feature", why.to_owned()));
        }
        Some(feature) => {
            let stored = boost.amount.get().checked_mul(feature.scale);
            if stored.is_none_or(|stored| AMOUNT_MAX < stored) {
                let why = "comes to more than 10^15 with the `scale` of its feature";
                found.push(("amount", why.to_owned()));
            }
        }
    }
    if let Some(why) = boost.days.and_then(wrong_days) {
        found.push(("days", why));
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
