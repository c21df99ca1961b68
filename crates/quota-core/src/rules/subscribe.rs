//! Subscriptions by hand: start, status, cancel (section 3); and what those and renewals and changes of plan share.

use chrono::{DateTime, Utc};

use super::desk::Desk;
use super::moves::move_usage;
use super::outcome::Outcome;
use crate::answer::Rejection;
use crate::catalog::{Feature, Plan};
use crate::change::Change;
use crate::command::{Cancel, SetStatus, Subscribe};
use crate::ids::PlanCode;
use crate::operation::Entry;
use crate::terms::{Status, Subscription};

/// The newest version of a plan, and its number.
pub(super) fn newest<'a>(desk: &Desk<'a>, code: &PlanCode) -> Result<(&'a Plan, u32), Rejection> {
    let catalog = desk.context.catalog;
    let plan = catalog.plan(code, None);
    let plan = plan.ok_or_else(|| Rejection::UnknownPlan(code.clone()))?;
    Ok((plan, catalog.newest_version(code)))
}

/// The subscription as it is now, a scheduled change that has come included.
pub(super) fn current(desk: &Desk<'_>) -> Result<Subscription, Rejection> {
    let held = desk.account()?.terms.subscription.as_ref();
    let held = held.ok_or(Rejection::NoSubscription)?;
    let context = &desk.context;
    Ok(held.current(context.catalog, context.now).into_owned())
}

/// A subscription that is to be the account's from now on.
pub(super) struct Next {
    pub(super) change: Change,
    pub(super) subscription: Subscription,
    /// What was posted for it before.
    pub(super) entries: Vec<Entry>,
}

impl Next {
    pub(super) fn new(change: Change, subscription: Subscription) -> Self {
        Self {
            change,
            subscription,
            entries: Vec::new(),
        }
    }
}

/// Gives the account its next subscription; the use of features of which `counts_on` says so counts on.
pub(super) fn put(
    desk: &mut Desk<'_>,
    next: Next,
    counts_on: impl Fn(&Feature) -> bool,
) -> Result<Outcome, Rejection> {
    let mut terms = desk.account()?.terms.clone();
    let detail = Some(detail(
        desk,
        terms.subscription.as_ref(),
        &next.subscription,
    ));
    terms.subscription = Some(next.subscription);
    let mut entries = next.entries;
    entries.extend(move_usage(desk, terms, counts_on)?);
    Ok(desk.changed(next.change, detail, entries))
}

/// The subscription in words, and what was paid ahead and is dropped by it.
fn detail(desk: &Desk<'_>, before: Option<&Subscription>, next: &Subscription) -> String {
    let before = before.map(|held| held.current(desk.context.catalog, desk.context.now));
    let ahead = before.as_ref().and_then(|held| held.paid_ahead());
    let dropped = ahead.filter(|_| next.upcoming.is_none());
    let mut detail = format!(
        "{} from {} to {}",
        next.plan,
        next.starts_at.to_rfc3339(),
        next.ends_at.to_rfc3339()
    );
    if let Some(change) = next.scheduled_change() {
        detail = format!("{detail}; {} from {}", change.plan, change.at.to_rfc3339());
    }
    if let Some(ahead) = dropped {
        let (plan, ends_at) = (&ahead.plan, ahead.ends_at.to_rfc3339());
        detail = format!("{detail}; {plan}, paid ahead to {ends_at}, is dropped");
    }
    detail
}

/// Starts a subscription in place of any other.
pub(crate) fn subscribe(desk: &mut Desk<'_>, asked: &Subscribe) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let starts_at = asked.starts_at.unwrap_or(now);
    let (plan, version) = newest(desk, &asked.plan)?;
    let mut subscription = Subscription::start(plan, version, starts_at);
    if let Some(ends_at) = asked.ends_at {
        if ends_at <= starts_at {
            return Err(Rejection::EndsBeforeStart);
        }
        subscription.ends_at = ends_at;
        if subscription.renews {
            subscription.cancel_at = Some(ends_at);
        }
    }
    let status = asked.status.unwrap_or(Status::Active);
    let subscription = with_status(subscription, status, now);
    let next = Next::new(Change::SubscriptionStarted, subscription);
    put(desk, next, |_| false)
}

fn with_status(mut subscription: Subscription, status: Status, now: DateTime<Utc>) -> Subscription {
    let past_due_at = subscription.past_due_at.or(Some(now));
    subscription.past_due_at = past_due_at.filter(|_| status == Status::PastDue);
    subscription.status = status;
    // What was paid ahead stands as this does; a free plan that follows has nothing to do with payment.
    subscription.upcoming = subscription.upcoming.map(|next| {
        if next.renews {
            next
        } else {
            Box::new(with_status(*next, status, now))
        }
    });
    subscription
}

/// Sets the status of the subscription (S1).
pub(crate) fn set_status(desk: &mut Desk<'_>, asked: &SetStatus) -> Result<Outcome, Rejection> {
    let held = current(desk)?;
    if held.status == asked.status {
        return Ok(desk.unchanged());
    }
    if asked.status == Status::Canceled {
        return cancel(desk, &Cancel { at_once: true });
    }
    // It ended when it was canceled: no status brings it back, a new subscription does.
    if held.status == Status::Canceled {
        return Err(Rejection::NotInForce);
    }
    let next = with_status(held, asked.status, desk.context.now);
    // A window waits with its use until it is in force again, or over.
    let next = Next::new(Change::SubscriptionStatusSet, next);
    put(desk, next, |_| false)
}

/// Cancels at the period's end, or at once (S8).
pub(crate) fn cancel(desk: &mut Desk<'_>, asked: &Cancel) -> Result<Outcome, Rejection> {
    let held = current(desk)?;
    let waits = held.cancel_at.is_some() && held.scheduled.is_none();
    let is_done = held.status == Status::Canceled || (waits && !asked.at_once);
    if is_done {
        return Ok(desk.unchanged());
    }
    let next = held.canceled(desk.context.now, asked.at_once);
    let next = Next::new(Change::SubscriptionCanceled, next);
    put(desk, next, |_| false)
}
