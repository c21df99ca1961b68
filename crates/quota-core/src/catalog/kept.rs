//! What a new catalog file must leave as it is.

use std::collections::BTreeMap;

use super::feature::Feature;
use super::invalid::{CatalogMistake, refused};
use super::plan::{CatalogFile, Plan};

use crate::ids::{FeatureCode, PlanCode};

/// A feature that there is, or once was, goes on being counted as it was: its balances would be read otherwise, or begin
/// at 0.
pub(super) fn check_counting(
    (known, former): (
        &BTreeMap<FeatureCode, Feature>,
        &BTreeMap<FeatureCode, Feature>,
    ),
    file: &CatalogFile,
) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
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
            ("counts", feature.counts == known.counts),
        ];
        // How a renewal is taken follows from the kind.
        let most = if feature.kind == known.kind {
            kept.len()
        } else {
            1
        };
        let changed = kept.iter().filter(|(_, is_kept)| !is_kept);
        for (field, _) in changed.take(most) {
            let entry = format!("feature `{code}`");
            let why = match former {
                Some(_) => {
                    "must be what it was when the feature was in the catalog before: what is counted another way needs a code of its own"
                }
                None => "cannot change: what is counted another way needs a code of its own",
            };
            found.push(refused(&entry, field, why));
        }
    }
    found
}

/// All versions of plans.
type Versions = BTreeMap<PlanCode, Vec<Plan>>;

/// A plan that there is, or once was, stays an add-on or a base plan: accounts have it as what it was.
pub(super) fn check_kinds(
    (known, former): (&Versions, &Versions),
    file: &CatalogFile,
) -> Vec<CatalogMistake> {
    let mut found = Vec::new();
    for plan in &file.plans {
        let versions = known.get(&plan.code).or_else(|| former.get(&plan.code));
        let last = versions.and_then(|versions| versions.last());
        if last.is_some_and(|last| last.kind != plan.kind) {
            let entry = format!("plan `{}`", plan.code);
            let why = "cannot change: accounts hold it as what it was; use a code of its own";
            found.push(refused(&entry, "kind", why));
        }
    }
    found
}
