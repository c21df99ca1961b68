//! What a plan may say of a feature, by itself and beside the other plans of the file.

use std::collections::BTreeSet;

use super::cadence::Cadence;
use super::feature::{Anchor, Feature, Kind, OnRenewal};
use super::invalid::{CatalogMistake, Fault, of_member, refused};
use super::plan::{CatalogFile, Plan, PlanKind};
use super::plan_limit::{LIMITS_MAX, Per, PlanLimit, PlanValue, Rollover, TEXT_CHARS_MAX};
use crate::amount::{AMOUNT_MAX, Limit};

/// What a plan says of a feature (C2, C9, C10).
pub(super) fn check_value(feature: &Feature, value: &PlanValue) -> Vec<Fault> {
    let fault = match (feature.kind, value) {
        (Kind::Flag, PlanValue::Flag(_)) | (Kind::Setting, PlanValue::Limit(_)) => {
            return Vec::new();
        }
        (Kind::Flag | Kind::Setting, PlanValue::Limits(limits)) if limits_members(limits) => {
            let kind = feature.kind.as_str();
            format!("cannot have a `member_limit`: nothing of a {kind} is counted").into()
        }
        (Kind::Flag, PlanValue::Limit(_) | PlanValue::Limits(_) | PlanValue::Text(_)) => {
            "must be `true` or `false`: it is a flag".into()
        }
        (Kind::Setting, PlanValue::Text(text)) => {
            if (1..=TEXT_CHARS_MAX).contains(&text.chars().count()) {
                return Vec::new();
            }
            format!("must be a text of 1 to {TEXT_CHARS_MAX} characters").into()
        }
        (Kind::Setting, PlanValue::Limits(_) | PlanValue::Flag(_)) => {
            "must be a whole number or a text: it is a setting".into()
        }
        (Kind::Consumable | Kind::Capacity, PlanValue::Flag(_)) => {
            "must be a whole number or \"unlimited\": `true` and `false` are for flags".into()
        }
        (Kind::Consumable | Kind::Capacity, PlanValue::Text(_)) => {
            "must be a whole number or \"unlimited\": a text is for settings".into()
        }
        (Kind::Consumable | Kind::Capacity, PlanValue::Limit(_) | PlanValue::Limits(_)) => {
            return check_limits(feature, value);
        }
    };
    vec![fault]
}

/// Which anchors fit a cadence (C4).
pub(super) fn check_anchor(per: Per) -> Result<(), &'static str> {
    match (per.anchor, per.cadence) {
        (Anchor::Calendar, Cadence::Span(_)) => {
            Err("must be `subscription` or `first_use`: the calendar has no such span")
        }
        (
            Anchor::FirstUse,
            Cadence::Weekly | Cadence::Monthly | Cadence::Yearly | Cadence::Subscription,
        ) => Err("cannot be `first_use`: that needs hours, days or a span such as `5h` or `7d`"),
        (Anchor::FirstUse, Cadence::Hourly | Cadence::Daily | Cadence::Span(_))
        | (Anchor::Calendar | Anchor::Subscription, _) => Ok(()),
    }
}

fn check_limits(feature: &Feature, value: &PlanValue) -> Vec<Fault> {
    let limits = value.limits();
    if limits.is_empty() || LIMITS_MAX < limits.len() {
        return vec![format!("must be 1 to {LIMITS_MAX} limits").into()];
    }
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (index, limit) in limits.iter().enumerate() {
        let per = limit.per(feature);
        let mut faults = check_limit(feature, limit, per);
        if !seen.insert(per) {
            faults.push(format!("are two for `{per}`: say one").into());
        }
        found.extend(faults.into_iter().map(|fault| match limits.len() {
            1 => fault,
            _ => fault.below(index.to_string()),
        }));
    }
    found
}

fn check_limit(feature: &Feature, limit: &PlanLimit, per: Per) -> Vec<Fault> {
    let mut found = Vec::new();
    if limit.limit.overflows(feature.scale) {
        let why = "are too large: more than 9 * 10^18 stored units";
        found.push(Fault::at("limit", why));
    }
    let of_anchor = if limit.anchor.is_some() {
        "anchor"
    } else {
        "per"
    };
    let is_spent = feature.kind == Kind::Consumable && feature.renewal() == OnRenewal::Reset;
    // What the feature itself says is told of the feature.
    let is_own = per == Per::of(feature);
    if !is_own && !is_spent {
        let why = "cannot have a `per` or `anchor` of their own: that is for consumables that a renewal resets";
        found.push(Fault::at(of_anchor, why));
    } else if !is_own && let Err(why) = check_anchor(per) {
        found.push(Fault::at(of_anchor, format!("have an `anchor` that {why}")));
    }
    let rollover = limit.rollover;
    let of_rollover = rollover.and_then(|rollover| check_rollover(feature, limit, rollover).err());
    found.extend(of_rollover);
    let of_member = limit
        .member_limit
        .and_then(|of_member| check_member_limit(feature, limit, of_member).err());
    found.extend(of_member.map(|why| Fault::at("member_limit", why)));
    found
}

