//! Change of plan, at once or at the period's end (S5).

use super::cancel::not_in_force;
use super::desk::Desk;
use super::moves::{end_first_use, zero};
use super::outcome::Outcome;
use super::subscribe::{Next, current, newest, put};
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::catalog::{Feature, Kind, Per, Plan};
use crate::change::Change;
use crate::command::{ChangePlan, ChangeWhen, UsageAfterChange};
use crate::operation::Entry;
use crate::terms::{Status, Subscription};

/// Changes the plan: at once, or from the end of what is paid for. To the plan that goes on anyway, it only drops a
/// change that waited.
pub(crate) fn change_plan(desk: &mut Desk<'_>, asked: &ChangePlan) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let (plan, version) = newest(desk, &asked.plan)?;
    let held = current(desk)?;
    if !held.is_in_force(context.now, context.grace) {
        return Err(not_in_force(&held, context.now));
    }
    let current = context.catalog.held_plan(&held.plan, held.plan_version);
    let default = if current.is_none_or(|current| is_upgrade(plan, current)) {
        ChangeWhen::Now
    } else {
        ChangeWhen::PeriodEnd
    };
    let when = asked.when.unwrap_or(default);
    let kept = held.without_change();
    let goes_on_with = match when {
        ChangeWhen::PeriodEnd => kept.last(),
        ChangeWhen::Now => &kept,
    };
    if goes_on_with.is_to(plan, context.catalog) {
        if kept == held {
            return Ok(desk.unchanged());
        }
        return put(desk, Next::new(Change::PlanChangeDropped, kept), |_| true);
    }
    match when {
        ChangeWhen::PeriodEnd => {
            let changed = held.with_change(plan, version, context.now);
            let next = Next::new(Change::PlanChangeScheduled, changed);
            put(desk, next, |_| true)
        }
        ChangeWhen::Now => {
            let mut subscription = Subscription::start(plan, version, context.now);
            subscription.status = held.status;
            if held.status == Status::Trialing {
                goes_on_trying(&mut subscription, plan, &held);
            }
            subscription.past_due_at = held.past_due_at;
            subscription.seats = held.seats;
            subscription.runs_since = Some(held.runs_since());
            subscription.plan_since = held.plan_since_of(&plan.code, context.now);
            let usage = asked.usage;
            let counts_on = |feature: &Feature| {
                feature.kind == Kind::Capacity || usage == UsageAfterChange::Keep
            };
            let mut next = Next::new(Change::PlanChanged, subscription);
            if usage == UsageAfterChange::Restart {
                next.entries = zero_carried(desk)?;
                let now = context.now;
                end_first_use(desk, now)?;
            }
            put(desk, next, counts_on)
        }
    }
}

/// What a change at once makes of a trial (S13): to a plan that has one it goes on to its end; a plan that has none is sold from
/// now on.
fn goes_on_trying(next: &mut Subscription, plan: &Plan, held: &Subscription) {
    if plan.trial_days.is_some() {
        next.ends_at = held.ends_at.min(held.cancel_at.unwrap_or(held.ends_at));
    } else {
        next.status = Status::Active;
    }
}

/// Whether a plan is dearer than another for a day, and its interval not shorter. A free plan has no interval that was
/// paid for.
fn is_upgrade(next: &Plan, current: &Plan) -> bool {
    let is_shorter = next.interval.months() < current.interval.months();
    if is_shorter && !current.is_free() {
        return false;
    }
    current.is_cheaper_than(next)
}

/// Consumables that would count on: what renewals carry, and what was used in this very instant. A change of plan at once
/// restarts them like the others. A window of the calendar counts on (W4).
pub(super) fn zero_carried(desk: &mut Desk<'_>) -> Result<Vec<Entry>, Rejection> {
    let context = desk.context;
    let now = context.now.timestamp_micros();
    let balances = desk.account()?.books.balances.iter();
    let carried = balances.filter_map(|balance| {
        let code = match &balance.bucket {
            Bucket::Standing(code) => code,
            Bucket::Window(code, start) | Bucket::Further(code, _, start) if *start == now => code,
            Bucket::Window(..)
            | Bucket::Further(..)
            | Bucket::Tracked(..)
            | Bucket::Trial(_)
            | Bucket::Grant(_)
            | Bucket::Boost(..)
            | Bucket::Room(_)
            | Bucket::Member(..)
            | Bucket::OnDemand(..)
            | Bucket::Token(_)
            | Bucket::TokenWindow(..) => return None,
        };
        let feature = context.catalog.features.get(code);
        let limit = balance.bucket.limit();
        let per = limit.and_then(|(_, per)| per.or_else(|| feature.map(Per::of)));
        let goes_on = per.is_some_and(Per::is_calendar);
        let counts = context.is_consumable(code) && balance.spent() != 0;
        (counts && !goes_on).then(|| (balance.bucket.clone(), Some(code.clone())))
    });
    let carried = carried.collect();
    zero(desk, carried)
}
