//! Renewal: one more period of a subscription (S4, S8).

use super::cancel::canceled;
use super::desk::Desk;
use super::outcome::Outcome;
use super::subscribe::{Next, last_of_its_own, newest, put, queue_full};
use crate::answer::Rejection;
use crate::change::Change;
use crate::command::Renew;
use crate::terms::Subscription;

/// Adds a period behind the last that is paid for: `[old end, new end)`, with the plan that was scheduled for it. It
/// may have begun already.
pub(crate) fn renew(desk: &mut Desk<'_>, asked: &Renew) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let held = last_of_its_own(desk)?;
    let last = held.last();
    if let Some(refused) = canceled(last, now) {
        return Err(refused);
    }
    must_be_paid(desk, &held)?;
    if last.renews && last.renews_until.is_none() {
        return match asked.ends_at {
            Some(_) => Err(Rejection::RenewsByItself),
            None => Ok(desk.unchanged()),
        };
    }
    let mut next = match &last.scheduled {
        Some(change) => {
            let (plan, version) = newest(desk, &change.plan)?;
            last.followed_by(plan, version, last.ends_at)
        }
        None => last.renewed(),
    };
    if desk
        .context
        .catalog
        .held_plan(&next.plan, next.plan_version)
        .is_none()
    {
        return Err(Rejection::PlanRemoved(next.plan));
    }
    if let Some(ends_at) = asked.ends_at {
        let starts_at = next.starts_at;
        if ends_at <= starts_at {
            return Err(Rejection::EndsBeforeStart { starts_at });
        }
        next.ends_at = ends_at;
        next.renews_until = next.renews.then_some(ends_at);
    }
    let is_late = held.upcoming.is_none() && held.ends_at <= now;
    if !is_late {
        // What runs stays as it is until its end.
        next = held.queued(next).map_err(queue_full)?;
    }
    put(desk, Next::new(Change::SubscriptionRenewed, next), |_| {
        false
    })
}

/// A period that runs and is not paid for is not renewed: the next one would wait behind it, and grant nothing until then (S1).
fn must_be_paid(desk: &Desk<'_>, held: &Subscription) -> Result<(), Rejection> {
    let (now, grace) = (desk.context.now, desk.context.grace);
    if held.period(now).contains(now) && !held.is_in_force(now, grace) {
        let status = held.status;
        return Err(Rejection::NotPaid { status });
    }
    Ok(())
}