pub(super) fn limits_members(limits: &[PlanLimit]) -> bool {
    limits.iter().any(|limit| limit.member_limit.is_some())
}

/// What an org's plan lets each member use is counted where the org's use is: in the feature's own windows (O7).
fn check_member_limit(
    feature: &Feature,
    limit: &PlanLimit,
    member_limit: Limit,
) -> Result<(), String> {
    let own = Per::of(feature);
    if feature.counts.is_some() {
        return Err("cannot have a `member_limit`: it is members that are counted".to_owned());
    }
    if limit.per(feature) != own {
        return Err(format!(
            "can have a `member_limit` only beside a limit for `{own}`, as the feature is counted; \
             that limit may be \"unlimited\""
        ));
    }
    if member_limit.overflows(feature.scale) {
        return Err("have a `member_limit` of more than 9 * 10^18 stored units".to_owned());
    }
    Ok(())
}

fn check_rollover(feature: &Feature, limit: &PlanLimit, rollover: Rollover) -> Result<(), Fault> {
    let refused = |why: &str| Err(Fault::at("rollover", why));
    if feature.kind == Kind::Capacity || feature.renewal() == OnRenewal::Carry {
        return refused("cannot have a `rollover`: that is for consumables that a renewal resets");
    }
    if limit.per(feature).anchor == Anchor::FirstUse {
        return refused("cannot have a `rollover` with `first_use`, whose windows may have gaps");
    }
    if limit.limit == Limit::Unlimited {
        return refused("cannot have a `rollover` with \"unlimited\": that is never used up");
    }
    if !(1..=AMOUNT_MAX).contains(&rollover.max) || Limit::Of(rollover.max).overflows(feature.scale)
    {
        let fault = Fault::at("max", "must have a `rollover.max` of 1 to 10^15");
        return Err(fault.below("rollover"));
    }
    Ok(())
}

/// A setting is a text or a number, the same in all plans of a file: of a text and a number together nothing can be told (P13).
pub(super) fn check_settings(file: &CatalogFile, feature: &Feature) -> Vec<CatalogMistake> {
    let mut first: Option<(&Plan, &str)> = None;
    let mut found = Vec::new();
    for plan in &file.plans {
        let kind = match plan.limits.get(&feature.code) {
            Some(PlanValue::Text(_)) if feature.kind == Kind::Setting => "a text",
            Some(PlanValue::Limit(Limit::Of(_))) if feature.kind == Kind::Setting => "a number",
            // Beside both, "unlimited" says that there is no bound.
            Some(_) | None => continue,
        };
        let (other, said) = *first.get_or_insert((plan, kind));
        if said != kind {
            let why = format!("cannot be {kind}: plan `{}` says {said} of it", other.code);
            let entry = format!("plan `{}`", plan.code);
            found.push(of_member(&entry, "limits", &feature.code, why));
        }
    }
    found
}

/// An add-on is held beside a base plan: in a file without one nobody could (C13).
pub(super) fn check_base(file: &CatalogFile) -> Option<CatalogMistake> {
    if file.plans.iter().any(|plan| plan.kind == PlanKind::Base) {
        return None;
    }
    let addon = file.plans.first()?;
    let entry = format!("plan `{}`", addon.code);
    let why = "is `addon`, and the file has no base plan beside which it could be held";
    Some(refused(&entry, "kind", why))
}

/// Each limit of an add-on adds to one of a base plan, or stands by itself where a base plan does not name the feature (P13).
pub(super) fn check_added(file: &CatalogFile, feature: &Feature) -> Vec<CatalogMistake> {
    let (base, addons): (Vec<&Plan>, Vec<&Plan>) = file
        .plans
        .iter()
        .partition(|plan| plan.kind == PlanKind::Base);
    let named = base.iter().map(|plan| plan.limits.get(&feature.code));
    // Where there is none, or one that does not name it, the add-on's limit is not in vain.
    let Some(named) = named
        .collect::<Option<Vec<_>>>()
        .filter(|all| !all.is_empty())
    else {
        return Vec::new();
    };
    let pers = |value: &PlanValue| -> Vec<Per> {
        let limits = value.limits();
        limits.iter().map(|limit| limit.per(feature)).collect()
    };
    let of_base: BTreeSet<Per> = named.into_iter().flat_map(pers).collect();
    let mut found = Vec::new();
    for plan in addons {
        let value = plan
            .limits
            .get(&feature.code)
            .filter(|_| feature.kind.is_counted());
        let limits = value.map_or_else(Vec::new, pers);
        let in_vain = limits.iter().enumerate();
        for (index, per) in in_vain.filter(|(_, per)| !of_base.contains(per)) {
            let entry = format!("plan `{}`", plan.code);
            let why = format!("add nothing: no base plan has a limit on it for `{per}`");
            let fault = Fault::from(why);
            let fault = if limits.len() == 1 {
                fault
            } else {
                fault.below(index.to_string())
            };
            found.push(of_member(&entry, "limits", &feature.code, fault));
        }
    }
    found
}
