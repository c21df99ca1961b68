//! An account is given what its provider's subscriptions make of it (S1, S10 to S13, P12, P13).

use std::collections::BTreeMap;

use super::addons::make_room;
use super::change_plan::zero_carried;
use super::desk::Desk;
use super::moves::end_first_use;
use super::outcome::Outcome;
use super::subscribe::{Next, current, put, runs_on};
use crate::answer::Rejection;
use crate::catalog::{Feature, Interval, Kind, Plan};
use crate::change::Change;
use crate::command::SyncSubscription;
use crate::ids::PlanCode;
use crate::provider::{BaseTarget, Provided, Target, target};
use crate::terms::{Addon, Status, Subscription, Terms};
use crate::window::month_start;

/// What a change by the provider does to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usage {
    /// It counts on: the period is kept, or had begun unheard.
    Keep,
    /// It is that of the new period.
    OfPeriod,
    /// The same of one that takes the place of what runs: windows of a first use end too (W7).
    OfStart,
    /// It begins anew, as with any change at once (S5).
    Restart,
}

/// Gives the account what the subscriptions that a fetch saw make of it. The same once more changes nothing, and neither does a
/// fetch that began before the one that was told (P6).
pub(crate) fn sync_subscription(
    desk: &mut Desk<'_>,
    asked: &SyncSubscription,
) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let terms = &desk.account()?.terms;
    if is_stale(terms, asked) {
        return Ok(desk.unchanged());
    }
    let facts = asked.subscriptions.as_slice();
    let target = target(
        &asked.provider,
        facts,
        (terms, context.catalog),
        (context.now, context.grace),
    );
    let addons = with_addons(desk, &target, asked)?;
    let (subscription, usage) = match (&target.base, &terms.subscription) {
        (Some(base), held) => {
            let plan = context.catalog.plan(&base.plan, None);
            let plan = plan.ok_or_else(|| Rejection::UnknownPlan(base.plan.clone()))?;
            let next = next_of(desk, (plan, base), asked)?;
            match held {
                Some(held) if is_same(held, &next.0) => (held.clone(), Usage::Keep),
                Some(_) | None => next,
            }
        }
        (None, Some(held)) => (held.clone(), Usage::Keep),
        (None, None) => return Ok(desk.unchanged()),
    };
    let terms = &desk.account()?.terms;
    if terms.subscription.as_ref() == Some(&subscription) && terms.addons == addons {
        return Ok(desk.unchanged());
    }
    let mut next = Next {
        set: Some(format!(
            "{}: {}",
            asked.provider,
            subscription.status.as_str()
        )),
        addons: Some(addons),
        ..Next::new(Change::SubscriptionSynced, subscription)
    };
    if usage == Usage::Restart {
        next.entries = zero_carried(desk)?;
    }
    let restarts_at = match usage {
        Usage::Keep | Usage::OfPeriod => None,
        Usage::OfStart => Some(next.subscription.starts_at),
        Usage::Restart => Some(desk.context.now),
    };
    if let Some(restarts_at) = restarts_at {
        end_first_use(desk, restarts_at)?;
    }
    put(desk, next, |feature: &Feature| match usage {
        Usage::Keep => true,
        Usage::OfPeriod | Usage::OfStart => false,
        Usage::Restart => feature.kind == Kind::Capacity,
    })
}

/// Whether a fetch that began later was told already.
fn is_stale(terms: &Terms, asked: &SyncSubscription) -> bool {
    let of_addons = terms
        .addons
        .values()
        .filter_map(|addon| addon.provided.as_ref());
    let of_base = terms.subscription.as_ref();
    let of_base = of_base.and_then(|held| held.provided.as_ref());
    let mut known = of_base.into_iter().chain(of_addons);
    known.any(|known| known.provider == asked.provider && asked.fetched_at < known.fetched_at)
}

/// Whether a subscription is what is held already, whenever that was told.
fn is_same(held: &Subscription, next: &Subscription) -> bool {
    let fetched_at = held.provided.as_ref().map(|provided| provided.fetched_at);
    let mut next = next.clone();
    if let (Some(provided), Some(fetched_at)) = (&mut next.provided, fetched_at) {
        provided.fetched_at = fetched_at;
    }
    *held == next
}

/// The subscription that the base is, and what becomes of use.
fn next_of(
    desk: &Desk<'_>,
    (plan, base): (&Plan, &BaseTarget),
    asked: &SyncSubscription,
) -> Result<(Subscription, Usage), Rejection> {
    let (catalog, now) = (desk.context.catalog, desk.context.now);
    let stored = desk.account()?.terms.subscription.as_ref();
    let is_it = |held: &&Subscription| {
        let provided = held.provided.as_ref();
        provided.is_some_and(|provided| provided.is(&asked.provider, &base.subscription))
    };
    let held = stored.filter(is_it);
    if let Some(ended) = held.filter(|held| held.status == Status::Canceled) {
        // It is over: another subscription follows it, and not its own return.
        return Ok((ended.clone(), Usage::Keep));
    }
    let running = match held {
        Some(_) => Some(current(desk)?),
        None => None,
    };
    let (mut next, usage) = match held {
        None => started(desk, (plan, base))?,
        Some(held) => of_period(held, base, desk),
    };
    let since = match usage {
        Usage::Keep => now,
        Usage::OfPeriod | Usage::OfStart | Usage::Restart => next.starts_at,
    };
    if let Some(held) = held.filter(|held| held.plan != plan.code) {
        next.plan_since = held.plan_since_of(&plan.code, since);
        next.plan_version = plan.pinned.then(|| catalog.newest_version(&plan.code));
    }
    next.plan = plan.code.clone();
    next.interval = interval_of(&next, plan);
    next.seats = base.seats;
    (next.cancel_at, next.scheduled) = (base.cancel_at, base.scheduled.clone());
    (next.renews, next.renews_until, next.upcoming) = (false, None, None);
    next.status = base.status;
    let late_since = running
        .and_then(|running| running.past_due_at)
        .unwrap_or(now);
    next.past_due_at = (base.status == Status::PastDue).then_some(late_since);
    next.provided = Some(Box::new(Provided {
        provider: asked.provider.clone(),
        subscription: base.subscription.clone(),
        fetched_at: asked.fetched_at,
    }));
    Ok((next, usage))
}

