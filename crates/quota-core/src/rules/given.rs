//! Flags and settings: what plans and overrides give of them to a user and to its org, with nothing counted (C2, F6).

use chrono::{DateTime, Utc};

use super::allowance::{Asked, Standing};
use super::held_plans::addons_at;
use crate::amount::Limit;
use crate::catalog::{Feature, Given, Plan};
use crate::denial::{Denial, Reason};
use crate::draw::Scope;
use crate::home::AccountView;
use crate::terms::{GivenOverride, Lapse, Policy, Seen, Terms};

/// How an account stands towards its subscription, and why that is not in force, if it is not.
pub(super) fn standing_of(terms: &Terms, asked: Asked<'_>) -> (Standing, Option<Lapse>) {
    let current = terms.subscription.as_ref();
    let current = current.map(|held| held.current(asked.catalog, asked.now));
    let seen = current.as_deref();
    let seen = seen.map(|held| Seen::at(held, asked.catalog, asked.now));
    Standing::of(seen.as_ref(), asked)
}

/// What was said of a flag or a setting for this account alone (F6).
fn override_of<'a>(
    terms: &'a Terms,
    feature: &Feature,
    now: DateTime<Utc>,
) -> Option<&'a GivenOverride> {
    let own = terms.given.get(&feature.code);
    own.filter(|own| own.is_active(now))
}

/// What plan and add-ons of an account give of a flag or a setting, an override in the plan's place (F6), and how the account
/// stands. Only while a subscription is in force (S3).
pub(crate) fn given_by_plan(
    terms: &Terms,
    feature: &Feature,
    asked: Asked<'_>,
) -> ((Standing, Option<Lapse>), Option<Given>) {
    debug_assert!(
        !feature.kind.is_counted(),
        "what is counted has an allowance"
    );
    let (catalog, now) = (asked.catalog, asked.now);
    let current = terms.subscription.as_ref();
    let current = current.map(|held| held.current(catalog, now));
    let current = current.as_deref();
    let seen = current.map(|held| Seen::at(held, catalog, now));
    let (standing, lapse) = Standing::of_feature(seen.as_ref(), feature, asked);
    let Some(in_force) = seen.filter(|_| standing == Standing::InForce) else {
        return ((standing, lapse), None);
    };
    let of_plan = |plan: &Plan| {
        let value = plan.limits.get(&feature.code)?;
        Given::of(feature, value)
    };
    let base = match override_of(terms, feature, now) {
        Some(own) => own.value.clone().had(),
        None => in_force.plan.and_then(of_plan),
    };
    if terms.addons.is_empty() {
        return ((standing, lapse), base);
    }
    let addons = addons_at(terms, catalog, now).into_iter();
    let added = addons.filter_map(|held| of_plan(held.plan)).collect();
    ((standing, lapse), combined(base, added))
}

/// What plan and add-ons give together (P13): a flag if one of them has it; of a setting the largest number, else the text of
/// the add-on that was had first. That it is unlimited stays.
fn combined(base: Option<Given>, added: Vec<Given>) -> Option<Given> {
    let all = || base.iter().chain(&added);
    let unlimited = Given::Text(Limit::Unlimited.to_string());
    let is_most = |given: &&Given| **given == Given::Flag(true) || **given == unlimited;
    if let Some(most) = all().find(is_most) {
        return Some(most.clone());
    }
    let numbers = all().filter_map(|given| match given {
        Given::Number(number) => Some(*number),
        Given::Flag(_) | Given::Text(_) => None,
    });
    match numbers.max() {
        Some(largest) => Some(Given::Number(largest)),
        None => added.into_iter().next().or(base),
    }
}

/// What a user has of a flag or a setting, or the first reason of F7 why it has none: user, then org, as for what is
/// counted. Nothing is spent, so nothing else can pay.
pub(crate) fn given(
    (user, org): (&AccountView<'_>, Option<&AccountView<'_>>),
    feature: &Feature,
    asked: Asked<'_>,
) -> Result<Option<Given>, Denial> {
    let ((standing, lapse), own) = given_by_plan(user.terms, feature, asked);
    // U1: an unlimited user is never denied at user scope.
    if own.is_none() && !user.terms.unlimited {
        let reason = match standing {
            Standing::Overdue => Reason::PaymentOverdue,
            Standing::Expired => Reason::SubscriptionExpired,
            Standing::Never => Reason::NoSubscription,
            Standing::InForce => Reason::NotInPlan,
        };
        return Err(Denial::flat(reason, Scope::User).lapsed(lapse));
    }
    let Some(org) = org else {
        return Ok(own);
    };
    let of_org = given_by_org(org, feature, asked)?;
    // What was said of the user alone beats what its org's plan says of all.
    let is_said = override_of(user.terms, feature, asked.now).is_some();
    Ok(if is_said {
        own.or(of_org)
    } else {
        of_org.or(own)
    })
}

/// What an org has of a flag or a setting (O3, O4); none and no denial where nobody is denied by it.
pub(crate) fn given_by_org(
    org: &AccountView<'_>,
    feature: &Feature,
    asked: Asked<'_>,
) -> Result<Option<Given>, Denial> {
    if org.terms.disabled {
        return Err(Denial::flat(Reason::OrgDisabled, Scope::Org));
    }
    let ((standing, lapse), by_plan) = given_by_plan(org.terms, feature, asked);
    let own = override_of(org.terms, feature, asked.now);
    // Of an org that never had a subscription an override holds by itself (O3).
    let by_itself = own.filter(|_| standing == Standing::Never);
    let given = by_plan.or_else(|| by_itself?.value.clone().had());
    let denies = standing != Standing::Never || by_itself.is_some();
    if given.is_some() || !denies || org.terms.policy == Policy::Track {
        return Ok(given);
    }
    let reason = match standing {
        Standing::Overdue => Reason::PaymentOverdue,
        Standing::Expired => Reason::OrgSubscriptionExpired,
        Standing::InForce | Standing::Never => Reason::OrgNotInPlan,
    };
    Err(Denial::flat(reason, Scope::Org).lapsed(lapse))
}
