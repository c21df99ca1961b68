//! Add-ons are set and ended: plans beside the base plan, in a quantity (C13).

use super::cancel::ended_for_good;
use super::desk::Desk;
use super::moves::correct_ends;
use super::outcome::Outcome;
use super::subscribe::current;
use crate::answer::Rejection;
use crate::catalog::PlanKind;
use crate::change::Change;
use crate::command::{EndAddon, SetAddon};
use crate::ids::PlanCode;
use crate::instant::text;
use crate::terms::{ADDONS_MAX, Addon, Terms};

/// Gives the account so many of an add-on from now on, or changes how many, and until when.
pub(crate) fn set_addon(desk: &mut Desk<'_>, asked: &SetAddon) -> Result<Outcome, Rejection> {
    let (context, code) = (desk.context, &asked.plan);
    let plan = context.catalog.plan(code, None);
    let plan = plan.ok_or_else(|| Rejection::UnknownPlan(code.clone()))?;
    if plan.kind != PlanKind::Addon {
        return Err(Rejection::NotAddon(code.clone()));
    }
    context.must_be_later("ends_at", asked.ends_at)?;
    must_have_base(desk)?;
    let version = context.catalog.newest_version(code);
    let base = current(desk)?;
    let account = desk.account_mut()?;
    let known = account.terms.addons.get(code);
    // What was bought beside a plan that has ended is bought anew.
    let known = known.filter(|known| !known.is_over(context.now) && base.has_beside(known));
    let next = Addon {
        plan_version: match known {
            Some(known) => known.plan_version,
            None => plan.pinned.then_some(version),
        },
        quantity: asked.quantity,
        starts_at: known.map_or(context.now, |known| known.starts_at),
        ends_at: asked.ends_at,
        provided: None,
    };
    if known == Some(&next) {
        return Ok(desk.unchanged());
    }
    if known.is_none() {
        make_room(&mut account.terms, code, context.now)?;
    }
    account.terms.addons.insert(code.clone(), next);
    correct_ends(desk)?;
    let mut detail = format!("{code}: {}", asked.quantity);
    if let Some(ends_at) = asked.ends_at {
        detail = format!("{detail}, until {}", text(&ends_at));
    }
    Ok(desk.book_and_announce(Change::AddonSet, Some(detail), Vec::new()))
}

/// An add-on is held beside a base plan: that of a subscription which has not ended for good, in force or not.
fn must_have_base(desk: &Desk<'_>) -> Result<(), Rejection> {
    if desk.account()?.terms.subscription.is_none() {
        return Err(Rejection::NoBasePlan);
    }
    match ended_for_good(&current(desk)?, desk.context.now) {
        Some(ended) => Err(ended),
        None => Ok(()),
    }
}

/// Makes room for one more add-on; those that ended first give way.
pub(super) fn make_room(
    terms: &mut Terms,
    code: &PlanCode,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), Rejection> {
    let live = terms.addons.values().filter(|addon| !addon.is_over(now));
    if ADDONS_MAX <= live.count() {
        return Err(Rejection::Full {
            field: "addon",
            most: ADDONS_MAX,
            next: "end one first",
        });
    }
    while ADDONS_MAX <= terms.addons.len() && !terms.addons.contains_key(code) {
        let over = terms.addons.iter().filter(|(_, addon)| addon.is_over(now));
        let first = over.min_by_key(|(_, addon)| addon.ends_at);
        let Some(first) = first.map(|(code, _)| code.clone()) else {
            break;
        };
        terms.addons.remove(&first);
    }
    Ok(())
}

/// Ends an add-on at once. Where more is used than what is left allows, nothing is taken away (S6).
pub(crate) fn end_addon(desk: &mut Desk<'_>, asked: &EndAddon) -> Result<Outcome, Rejection> {
    let (now, code) = (desk.context.now, &asked.plan);
    let account = desk.account_mut()?;
    let held = account.terms.addons.get_mut(code);
    let held = held.filter(|held| !held.is_over(now));
    let held = held.ok_or_else(|| Rejection::UnknownAddon(code.clone()))?;
    // What was had until now still says what may roll over, and what is told late.
    held.ends_at = Some(now);
    correct_ends(desk)?;
    let detail = Some(code.to_string());
    Ok(desk.book_and_announce(Change::AddonEnded, detail, Vec::new()))
}
