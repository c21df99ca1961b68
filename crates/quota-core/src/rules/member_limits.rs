//! Member limits are set and taken away (O7): what each member of an org may use, or one member in place of that.
//!
//! They change the terms alone: what a member has used is asked anew by each of its requests.

use super::desk::Desk;
use super::outcome::Outcome;
use super::overrides::{in_words, own_limit};
use crate::answer::Rejection;
use crate::change::{Change, Effect};
use crate::command::{ClearMemberLimit, SetMemberLimit};
use crate::ids::{AccountKind, FeatureCode, OrgId};
use crate::terms::{Policy, Terms};

/// Sets the limit of each member, or of one.
pub(crate) fn set_member_limit(
    desk: &mut Desk<'_>,
    asked: &SetMemberLimit,
) -> Result<Outcome, Rejection> {
    must_be_there(desk, asked.member_of.as_ref())?;
    let (feature, limit) = (&asked.feature, asked.limit);
    let scale = desk.context.drawn(feature)?.scale;
    let own = own_limit(desk, scale, (limit, asked.expires_at))?;
    let account = desk.account_mut()?;
    if account.terms.member_limits.get(feature) == Some(&own) {
        return Ok(desk.unchanged());
    }
    let limits = &mut account.terms.member_limits;
    limits.insert(feature.clone(), own);
    let effect = idleness(desk, feature)?;
    let detail = in_words(feature, limit, effect);
    let what = (Some(detail), effect);
    Ok(desk.book_and_announce_with(Change::MemberLimitSet, what, Vec::new()))
}

/// Takes the limit of all members away, or that of one.
pub(crate) fn clear_member_limit(
    desk: &mut Desk<'_>,
    asked: &ClearMemberLimit,
) -> Result<Outcome, Rejection> {
    must_be_there(desk, asked.member_of.as_ref())?;
    let limits = &mut desk.account_mut()?.terms.member_limits;
    // Of a feature that has left the catalog too.
    if limits.remove(&asked.feature).is_none() {
        desk.context.feature(&asked.feature)?;
        return Ok(desk.unchanged());
    }
    let detail = Some(asked.feature.to_string());
    Ok(desk.book_and_announce(Change::MemberLimitCleared, detail, Vec::new()))
}

/// An org sets limits for all its members; one member's is set for a member of that org.
fn must_be_there(desk: &Desk<'_>, member_of: Option<&OrgId>) -> Result<(), Rejection> {
    let terms = &desk.account()?.terms;
    match desk.request.account.kind() {
        AccountKind::Org => Ok(()),
        AccountKind::User if member_of.is_some() && terms.org.as_ref() == member_of => Ok(()),
        AccountKind::User => Err(Rejection::UnknownMember),
    }
}

/// Why the limit changes nothing now, if it does not.
fn idleness(desk: &Desk<'_>, feature: &FeatureCode) -> Result<Option<Effect>, Rejection> {
    let said_unlimited = |terms: &Terms| terms.unlimited && !terms.unlimited_by_default;
    if said_unlimited(&desk.account()?.terms) {
        return Ok(Some(Effect::IdleForUnlimited));
    }
    let org = desk.home.accounts.get(&desk.home.id);
    let org = org.ok_or(Rejection::UnknownOrg)?;
    let feature = desk.context.feature(feature)?;
    let own = desk.context.allowance(org, feature);
    let is_payable = own.limit().is_some() || feature.credit_cost.is_some();
    Ok(if !own.in_force() {
        Some(Effect::IdleForSubscription)
    } else if !is_payable && org.terms.policy == Policy::Enforce {
        Some(Effect::IdleForPlan)
    } else {
        None
    })
}
