//! What a catalog file may say.

use std::collections::BTreeSet;

use super::cadence::Cadence;
use super::feature::{Anchor, Feature, Kind, OnRenewal};
use super::invalid::{InvalidCatalog, is_currency, of_member, refused};
use super::plan::{CatalogFile, Plan, PlanKind};
use super::plan_limit::Per;
use super::prices::{check_payment, check_uncounted_overdue};
use super::said_limits::{check_added, check_anchor, check_settings, check_value, limits_members};
use crate::amount::AMOUNT_MAX;

/// Longest trial of a plan, in days.
const TRIAL_DAYS_MAX: u16 = 366;

/// Checks every entry of the file.
pub(super) fn check(file: &CatalogFile) -> Result<(), InvalidCatalog> {
    let mut features = BTreeSet::new();
    for feature in &file.features {
        check_feature(feature)?;
        if !features.insert(&feature.code) {
            return Err(refused(
                &format!("feature `{}`", feature.code),
                "code",
                "stands twice",
            ));
        }
    }
    let mut plans = BTreeSet::new();
    for plan in &file.plans {
        check_plan(plan)?;
        check_addon(plan)?;
        let entry = format!("plan `{}`", plan.code);
        if !plans.insert(&plan.code) {
            return Err(refused(&entry, "code", "stands twice"));
        }
        if let Some(code) = plan.limits.keys().find(|code| !features.contains(code)) {
            let why = format!("name the unknown feature `{code}`");
            return Err(InvalidCatalog {
                member: Some(code.clone()),
                ..refused(&entry, "limits", &why)
            });
        }
        for feature in &file.features {
            let value = plan.limits.get(&feature.code);
            let checked = value.map_or(Ok(()), |value| check_value(feature, value));
            checked.map_err(|fault| of_member(&entry, "limits", &feature.code, fault))?;
        }
        check_on_demand(plan, &entry, file)?;
        check_uncounted_overdue(plan, file)?;
    }
    for feature in &file.features {
        check_settings(file, feature)?;
        check_added(file, feature)?;
    }
    check_payment(file)?;
    check_default(file)
}

/// What a plan sells on demand (C11).
fn check_on_demand(plan: &Plan, entry: &str, file: &CatalogFile) -> Result<(), InvalidCatalog> {
    for (code, sold) in &plan.on_demand {
        let feature = file.features.iter().find(|feature| feature.code == *code);
        let checked = match feature {
            Some(feature) => sold.check(&plan.currency, (feature, plan.limits.get(code))),
            None => Err("cannot be sold: there is no such feature".into()),
        };
        checked.map_err(|fault| of_member(entry, "on_demand", code, fault))?;
    }
    Ok(())
}

/// The default plan is one of the file's, and free: nobody pays for what an account has by itself (C14).
fn check_default(file: &CatalogFile) -> Result<(), InvalidCatalog> {
    let Some(code) = &file.default_plan else {
        return Ok(());
    };
    let refused = |why: &str| Err(refused("the file", "default_plan", why));
    match file.plans.iter().find(|plan| plan.code == *code) {
        None => refused(&format!("names the unknown plan `{code}`")),
        Some(plan) if plan.kind == PlanKind::Addon => {
            refused(&format!("must be a base plan: `{code}` is an add-on"))
        }
        Some(plan) if !plan.is_free() => {
            refused(&format!("must be a free plan: `{code}` has a price"))
        }
        Some(_) => Ok(()),
    }
}

fn check_feature(feature: &Feature) -> Result<(), InvalidCatalog> {
    let entry = format!("feature `{}`", feature.code);
    if !feature.kind.is_counted() {
        return check_uncounted(feature, &entry);
    }
    if !(1..=AMOUNT_MAX).contains(&feature.scale) {
        return Err(refused(&entry, "scale", "must be 1 to 10^15"));
    }
    if feature
        .credit_cost
        .is_some_and(|cost| !(1..=1_000_000).contains(&cost))
    {
        return Err(refused(&entry, "credit_cost", "must be 1 to 1,000,000"));
    }
    if feature.trial_limit > AMOUNT_MAX {
        return Err(refused(&entry, "trial_limit", "must be at most 10^15"));
    }
    check_counts(feature, &entry)?;
    check_anchor(Per::of(feature)).map_err(|why| refused(&entry, "anchor", why))?;
    let is_spent = feature.kind == Kind::Consumable && feature.renewal() == OnRenewal::Reset;
    if feature.anchor == Anchor::FirstUse && !is_spent {
        let why = "cannot be `first_use`: that is for consumables that a renewal resets";
        return Err(refused(&entry, "anchor", why));
    }
    if feature.renewal() == OnRenewal::Carry && feature.cadence != Cadence::Subscription {
        let why = match feature.on_renewal {
            Some(_) => "cannot be `carry`: that needs cadence `subscription`",
            None => {
                "is `carry` by default for a capacity, and that needs cadence `subscription`: write `reset`"
            }
        };
        return Err(refused(&entry, "on_renewal", why));
    }
    Ok(())
}

