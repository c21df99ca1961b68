//! Entitlements: what an account may do, in short; what a service asks when a user signs in.

use std::collections::BTreeMap;

use super::context::Context;
use super::had::{Had, Member, had, in_force, scope_of};
use super::scope_balances::{org_balance, scope_balance};
use crate::amount::Limit;
use crate::answer::{MemberBalance, ScopeBalance};
use crate::catalog::Feature;
use crate::denial::Reason;
use crate::draw::Scope;
use crate::ids::{AccountId, AccountKind, PlanCode};
use crate::quantity::Quantity;
use crate::terms::Policy;

/// What an account may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlements {
    /// Why every check is denied, whatever the feature: the account or its org is disabled. Nothing is left of anything then.
    pub denied: Option<Reason>,
    /// Whether its subscription is in force, and nothing denies every check.
    pub is_in_force: bool,
    /// The seats of the subscription that is in force (C12).
    pub seats: Option<Quantity>,
    /// Its add-ons that are in force, and how many of each (C13).
    pub addons: BTreeMap<PlanCode, Quantity>,
    /// What it has of flags and settings.
    pub had: Had,
    /// What is left for it of each counted feature: its own balance, or its org's where less is left of that.
    pub limits: Vec<ScopeBalance>,
}

/// What an account may do now.
pub fn entitlements(context: &Context<'_>, id: &AccountId, member: Member<'_>) -> Entitlements {
    let features = context.catalog.features.values();
    let counted = features.filter(|feature| feature.kind.is_counted());
    let terms = &member.0.terms;
    let denied = denied(id, member);
    let in_force = in_force(context, terms).filter(|_| denied.is_none());
    let addons = in_force.iter().flat_map(|held| {
        let counts = |addon| {
            held.addon_plan(context.catalog, addon, context.now)
                .is_some()
        };
        terms.addons.iter().filter(move |addon| counts(*addon))
    });
    let left = |feature| {
        let least = tightest(context, id, member, feature);
        match denied {
            Some(reason) => nothing_left(least, reason),
            None => least,
        }
    };
    Entitlements {
        denied,
        is_in_force: in_force.is_some(),
        seats: in_force.as_deref().map(|held| held.seats),
        addons: addons
            .map(|(code, addon)| (code.clone(), addon.quantity))
            .collect(),
        had: had(context, id, member),
        limits: counted.map(left).collect(),
    }
}

/// Why every check of an account is denied, if it is: of an org, every check of its members.
fn denied(id: &AccountId, (account, org): Member<'_>) -> Option<Reason> {
    if account.terms.disabled {
        return Some(match id.kind() {
            AccountKind::User => Reason::AccountDisabled,
            AccountKind::Org => Reason::OrgDisabled,
        });
    }
    let is_of_disabled = org.is_some_and(|org| org.terms.disabled);
    is_of_disabled.then_some(Reason::OrgDisabled)
}

/// What is left of a feature where every check is denied: nothing, at the scope that denies it, whatever the books hold.
fn nothing_left(balance: ScopeBalance, denied: Reason) -> ScopeBalance {
    let scope = if denied == Reason::OrgDisabled {
        Scope::Org
    } else {
        Scope::User
    };
    ScopeBalance {
        scope,
        granted: None,
        remaining: Some(0),
        boosts: 0,
        room: None,
        credits: balance.credits.map(|_| 0),
        trial: balance.trial.map(|_| 0),
        on_demand: None,
        windows: Vec::new(),
        resets_at: None,
        ..balance
    }
}

/// The account's own balance, or its org's where less is left of that and somebody is denied by it (O3, O4); or what the org
/// lets each member use, where that is less still (O7).
fn tightest(
    context: &Context<'_>,
    id: &AccountId,
    (account, org): Member<'_>,
    feature: &Feature,
) -> ScopeBalance {
    let own = context.allowance(account, feature);
    let own = scope_balance(context, scope_of(id), account, feature, &own);
    let Some(org) = org else {
        return own;
    };
    let allowance = context.allowance(org, feature);
    let mut of_org = org_balance(context, (Some(account), org), feature, &allowance);
    let member = of_org.member.take();
    let binds = org.terms.policy == Policy::Enforce && !allowance.only_tracks_org();
    let least = if binds && left(&of_org) < left(&own) {
        of_org.clone()
    } else {
        own
    };
    let left_of_member = member.as_ref().and_then(|member| member.remaining);
    match member {
        Some(member) if left_of_member.is_some_and(|member| member < left(&least)) => {
            as_limited(of_org, &member)
        }
        Some(_) | None => least,
    }
}

/// What the org has, as far as its limit of each member lets this one use it (O7).
fn as_limited(of_org: ScopeBalance, member: &MemberBalance) -> ScopeBalance {
    ScopeBalance {
        granted: Some(member.limit),
        used: member.used,
        held: member.held,
        overage: 0,
        remaining: member.remaining,
        boosts: 0,
        room: None,
        credits: None,
        on_demand: None,
        windows: Vec::new(),
        resets_at: member.resets_at,
        ..of_org
    }
}

fn left(balance: &ScopeBalance) -> u64 {
    let room = balance.room.map_or(0, |room| room.remaining);
    match (balance.granted, balance.remaining) {
        (None, _) => room,
        (Some(Limit::Unlimited), _) => u64::MAX,
        (Some(Limit::Of(_)), remaining) => remaining.unwrap_or_default().saturating_add(room),
    }
}
