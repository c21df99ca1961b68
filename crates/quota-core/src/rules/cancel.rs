//! The end of a subscription by hand, and the way back (S8).

use chrono::{DateTime, Utc};

use super::desk::Desk;
use super::outcome::Outcome;
use super::subscribe::{Next, current, is_default, last_of_its_own, put};
use crate::answer::Rejection;
use crate::change::Change;
use crate::command::Cancel;
use crate::terms::{Status, Subscription};

/// Cancels at the end of all that is paid for, or at once.
pub(crate) fn cancel(desk: &mut Desk<'_>, asked: &Cancel) -> Result<Outcome, Rejection> {
    let held = current(desk)?;
    if let Some(ended) = ended_for_good(&held, desk.context.now) {
        return Err(ended);
    }
    if held.canceled_at().is_some() && !asked.at_once {
        return Ok(desk.unchanged());
    }
    if is_default(desk, &held) {
        return Err(Rejection::DefaultPlan(held.plan));
    }
    let next = held.canceled(desk.context.now, asked.at_once);
    let next = Next::new(Change::SubscriptionCanceled, next);
    put(desk, next, |_| false)
}

/// Takes a cancellation back that has not acted yet: everything is as if it had not been.
pub(crate) fn resume(desk: &mut Desk<'_>) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let held = last_of_its_own(desk)?;
    if let Some(resumed) = held.resumed(now) {
        let next = Next::new(Change::SubscriptionResumed, resumed);
        return put(desk, next, |_| false);
    }
    let last = held.last();
    let refused = canceled(last, now).or_else(|| ended(last, now));
    let status = last.status;
    Err(refused.unwrap_or(Rejection::NotCanceled { status }))
}

/// That a subscription was canceled, if it was: whether it has ended yet, and when.
pub(super) fn canceled(held: &Subscription, now: DateTime<Utc>) -> Option<Rejection> {
    let cancel_at = held.cancel_at.filter(|_| held.scheduled.is_none());
    let is_canceled = held.status == Status::Canceled;
    let end = cancel_at.or(is_canceled.then_some(held.starts_at))?;
    if is_canceled || end <= now {
        return Some(Rejection::Ended {
            ended_at: end,
            was_canceled: true,
        });
    }
    Some(Rejection::Canceled { ends_at: end })
}

fn ended(held: &Subscription, now: DateTime<Utc>) -> Option<Rejection> {
    let ended_at = held.ends_for_good_at().filter(|end| *end <= now)?;
    Some(Rejection::Ended {
        ended_at,
        was_canceled: false,
    })
}

/// That a subscription and all that follows it is over, if it is.
pub(super) fn ended_for_good(held: &Subscription, now: DateTime<Utc>) -> Option<Rejection> {
    over(held.last(), now)
}

fn over(held: &Subscription, now: DateTime<Utc>) -> Option<Rejection> {
    let waits = |refused: &Rejection| matches!(refused, Rejection::Canceled { .. });
    let refused = canceled(held, now).filter(|refused| !waits(refused));
    refused.or_else(|| ended(held, now))
}

/// Why a subscription is not in force, for one that is not.
pub(super) fn not_in_force(held: &Subscription, now: DateTime<Utc>) -> Rejection {
    if let Some(refused) = over(held, now) {
        return refused;
    }
    if now < held.starts_at {
        let starts_at = held.starts_at;
        return Rejection::NotBegun { starts_at };
    }
    if held.is_paid() && held.status != Status::PastDue {
        // It ended, and what follows has not begun.
        let ended_at = held.period(now).ends_at.unwrap_or(held.ends_at);
        return Rejection::Ended {
            ended_at,
            was_canceled: false,
        };
    }
    let status = held.status;
    Rejection::NotPaid { status }
}
