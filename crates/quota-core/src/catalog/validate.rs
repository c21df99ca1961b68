//! What a catalog file may say.

use std::collections::BTreeSet;

use super::cadence::Cadence;
use super::feature::{Anchor, Feature, Kind, OnRenewal};
use super::invalid::{CatalogMistake, is_currency, of_member, refused};
use super::plan::{CatalogFile, Plan, PlanKind};
use super::plan_limit::Per;
use super::prices::{check_payment, check_uncounted_overdue};
use super::said_limits::{
    check_added, check_anchor, check_base, check_settings, check_value, limits_members,
};
use crate::amount::AMOUNT_MAX;

/// Longest trial of a plan, in days.
const TRIAL_DAYS_MAX: u16 = 366;

/// Checks every entry of the file: all that is wrong with it.
pub(super) fn check(file: &CatalogFile) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
    let mut features = BTreeSet::new();
    for feature in &file.features {
        let entry = format!("feature `{}`", feature.code);
        found.extend(check_feature(feature, &entry));
        if !features.insert(&feature.code) {
            found.push(refused(&entry, "code", "stands twice"));
        }
    }
    let mut plans = BTreeSet::new();
    for plan in &file.plans {
        let entry = format!("plan `{}`", plan.code);
        found.extend(check_plan(plan, &entry));
        found.extend(check_addon(plan, &entry));
        if !plans.insert(&plan.code) {
            found.push(refused(&entry, "code", "stands twice"));
        }
        for code in plan.limits.keys().filter(|code| !features.contains(code)) {
            let why = format!("name the unknown feature `{code}`");
            found.push(CatalogMistake {
                member: Some(code.clone()),
                ..refused(&entry, "limits", &why)
            });
        }
        for feature in &file.features {
            let value = plan.limits.get(&feature.code);
            let faults = value.map_or_else(Vec::new, |value| check_value(feature, value));
            let faults = faults.into_iter();
            found.extend(faults.map(|fault| of_member(&entry, "limits", &feature.code, fault)));
        }
        found.extend(check_on_demand(plan, &entry, file));
        found.extend(check_uncounted_overdue(plan, file));
    }
    for feature in &file.features {
        found.extend(check_settings(file, feature));
        found.extend(check_added(file, feature));
    }
    found.extend(check_base(file));
    found.extend(check_payment(file));
    found.extend(check_default(file));
    found
}

/// What a plan sells on demand (C11).
fn check_on_demand(plan: &Plan, entry: &str, file: &CatalogFile) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
    for (code, sold) in &plan.on_demand {
        let feature = file.features.iter().find(|feature| feature.code == *code);
        let faults = match feature {
            Some(feature) => sold.check(&plan.currency, (feature, plan.limits.get(code))),
            None => vec!["cannot be sold: there is no such feature".into()],
        };
        let faults = faults.into_iter();
        found.extend(faults.map(|fault| of_member(entry, "on_demand", code, fault)));
    }
    found
}

/// The default plan is one of the file's, and free: nobody pays for what an account has by itself (C14).
fn check_default(file: &CatalogFile) -> Option<CatalogMistake> {
    let code = file.default_plan.as_ref()?;
    let refused = |why: &str| Some(refused("the file", "default_plan", why));
    match file.plans.iter().find(|plan| plan.code == *code) {
        None => refused(&format!("names the unknown plan `{code}`")),
        Some(plan) if plan.kind == PlanKind::Addon => {
            refused(&format!("must be a base plan: `{code}` is an add-on"))
        }
        Some(plan) if !plan.is_free() => {
            refused(&format!("must be a free plan: `{code}` has a price"))
        }
        Some(_) => None,
    }
}

fn check_feature(feature: &Feature, entry: &str) -> Vec<CatalogMistake> {
    if !feature.kind.is_counted() {
        return check_uncounted(feature, entry);
    }
    let mut found = Vec::new();
    if !(1..=AMOUNT_MAX).contains(&feature.scale) {
        found.push(refused(entry, "scale", "must be 1 to 10^15"));
    }
    if feature
        .credit_cost
        .is_some_and(|cost| !(1..=1_000_000).contains(&cost))
    {
        found.push(refused(entry, "credit_cost", "must be 1 to 1,000,000"));
    }
    if feature.trial_limit > AMOUNT_MAX {
        found.push(refused(entry, "trial_limit", "must be at most 10^15"));
    }
    let of_counts = check_counts(feature, entry);
    if of_counts.is_empty() {
        found.extend(check_windows(feature, entry));
    }
    found.extend(of_counts);
    found
}

