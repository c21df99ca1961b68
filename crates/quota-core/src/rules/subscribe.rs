//! Subscriptions by hand: start, renew, change of plan, cancel, status; and the end of one, carried out (section 3).

use chrono::{DateTime, Utc};

use super::administer::{account_mut, changed, unchanged};
use super::booking::{Booking, announce, book};
use super::close::is_over;
use super::moves::{move_usage, zero};
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::catalog::{Feature, Kind, Plan};
use crate::command::{ChangeWhen, Request, UsageAfterChange};
use crate::event::EventKind;
use crate::home::Home;
use crate::ids::{FeatureCode, PlanCode};
use crate::operation::{Entry, OperationKind};
use crate::rules::context::Context;
use crate::rules::outcome::Outcome;
use crate::terms::{Status, Subscription};

fn plan<'a>(context: &Context<'a>, code: &PlanCode) -> Result<&'a Plan, Rejection> {
    let plan = context.catalog.plan(code, None);
    plan.ok_or_else(|| Rejection::UnknownPlan(code.clone()))
}

/// The subscription as it is now, a scheduled change that has come included.
fn held(home: &Home, context: &Context<'_>, request: &Request) -> Result<Subscription, Rejection> {
    let account = home.accounts.get(&request.account);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    let held = account.terms.subscription.as_ref();
    let held = held.ok_or(Rejection::NoSubscription)?;
    Ok(held.current(context.catalog, context.now).into_owned())
}

fn put(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    subscription: Subscription,
    counts_on: impl Fn(&Feature) -> bool,
    (what, mut entries): (&str, Vec<Entry>),
) -> Result<Outcome, Rejection> {
    let mut terms = account_mut(home, request)?.terms.clone();
    let before = terms.subscription.as_ref();
    let before = before.map(|held| held.current(context.catalog, context.now));
    let ahead = before.as_ref().and_then(|held| held.paid_ahead());
    let dropped = ahead.filter(|_| subscription.upcoming.is_none());
    let mut detail = format!(
        "{} from {} to {}",
        subscription.plan,
        subscription.starts_at.to_rfc3339(),
        subscription.ends_at.to_rfc3339()
    );
    if let Some(change) = subscription.scheduled_change() {
        detail = format!("{detail}; {} from {}", change.plan, change.at.to_rfc3339());
    }
    if let Some(ahead) = dropped {
        let (plan, ends_at) = (&ahead.plan, ahead.ends_at.to_rfc3339());
        detail = format!("{detail}; {plan}, paid ahead to {ends_at}, is dropped");
    }
    terms.subscription = Some(subscription);
    let moved = move_usage(home, context, &request.account, terms, counts_on)?;
    entries.extend(moved);
    let booking = Booking {
        entries,
        ..Booking::change(what, Some(detail))
    };
    Ok(changed(home, context, request, booking))
}

