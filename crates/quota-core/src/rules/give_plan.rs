//! A plan is given for a time (P15): what was paid for is not cut, and what renews by itself goes on behind it.

use chrono::{DateTime, Utc};

use super::codes::{in_days, must_be_days};
use super::desk::Desk;
use super::outcome::Outcome;
use super::subscribe::{Next, current, newest, put, queue_full, take_place};
use crate::answer::Rejection;
use crate::catalog::Catalog;
use crate::change::Change;
use crate::code_misfit::CodeMisfit;
use crate::command::GivePlan;
use crate::terms::{Status, Subscription};

/// Gives a plan for so many days: at once where nothing that was paid for runs, else behind all of that (S8).
///
/// What a provider renews is refused: the provider decides what follows it, and would drop what waits.
pub(crate) fn give_plan(desk: &mut Desk<'_>, asked: &GivePlan) -> Result<Outcome, Rejection> {
    must_be_days(asked.days)?;
    let now = desk.context.now;
    let (plan, version) = newest(desk, &asked.plan)?;
    let held = match desk.account()?.terms.subscription {
        Some(_) => Some(current(desk)?),
        None => None,
    };
    if let Some(held) = &held {
        must_be_ours(held, now)?;
    }
    let starts_at = held.as_ref().map_or(now, |held| held.queue_start(now));
    let mut given = Subscription::start(plan, version, starts_at);
    given.seats = asked.seats;
    given.ends_at = in_days(starts_at, asked.days);
    given.renews_until = given.renews.then_some(given.ends_at);
    let mut subscription = given.clone();
    if let Some(held) = held {
        let follows = goes_on_behind(&held, &given, desk.context.catalog);
        subscription = if now < starts_at {
            held.queued(given).map_err(queue_full)?
        } else {
            take_place(desk, &held, given)?
        };
        if let Some(follows) = follows {
            subscription = subscription.queued(follows).map_err(queue_full)?;
        }
    }
    let next = Next::new(Change::SubscriptionStarted, subscription);
    put(desk, next, |_| false)
}

/// Refuses to give something behind what a provider renews.
fn must_be_ours(held: &Subscription, now: DateTime<Utc>) -> Result<(), Rejection> {
    let is_over =
        held.status == Status::Canceled || held.ends_for_good_at().is_some_and(|end| end <= now);
    match &held.provided {
        Some(provided) if !is_over => {
            Err(CodeMisfit::SubscriptionProvided(provided.provider.clone()).into())
        }
        Some(_) | None => Ok(()),
    }
}

/// The plan that renews by itself without an end, from the end of what is given on. The default plan needs no word: the
/// account falls back to it (C14).
fn goes_on_behind(
    held: &Subscription,
    given: &Subscription,
    catalog: &Catalog,
) -> Option<Subscription> {
    let last = held.last();
    let is_default = catalog.default_plan.as_ref() == Some(&last.plan);
    if !last.renews || is_default || held.ends_for_good_at().is_some() {
        return None;
    }
    let plan = catalog.plan(&last.plan, None)?;
    let version = catalog.newest_version(&last.plan);
    let mut follows = given.followed_by(plan, version, given.ends_at);
    follows.seats = last.seats;
    Some(follows)
}
