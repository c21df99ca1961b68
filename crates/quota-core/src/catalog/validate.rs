//! What a catalog file may say.

use std::collections::{BTreeMap, BTreeSet};

use super::cadence::Cadence;
use super::feature::{Anchor, Feature, OnRenewal};
use super::plan::{CatalogFile, Plan};
use crate::amount::AMOUNT_MAX;
use crate::ids::FeatureCode;

/// A catalog file that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{entry}: {field} {why}")]
pub struct InvalidCatalog {
    /// Which entry, such as "feature `storage`".
    pub entry: String,
    /// Which of its fields.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
}

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
        let entry = format!("plan `{}`", plan.code);
        if !plans.insert(&plan.code) {
            return Err(refused(&entry, "code", "stands twice"));
        }
        if let Some(code) = plan.limits.keys().find(|code| !features.contains(code)) {
            return Err(refused(
                &entry,
                "limits",
                &format!("name the unknown feature `{code}`"),
            ));
        }
        let overflows = |feature: &&Feature| {
            let limit = plan.limits.get(&feature.code);
            limit.is_some_and(|limit| limit.overflows(feature.scale))
        };
        if let Some(feature) = file.features.iter().find(overflows) {
            let why = format!(
                "are too large: that of `{}` is more than 9 * 10^18 stored units",
                feature.code
            );
            return Err(refused(&entry, "limits", &why));
        }
    }
    Ok(())
}

fn check_feature(feature: &Feature) -> Result<(), InvalidCatalog> {
    let entry = format!("feature `{}`", feature.code);
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
    if matches!(feature.cadence, Cadence::Span(_)) && feature.anchor == Anchor::Calendar {
        return Err(refused(
            &entry,
            "anchor",
            "must be `subscription`: the windows of a span are counted from the subscription's start",
        ));
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

/// A feature that there is, or once was, goes on being counted as it was: its balances would be read otherwise, or begin
/// at 0.
pub(super) fn check_counting(
    (known, former): (
        &BTreeMap<FeatureCode, Feature>,
        &BTreeMap<FeatureCode, Feature>,
    ),
    file: &CatalogFile,
) -> Result<(), InvalidCatalog> {
    for feature in &file.features {
        let code = &feature.code;
        let former = former.get(code);
        let Some(known) = known.get(code).or(former) else {
            continue;
        };
        let kept = [
            ("kind", feature.kind == known.kind),
            ("cadence", feature.cadence == known.cadence),
            ("anchor", feature.anchor == known.anchor),
            ("on_renewal", feature.renewal() == known.renewal()),
            ("scale", feature.scale == known.scale),
        ];
        if let Some((field, _)) = kept.iter().find(|(_, is_kept)| !is_kept) {
            let entry = format!("feature `{code}`");
            let why = match former {
                Some(_) => {
                    "must be what it was when the feature was in the catalog before: what is counted another way needs a code of its own"
                }
                None => "cannot change: what is counted another way needs a code of its own",
            };
            return Err(refused(&entry, field, why));
        }
    }
    Ok(())
}

fn check_plan(plan: &Plan) -> Result<(), InvalidCatalog> {
    let entry = format!("plan `{}`", plan.code);
    let is_code = plan.currency.len() == 3 && plan.currency.chars().all(|c| c.is_ascii_lowercase());
    if !is_code {
        return Err(refused(
            &entry,
            "currency",
            "must be three lower-case letters",
        ));
    }
    if plan.price > AMOUNT_MAX {
        return Err(refused(&entry, "price", "must be at most 10^15"));
    }
    Ok(())
}

fn refused(entry: &str, field: &'static str, why: &str) -> InvalidCatalog {
    InvalidCatalog {
        entry: entry.to_owned(),
        field,
        why: why.to_owned(),
    }
}