/// Starts a subscription in place of any other.
pub(crate) fn subscribe(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    (code, status): (&PlanCode, Option<Status>),
    (starts_at, ends_at): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Result<Outcome, Rejection> {
    let version = context.catalog.newest_version(code);
    let starts_at = starts_at.unwrap_or(context.now);
    let mut subscription = Subscription::start(plan(context, code)?, version, starts_at);
    if let Some(ends_at) = ends_at {
        if ends_at <= starts_at {
            return Err(Rejection::EndsBeforeStart);
        }
        subscription.ends_at = ends_at;
        if subscription.renews {
            subscription.cancel_at = Some(ends_at);
        }
    }
    subscription = with_status(subscription, status.unwrap_or(Status::Active), context.now);
    put(
        home,
        context,
        request,
        subscription,
        |_| false,
        ("subscription_started", Vec::new()),
    )
}

fn with_status(mut subscription: Subscription, status: Status, now: DateTime<Utc>) -> Subscription {
    subscription.past_due_at = match status {
        Status::PastDue => subscription.past_due_at.or(Some(now)),
        _ => None,
    };
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

/// Starts the next period `[old end, new end)` (S4), with the plan that was scheduled for it.
pub(crate) fn renew(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    ends_at: Option<DateTime<Utc>>,
) -> Result<Outcome, Rejection> {
    let held = held(home, context, request)?;
    if held.renews {
        return Ok(unchanged(home, context, request));
    }
    if held.status == Status::Canceled || held.cancel_at.is_some() {
        return Err(Rejection::NotInForce);
    }
    let mut next = match &held.scheduled {
        // It follows by itself.
        Some(_) if held.upcoming.is_some() => return Ok(unchanged(home, context, request)),
        Some(change) => {
            let version = context.catalog.newest_version(&change.plan);
            Subscription::start(plan(context, &change.plan)?, version, held.ends_at)
        }
        None => held.renewed(),
    };
    if let Some(ends_at) = ends_at {
        if ends_at <= next.starts_at {
            return Err(Rejection::EndsBeforeStart);
        }
        next.ends_at = ends_at;
    }
    next.end_recorded_at = None;
    if context.now < held.ends_at {
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
    put(
        home,
        context,
        request,
        next,
        |_| false,
        ("subscription_renewed", Vec::new()),
    )
}

/// Changes the plan, at once or at the period's end (S5).
pub(crate) fn change_plan(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    (code, when, usage): (&PlanCode, Option<ChangeWhen>, UsageAfterChange),
) -> Result<Outcome, Rejection> {
    let next = plan(context, code)?;
    let held = held(home, context, request)?;
    if !held.is_in_force(context.now, context.grace) {
        return Err(Rejection::NotInForce);
    }
    let current = context.catalog.plan(&held.plan, held.plan_version);
    let is_dearer = current.is_none_or(|current| is_dearer(next, current));
    let default = if is_dearer {
        ChangeWhen::Now
    } else {
        ChangeWhen::PeriodEnd
    };
    match when.unwrap_or(default) {
        ChangeWhen::PeriodEnd => {
            let version = context.catalog.newest_version(code);
            put(
                home,
                context,
                request,
                held.with_change(next, version, context.now),
                |_| true,
                ("plan_change_scheduled", Vec::new()),
            )
        }
        ChangeWhen::Now => {
            let version = context.catalog.newest_version(code);
            let mut new = Subscription::start(next, version, context.now);
            new.status = held.status;
            new.past_due_at = held.past_due_at;
            let counts_on = |feature: &Feature| {
                feature.kind == Kind::Capacity || usage == UsageAfterChange::Keep
            };
            let entries = if usage == UsageAfterChange::Restart {
                zero_carried(home, context, request)?
            } else {
                Vec::new()
            };
            let said = ("plan_changed", entries);
            put(home, context, request, new, counts_on, said)
        }
    }
}

/// Whether a plan costs more than another over the same time.
fn is_dearer(next: &Plan, current: &Plan) -> bool {
    let over_time = |plan: &Plan, other: &Plan| {
        let months = u64::from(other.interval.months());
        plan.price.saturating_mul(months)
    };
    over_time(next, current) > over_time(current, next)
}

/// Sets where the subscription stands (S1).
pub(crate) fn set_status(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    status: Status,
) -> Result<Outcome, Rejection> {
    let held = held(home, context, request)?;
    if held.status == status {
        return Ok(unchanged(home, context, request));
    }
    if status == Status::Canceled {
        return cancel(home, context, request, true);
    }
    // It ended when it was canceled: no status brings it back, a new subscription does.
    if held.status == Status::Canceled {
        return Err(Rejection::NotInForce);
    }
    let next = with_status(held, status, context.now);
    let said = ("subscription_status_set", Vec::new());
    // A window waits with its use until it is in force again, or over.
    put(home, context, request, next, |_| false, said)
}

/// Cancels at the period's end, or at once (S8).
pub(crate) fn cancel(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    at_once: bool,
) -> Result<Outcome, Rejection> {
    let held = held(home, context, request)?;
    let waits = held.cancel_at.is_some() && held.scheduled.is_none();
    let is_done = held.status == Status::Canceled || (waits && !at_once);
    if is_done {
        return Ok(unchanged(home, context, request));
    }
    let next = held.canceled(context.now, at_once);
    put(
        home,
        context,
        request,
        next,
        |_| false,
        ("subscription_canceled", Vec::new()),
    )
}

/// Records that the subscription ended: consumable counters go to 0, and it is announced (S9).
pub(crate) fn expire(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
) -> Result<Outcome, Rejection> {
    let account = account_mut(home, request)?;
    let due = account
        .terms
        .subscription
        .as_ref()
        .and_then(Subscription::unrecorded_end);
    if due.is_none_or(|end| context.now < end) {
        return Ok(unchanged(home, context, request));
    }
    let Some(subscription) = account.terms.subscription.as_mut() else {
        return Ok(unchanged(home, context, request));
    };
    // What ended is what followed last.
    *subscription = subscription
        .current(context.catalog, context.now)
        .into_owned();
    subscription.end_recorded_at = Some(context.now);
    let plan = subscription.plan.clone();
    let entries = zero_consumables(home, context, request)?;
    let booking = Booking {
        kind: OperationKind::Close,
        entries,
        ..Booking::change("subscription_expired", Some(plan.to_string()))
    };
    home.changes.accounts.insert(request.account.clone());
    home.changes.terms.insert(request.account.clone());
    let operation = book(home, context, request, booking);
    announce(home, &operation, EventKind::SubscriptionExpired { plan });
    Ok(Outcome {
        operation,
        is_booked: true,
    })
}

/// Consumables that would count on: what renewals carry, and what was used in this very instant. A change of plan at once
/// restarts them like the others (S5).
fn zero_carried(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
) -> Result<Vec<Entry>, Rejection> {
    let account = account_mut(home, request)?;
    let balances = account.books.balances.iter();
    let now = context.now.timestamp_micros();
    let carried = balances.filter_map(|balance| {
        let code = match &balance.bucket {
            Bucket::Standing(code) => code,
            Bucket::Window(code, start) if *start == now => code,
            _ => return None,
        };
        let counts = is_consumable(context, code) && balance.used != 0;
        counts.then(|| (balance.bucket.clone(), code.clone()))
    });
    let carried = carried.collect();
    zero(home, context, &request.account, carried)
}

fn is_consumable(context: &Context<'_>, code: &FeatureCode) -> bool {
    let feature = context.catalog.features.get(code);
    feature.is_none_or(|feature| feature.kind == Kind::Consumable)
}

/// Closes consumable windows that are over, and sets to 0 what still counts.
fn zero_consumables(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
) -> Result<Vec<Entry>, Rejection> {
    let account = account_mut(home, request)?;
    let (mut ended, mut counted) = (Vec::new(), Vec::new());
    for balance in &account.books.balances {
        match &balance.bucket {
            Bucket::Window(code, _) | Bucket::Standing(code) if is_consumable(context, code) => {
                if is_over(account, balance, context) {
                    ended.push(balance.bucket.clone());
                } else if balance.used != 0 {
                    counted.push((balance.bucket.clone(), code.clone()));
                }
            }
            _ => {}
        }
    }
    for bucket in ended {
        super::booking::close(home, &request.account, &bucket);
    }
    zero(home, context, &request.account, counted)
}