/// Members come and go by themselves, one by one (C12): nothing renews them, and nothing else pays for them.
fn check_counts(feature: &Feature, entry: &str) -> Result<(), InvalidCatalog> {
    if feature.counts.is_none() {
        return Ok(());
    }
    if feature.kind != Kind::Capacity {
        let why = "is for a `capacity`: members occupy their places, and give them back";
        return Err(refused(entry, "counts", why));
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
    match kept.iter().find(|(_, is_kept)| !is_kept) {
        Some((field, _)) => {
            let why = match *field {
                "cadence" => "must be `subscription` where members are counted",
                _ => "must be left out where members are counted",
            };
            Err(refused(entry, field, why))
        }
        None => Ok(()),
    }
}

/// Of a flag or a setting nothing is said but what it is: code, name, and perhaps a unit (C2).
fn check_uncounted(feature: &Feature, entry: &str) -> Result<(), InvalidCatalog> {
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
    match kept.iter().find(|(_, is_kept)| !is_kept) {
        Some((field, _)) => {
            let kind = feature.kind.as_str();
            let why = format!("cannot be said of a {kind}: nothing of it is counted");
            Err(refused(entry, field, &why))
        }
        None => Ok(()),
    }
}

fn check_plan(plan: &Plan) -> Result<(), InvalidCatalog> {
    let entry = format!("plan `{}`", plan.code);
    if !is_currency(&plan.currency) {
        return Err(refused(
            &entry,
            "currency",
            "must be three lower-case letters",
        ));
    }
    if plan.price > AMOUNT_MAX {
        return Err(refused(&entry, "price", "must be at most 10^15"));
    }
    match plan.trial_days {
        Some(days) if !(1..=TRIAL_DAYS_MAX).contains(&days) => {
            let why = format!("must be 1 to {TRIAL_DAYS_MAX}");
            return Err(refused(&entry, "trial_days", &why));
        }
        Some(_) if plan.is_free() => {
            let why = "cannot be said of a free plan: there is nothing to try before paying";
            return Err(refused(&entry, "trial_days", why));
        }
        Some(_) | None => {}
    }
    Ok(())
}

/// A limit of an add-on is so much for each of its quantity, and no seat; it has no periods, and so no trial.
fn check_addon(plan: &Plan) -> Result<(), InvalidCatalog> {
    if plan.kind == PlanKind::Base {
        return Ok(());
    }
    if plan.trial_days.is_some() {
        let entry = format!("plan `{}`", plan.code);
        let why = "is for a plan that accounts subscribe to: this is an add-on";
        return Err(refused(&entry, "trial_days", why));
    }
    if !plan.on_demand.is_empty() {
        let entry = format!("plan `{}`", plan.code);
        let why = "is for a plan that accounts subscribe to: this is an add-on";
        return Err(refused(&entry, "on_demand", why));
    }
    let mut limits = plan.limits.iter();
    if let Some((code, _)) = limits.find(|(_, value)| limits_members(&value.limits())) {
        let entry = format!("plan `{}`", plan.code);
        let why = "cannot have a `member_limit`: that is for the plan that an org subscribes to";
        return Err(of_member(&entry, "limits", code, why));
    }
    let mut limits = plan.limits.iter();
    let per_seat = limits.find(|(_, value)| value.limits().iter().any(|limit| limit.per_seat));
    match per_seat {
        Some((code, _)) => {
            let entry = format!("plan `{}`", plan.code);
            let why = "cannot be `per_seat`: an add-on has a quantity of its own";
            Err(of_member(&entry, "limits", code, why))
        }
        None => Ok(()),
    }
}
