//! The status of a subscription, set by hand (S1).

use super::cancel::{cancel, not_in_force};
use super::desk::Desk;
use super::outcome::Outcome;
use super::subscribe::{Next, current, put, with_status};
use crate::answer::Rejection;
use crate::change::Change;
use crate::command::{Cancel, SetStatus};
use crate::terms::Status;

/// Sets the status of the subscription, and of the periods that are paid ahead (S1).
pub(crate) fn set_status(desk: &mut Desk<'_>, asked: &SetStatus) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let held = current(desk)?;
    if held.status == asked.status {
        return Ok(desk.unchanged());
    }
    if asked.status == Status::Canceled {
        return cancel(desk, &Cancel { at_once: true });
    }
    // It ended when it was canceled: no status brings it back, a new subscription does.
    if held.status == Status::Canceled && held.upcoming.is_none() {
        return Err(not_in_force(&held, now));
    }
    let next = with_status(held, asked.status, now);
    // A window waits with its use until it is in force again, or over.
    let next = Next {
        set: Some(asked.status.as_str().to_owned()),
        ..Next::new(Change::SubscriptionStatusSet, next)
    };
    put(desk, next, |_| false)
}