/// What cadence, anchor and renewal say together (C4, C5).
fn check_windows(feature: &Feature, entry: &str) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
    if let Err(why) = check_anchor(Per::of(feature)) {
        found.push(refused(entry, "anchor", why));
    }
    let is_spent = feature.kind == Kind::Consumable && feature.renewal() == OnRenewal::Reset;
    if feature.anchor == Anchor::FirstUse && !is_spent {
        let why = "cannot be `first_use`: that is for consumables that a renewal resets";
        found.push(refused(entry, "anchor", why));
    }
    if feature.renewal() == OnRenewal::Carry && feature.cadence != Cadence::Subscription {
        let why = match feature.on_renewal {
            Some(_) => "cannot be `carry`: that needs cadence `subscription`",
            None => {
                "is `carry` by default for a capacity, and that needs cadence `subscription`: write `reset`"
            }
        };
        found.push(refused(entry, "on_renewal", why));
    }
    found
}

/// Members come and go by themselves, one by one (C12): nothing renews them, and nothing else pays for them.
fn check_counts(feature: &Feature, entry: &str) -> Vec<CatalogMistake> {
    if feature.counts.is_none() {
        return Vec::new();
    }
    if feature.kind != Kind::Capacity {
        let why = "is for a `capacity`: members occupy their places, and give them back";
        return vec![refused(entry, "counts", why)];
    }
    let plain = Feature::new(feature.code.clone(), &feature.name, feature.kind);
    let kept = [
        ("cadence", feature.cadence == plain.cadence),
        ("anchor", feature.anchor == plain.anchor),
        ("on_renewal", feature.renewal() == plain.renewal()),
        ("credit_cost", feature.credit_cost == plain.credit_cost),
        ("trial_limit", feature.trial_limit == plain.trial_limit),
        ("scale", feature.scale == plain.scale),
    ];
    let changed = kept.iter().filter(|(_, is_kept)| !is_kept);
    let found = changed.map(|(field, _)| {
        let why = match *field {
            "cadence" => "must be `subscription` where members are counted",
            _ => "must be left out where members are counted",
        };
        refused(entry, field, why)
    });
    found.collect()
}

/// Of a flag or a setting nothing is said but what it is: code, name, and perhaps a unit (C2).
fn check_uncounted(feature: &Feature, entry: &str) -> Vec<CatalogMistake> {
    let plain = Feature::new(feature.code.clone(), &feature.name, feature.kind);
    let kept = [
        ("cadence", feature.cadence == plain.cadence),
        ("anchor", feature.anchor == plain.anchor),
        ("on_renewal", feature.on_renewal == plain.on_renewal),
        ("credit_cost", feature.credit_cost == plain.credit_cost),
        ("trial_limit", feature.trial_limit == plain.trial_limit),
        ("scale", feature.scale == plain.scale),
        ("counts", feature.counts == plain.counts),
    ];
    let kind = feature.kind.as_str();
    let why = format!("cannot be said of a {kind}: nothing of it is counted");
    let changed = kept.iter().filter(|(_, is_kept)| !is_kept);
    let found = changed.map(|(field, _)| refused(entry, field, &why));
    found.collect()
}

fn check_plan(plan: &Plan, entry: &str) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
    if !is_currency(&plan.currency) {
        let why = "must be three lower-case letters";
        found.push(refused(entry, "currency", why));
    }
    if plan.price > AMOUNT_MAX {
        found.push(refused(entry, "price", "must be at most 10^15"));
    }
    match plan.trial_days {
        Some(days) if !(1..=TRIAL_DAYS_MAX).contains(&days) => {
            let why = format!("must be 1 to {TRIAL_DAYS_MAX}");
            found.push(refused(entry, "trial_days", &why));
        }
        Some(_) if plan.is_free() => {
            let why = "cannot be said of a free plan: there is nothing to try before paying";
            found.push(refused(entry, "trial_days", why));
        }
        Some(_) | None => {}
    }
    found
}

/// A limit of an add-on is so much for each of its quantity, and no seat; it has no periods, and so no trial.
fn check_addon(plan: &Plan, entry: &str) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
    if plan.kind == PlanKind::Base {
        return found;
    }
    let why = "is for a plan that accounts subscribe to: this is an add-on";
    if plan.trial_days.is_some() {
        found.push(refused(entry, "trial_days", why));
    }
    if !plan.on_demand.is_empty() {
        found.push(refused(entry, "on_demand", why));
    }
    for (code, value) in &plan.limits {
        let limits = value.limits();
        if limits_members(&limits) {
            let why =
                "cannot have a `member_limit`: that is for the plan that an org subscribes to";
            found.push(of_member(entry, "limits", code, why));
        }
        if limits.iter().any(|limit| limit.per_seat) {
            let why = "cannot be `per_seat`: an add-on has a quantity of its own";
            found.push(of_member(entry, "limits", code, why));
        }
    }
    found
}
