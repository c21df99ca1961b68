//! Renewal: the next period of a subscription (S4).

use super::desk::Desk;
use super::outcome::Outcome;
use super::subscribe::{Next, current, newest, put};
use crate::answer::Rejection;
use crate::change::Change;
use crate::command::Renew;
use crate::terms::{Status, Subscription};

/// Starts the next period `[old end, new end)`, with the plan that was scheduled for it.
pub(crate) fn renew(desk: &mut Desk<'_>, asked: &Renew) -> Result<Outcome, Rejection> {
    let held = current(desk)?;
    if held.renews {
        return Ok(desk.unchanged());
    }
    if held.status == Status::Canceled || held.cancel_at.is_some() {
        return Err(Rejection::NotInForce);
    }
    let mut next = match &held.scheduled {
        // It follows by itself.
        Some(_) if held.upcoming.is_some() => return Ok(desk.unchanged()),
        Some(change) => {
            let (plan, version) = newest(desk, &change.plan)?;
            Subscription::start(plan, version, held.ends_at)
        }
        None => held.renewed(),
    };
    if let Some(ends_at) = asked.ends_at {
        if ends_at <= next.starts_at {
            return Err(Rejection::EndsBeforeStart);
        }
        next.ends_at = ends_at;
    }
    next.end_recorded_at = None;
    if desk.context.now < held.ends_at {
        if held.upcoming.is_some() {
            return Err(Rejection::AlreadyRenewed);
        }
        // The running period stays as it is until its end.
        let upcoming = Some(Box::new(Subscription {
            scheduled: None,
            ..next
        }));
        let scheduled = None;
        next = Subscription {
            scheduled,
            upcoming,
            ..held
        };
    }
    let next = Next::new(Change::SubscriptionRenewed, next);
    put(desk, next, |_| false)
}
