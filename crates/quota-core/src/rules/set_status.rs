//! The status of a subscription, set by hand (S1).

use super::cancel::{cancel, ended_for_good};
use super::desk::Desk;
use super::outcome::Outcome;
use super::subscribe::{Next, current, put, with_status};
use crate::answer::Rejection;
use crate::change::Change;
use crate::command::{Cancel, SetStatus};
use crate::terms::Status;

/// Sets the status of the subscription, and of the periods that are paid ahead (S1). What has ended is not brought back by a
/// status: a renewal or a new subscription does that.
pub(crate) fn set_status(desk: &mut Desk<'_>, asked: &SetStatus) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let held = current(desk)?;
    if asked.status == Status::Canceled && held.status != Status::Canceled {
        return cancel(desk, &Cancel { at_once: true });
    }
    if asked.status != Status::Canceled
        && let Some(ended) = ended_for_good(&held, now)
    {
        return Err(ended);
    }
    if held.status == asked.status {
        return Ok(desk.unchanged());
    }
    let next = with_status(held, asked.status, now);
    // A window waits with its use until it is in force again, or over.
    let next = Next {
        set: Some(asked.status.as_str().to_owned()),
        ..Next::new(Change::SubscriptionStatusSet, next)
    };
    put(desk, next, |_| false)
}
