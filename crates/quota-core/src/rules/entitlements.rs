//! Entitlements: what an account may do, in short; what a service asks when a user signs in.

use std::collections::BTreeMap;

use super::context::Context;
use super::had::{Had, Member, had, in_force, scope_of};
use super::scope_balances::{org_balance, scope_balance};
use crate::amount::Limit;
use crate::answer::{MemberBalance, ScopeBalance};
use crate::catalog::Feature;
use crate::ids::{AccountId, PlanCode};
use crate::quantity::Quantity;
use crate::terms::Policy;

/// What an account may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlements {
    /// Whether its subscription is in force.
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
    let in_force = in_force(context, terms);
    let addons = terms.addons.iter();
    let addons = addons.filter(|(_, addon)| in_force.is_some() && addon.is_held(context.now));
    Entitlements {
        is_in_force: in_force.is_some(),
        seats: in_force.as_deref().map(|held| held.seats),
        addons: addons
            .map(|(code, addon)| (code.clone(), addon.quantity))
            .collect(),
        had: had(context, id, member),
        limits: counted
            .map(|feature| tightest(context, id, member, feature))
            .collect(),
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