/// What is held, in the provider's period (S11).
fn of_period(held: &Subscription, base: &BaseTarget, desk: &Desk<'_>) -> (Subscription, Usage) {
    let (context, period) = (desk.context, base.period);
    if period.starts_at == held.starts_at {
        let mut next = held.clone();
        next.ends_at = period.ends_at;
        return (next, Usage::Keep);
    }
    // By the provider's clock it has begun already: until then what is held runs on. And so it does while a change that began a
    // period is not paid (S12): nobody gets a new period for a payment that fails.
    let is_unpaid_change = base.status == Status::PastDue && period.starts_at < held.ends_at;
    if context.now < period.starts_at || is_unpaid_change {
        return (held.clone(), Usage::Keep);
    }
    let before = Subscription {
        ends_at: period.starts_at,
        ..held.clone()
    };
    let mut next = before.renewed();
    next.ends_at = period.ends_at;
    let usage = if held.ends_at <= period.starts_at {
        let runs_unheard = held.current(context.catalog, context.now).starts_at != held.starts_at;
        if runs_unheard {
            Usage::Keep
        } else {
            Usage::OfPeriod
        }
    } else {
        Usage::Restart
    };
    (next, usage)
}

/// One that the account has not had, in place of what it has.
fn started(
    desk: &Desk<'_>,
    (plan, base): (&Plan, &BaseTarget),
) -> Result<(Subscription, Usage), Rejection> {
    let catalog = desk.context.catalog;
    let version = catalog.newest_version(&plan.code);
    let starts_at = base.period.starts_at;
    let mut next = Subscription::start(plan, version, starts_at);
    next.ends_at = base.period.ends_at;
    let held = match desk.account()?.terms.subscription {
        Some(_) => Some(current(desk)?),
        None => None,
    };
    if let Some(held) = held.filter(|held| runs_on(desk, held, starts_at)) {
        next.runs_since = Some(held.runs_since().min(starts_at));
        next.plan_since = held.plan_since_of(&plan.code, starts_at);
        return Ok((next, Usage::OfStart));
    }
    Ok((next, Usage::OfPeriod))
}

/// How long its periods last: a price of the plan may be for another interval than the plan's own.
fn interval_of(next: &Subscription, plan: &Plan) -> Interval {
    let year = month_start(next.starts_at, Interval::Year.months());
    let month = month_start(next.starts_at, Interval::Month.months());
    if next.status == Status::Trialing {
        plan.interval
    } else if next.ends_at == year {
        Interval::Year
    } else if next.ends_at == month {
        Interval::Month
    } else {
        next.interval
    }
}

/// The account's add-ons as they are to be: those that the provider sells, and those that it does not as they are.
fn with_addons(
    desk: &Desk<'_>,
    target: &Target,
    asked: &SyncSubscription,
) -> Result<BTreeMap<PlanCode, Addon>, Rejection> {
    let (catalog, now) = (desk.context.catalog, desk.context.now);
    let mut terms = desk.account()?.terms.clone();
    let is_told = |provided: &Provided| {
        let mut told = asked.subscriptions.iter();
        told.any(|told| provided.is(&asked.provider, &told.id))
    };
    for (code, addon) in &mut terms.addons {
        let is_of_facts = addon
            .provided
            .as_ref()
            .is_some_and(|provided| is_told(provided));
        if is_of_facts && !target.addons.contains_key(code) && !addon.is_over(now) {
            addon.ends_at = Some(now);
        }
    }
    for (code, wanted) in &target.addons {
        let known = terms.addons.get(code).filter(|known| !known.is_over(now));
        let is_of = |known: &&Addon| {
            let provided = known.provided.as_ref();
            let is_it =
                provided.is_some_and(|provided| provided.is(&asked.provider, &wanted.subscription));
            is_it && known.quantity == wanted.quantity && known.ends_at.is_none()
        };
        if known.is_some_and(|known| is_of(&known)) {
            continue;
        }
        let pinned = || {
            let plan = catalog.plan(code, None).filter(|plan| plan.pinned);
            plan.map(|_| catalog.newest_version(code))
        };
        let next = Addon {
            plan_version: known.map_or_else(pinned, |known| known.plan_version),
            quantity: wanted.quantity,
            starts_at: known.map_or(now, |known| known.starts_at),
            ends_at: None,
            provided: Some(Box::new(Provided {
                provider: asked.provider.clone(),
                subscription: wanted.subscription.clone(),
                fetched_at: asked.fetched_at,
            })),
        };
        if known.is_none() {
            make_room(&mut terms, code, now)?;
        }
        terms.addons.insert(code.clone(), next);
    }
    Ok(terms.addons)
}
