//! Flags and settings: what plans give of them to a user and to its org, with nothing counted (C2).

use super::allowance::{Asked, Standing};
use crate::catalog::{Feature, Given};
use crate::denial::{Denial, Reason};
use crate::draw::Scope;
use crate::home::AccountView;
use crate::terms::{Policy, Terms};

/// What the plan of an account gives of a flag or a setting, and how the account stands. Only while a subscription is in
/// force (S3).
pub(crate) fn given_by_plan(
    terms: &Terms,
    feature: &Feature,
    asked: Asked<'_>,
) -> (Standing, Option<Given>) {
    debug_assert!(
        !feature.kind.is_counted(),
        "what is counted has an allowance"
    );
    let (catalog, now) = (asked.catalog, asked.now);
    let current = terms.subscription.as_ref();
    let current = current.map(|held| held.current(catalog, now));
    let standing = Standing::of(current.as_deref(), asked);
    let in_force = current.filter(|_| standing == Standing::InForce);
    let plan = in_force.and_then(|held| catalog.plan(&held.plan, held.plan_version));
    let value = plan.and_then(|plan| plan.limits.get(&feature.code));
    (standing, value.and_then(|value| Given::of(feature, value)))
}

/// What a user has of a flag or a setting, or the first reason of F7 why it has none: user, then org, as for what is
/// counted. Nothing is spent, so nothing else can pay.
pub(crate) fn given(
    (user, org): (&AccountView<'_>, Option<&AccountView<'_>>),
    feature: &Feature,
    asked: Asked<'_>,
) -> Result<Option<Given>, Denial> {
    let (standing, own) = given_by_plan(user.terms, feature, asked);
    // U1: an unlimited user is never denied at user scope.
    if own.is_none() && !user.terms.unlimited {
        let reason = match standing {
            Standing::Expired => Reason::SubscriptionExpired,
            Standing::Never => Reason::NoSubscription,
            Standing::InForce => Reason::NotInPlan,
        };
        return Err(Denial::flat(reason, Scope::User));
    }
    match org {
        Some(org) => Ok(given_by_org(org, feature, asked)?.or(own)),
        None => Ok(own),
    }
}

/// What an org has of a flag or a setting (O3, O4); none and no denial where nobody is denied by it.
pub(crate) fn given_by_org(
    org: &AccountView<'_>,
    feature: &Feature,
    asked: Asked<'_>,
) -> Result<Option<Given>, Denial> {
    let denied = |reason| Err(Denial::flat(reason, Scope::Org));
    if org.terms.disabled {
        return denied(Reason::OrgDisabled);
    }
    let (standing, given) = given_by_plan(org.terms, feature, asked);
    if given.is_some() || standing == Standing::Never || org.terms.policy == Policy::Track {
        return Ok(given);
    }
    denied(match standing {
        Standing::Expired => Reason::OrgSubscriptionExpired,
        Standing::InForce | Standing::Never => Reason::OrgNotInPlan,
    })
}
