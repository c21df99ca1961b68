//! A subscription is started by hand (section 3); and what all commands share that give an account its next one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::booking::Booking;
use super::desk::Desk;
use super::moves::{end_first_use, move_usage};
use super::outcome::Outcome;
use super::subscription_words::in_words;
use crate::answer::Rejection;
use crate::catalog::{Catalog, Feature, Plan, PlanKind};
use crate::change::Change;
use crate::command::Subscribe;
use crate::event::EventKind;
use crate::ids::PlanCode;
use crate::operation::Entry;
use crate::terms::{Addon, PERIODS_AHEAD_MAX, QueueFull, Status, Subscription, Terms};

/// The newest version of a base plan, and its number.
pub(super) fn newest<'a>(desk: &Desk<'a>, code: &PlanCode) -> Result<(&'a Plan, u32), Rejection> {
    let catalog = desk.context.catalog;
    let plan = catalog.plan(code, None);
    let plan = plan.ok_or_else(|| Rejection::UnknownPlan(code.clone()))?;
    if plan.kind == PlanKind::Addon {
        return Err(Rejection::IsAddon(code.clone()));
    }
    Ok((plan, catalog.newest_version(code)))
}

/// The subscription as it is now: a scheduled change that has come included, or the default plan that the account fell back
/// to (C14).
pub(super) fn current(desk: &Desk<'_>) -> Result<Subscription, Rejection> {
    let (held, context) = (stored(desk)?, &desk.context);
    Ok(held.current(context.catalog, context.now).into_owned())
}

/// The subscription as it is now, or as it was when it ended: what a renewal goes on from, and a resumption asks about.
pub(super) fn last_of_its_own(desk: &Desk<'_>) -> Result<Subscription, Rejection> {
    let (held, context) = (stored(desk)?, &desk.context);
    Ok(held.of_its_own(context.catalog, context.now).into_owned())
}

fn stored<'d>(desk: &'d Desk<'_>) -> Result<&'d Subscription, Rejection> {
    let held = desk.account()?.terms.subscription.as_ref();
    held.ok_or(Rejection::NoSubscription)
}

/// Whether nothing but the default plan is there, for good: the account would fall back to it again, and begin its windows
/// anew (C14).
pub(super) fn is_default(desk: &Desk<'_>, held: &Subscription) -> bool {
    let is_endless = held.ends_for_good_at().is_none() && held.upcoming.is_none();
    is_endless && desk.context.catalog.default_plan.as_ref() == Some(&held.plan)
}

/// A subscription that is to be the account's from now on.
pub(super) struct Next {
    pub(super) change: Change,
    pub(super) subscription: Subscription,
    /// What was posted for it before.
    pub(super) entries: Vec<Entry>,
    /// What the change set, where the subscription in words does not say it.
    pub(super) set: Option<String>,
    /// The add-ons that are to be the account's, where they change with it.
    pub(super) addons: Option<BTreeMap<PlanCode, Addon>>,
}

impl Next {
    pub(super) fn new(change: Change, subscription: Subscription) -> Self {
        Self {
            change,
            subscription,
            entries: Vec::new(),
            set: None,
            addons: None,
        }
    }
}

/// Gives the account its next subscription; the use of features of which `counts_on` says so counts on.
pub(super) fn put(
    desk: &mut Desk<'_>,
    mut next: Next,
    counts_on: impl Fn(&Feature) -> bool,
) -> Result<Outcome, Rejection> {
    let mut terms = desk.account()?.terms.clone();
    let (catalog, now) = (desk.context.catalog, desk.context.now);
    let before = terms.subscription.as_ref();
    let before = before.map(|held| held.current(catalog, now));
    let ended = ended_unrecorded(&terms, &next, (catalog, now));
    if let Some((_, end)) = ended {
        next.subscription.note_end(end, now);
    }
    let words = in_words(before.as_deref(), &next.subscription, now);
    let detail = Some(match &next.set {
        Some(set) => format!("{set}; {words}"),
        None => words,
    });
    let settles = first_with_trial(catalog, &next.subscription);
    terms.trial_settled_at = terms.trial_settled_at.or(settles);
    terms.subscription = Some(next.subscription);
    if let Some(addons) = next.addons {
        terms.addons = addons;
    }
    let mut entries = next.entries;
    entries.extend(move_usage(desk, terms, counts_on)?);
    let booking = Booking {
        entries,
        ..desk.change_booking(next.change, detail)
    };
    desk.mark_terms();
    let outcome = desk.book(booking);
    if let Some((plan, _)) = ended {
        let expired = EventKind::SubscriptionExpired { plan };
        desk.announce(&outcome.operation, expired);
    }
    let reason = next.change;
    desk.announce(&outcome.operation, EventKind::QuotaUpdated { reason });
    Ok(outcome)
}

/// The plan and the end of a subscription that has ended, when `next` takes its place before the job recorded that (S9): it would be told by
/// nobody. A late renewal takes the end back.
fn ended_unrecorded(
    terms: &Terms,
    next: &Next,
    (catalog, now): (&Catalog, DateTime<Utc>),
) -> Option<(PlanCode, DateTime<Utc>)> {
    let held = terms.subscription.as_ref()?;
    let ended_at = held.unrecorded_end().filter(|end| *end <= now)?;
    let is_left = next.subscription.unrecorded_end() == Some(ended_at);
    if is_left || next.change == Change::SubscriptionRenewed {
        return None;
    }
    Some((held.of_its_own(catalog, now).plan.clone(), ended_at))
}

/// That no more periods can follow.
pub(super) fn queue_full(_: QueueFull) -> Rejection {
    let most = PERIODS_AHEAD_MAX;
    Rejection::PeriodsAheadFull { most }
}

/// Starts a subscription: in place of any other, or in the future behind all that is paid for (S8).
pub(crate) fn subscribe(desk: &mut Desk<'_>, asked: &Subscribe) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    if asked.status == Some(Status::Canceled) {
        return Err(Rejection::StartsCanceled);
    }
    let asked_for = asked.starts_at.unwrap_or(now);
    let (plan, version) = newest(desk, &asked.plan)?;
    let is_trial = begins_with_trial(desk, asked, plan)?;
    let of_plan = if is_trial {
        Status::Trialing
    } else {
        Status::Active
    };
    let status = asked.status.unwrap_or(of_plan);
    let held = match desk.account()?.terms.subscription {
        Some(_) => Some(current(desk)?),
        None => None,
    };
    let waits_behind = held.as_ref().filter(|_| now < asked_for);
    let starts_at = waits_behind.map_or(asked_for, |held| held.queue_start(asked_for));
    let mut subscription = Subscription::start(plan, version, starts_at);
    subscription.seats = asked.seats.unwrap_or_default();
    if let Some(days) = plan.trial_days.filter(|_| is_trial) {
        subscription.ends_at = trial_end(starts_at, days);
    }
    if let Some(ends_at) = asked.ends_at {
        if ends_at <= starts_at {
            return Err(Rejection::EndsBeforeStart { starts_at });
        }
        subscription.ends_at = ends_at;
        subscription.renews_until = subscription.renews.then_some(ends_at);
    }
    must_not_be_over(desk, asked, (held.as_ref(), &subscription))?;
    let mut subscription = with_status(subscription, status, now);
    if let Some(held) = waits_behind {
        subscription = held.queued(subscription).map_err(queue_full)?;
    } else if let Some(held) = held {
        subscription = take_place(desk, &held, subscription)?;
    }
    let next = Next::new(Change::SubscriptionStarted, subscription);
    put(desk, next, |_| false)
}

/// What takes the place of `held` at its start: where that leaves no gap, it goes on (W4).
pub(super) fn take_place(
    desk: &mut Desk<'_>,
    held: &Subscription,
    mut next: Subscription,
) -> Result<Subscription, Rejection> {
    let starts_at = next.starts_at;
    if runs_on(desk, held, starts_at) {
        // A start in the past may lie before what runs.
        next.runs_since = Some(held.runs_since().min(starts_at));
        next.plan_since = held.plan_since_of(&next.plan, starts_at);
        end_first_use(desk, starts_at)?;
    }
    Ok(next)
}

/// Refuses a start whose period is over already: it would end what runs and give nothing. With an end or a status that is said,
/// it is the record of one that was, and is taken where nothing runs but the default plan.
fn must_not_be_over(
    desk: &Desk<'_>,
    asked: &Subscribe,
    (held, next): (Option<&Subscription>, &Subscription),
) -> Result<(), Rejection> {
    let (now, grace) = (desk.context.now, desk.context.grace);
    let Some(ended_at) = next.ends_for_good_at().filter(|end| *end <= now) else {
        return Ok(());
    };
    let is_record = asked.ends_at.is_some() || asked.status.is_some();
    let runs = held.is_some_and(|held| held.is_in_force(now, grace) && !is_default(desk, held));
    if is_record && !runs {
        return Ok(());
    }
    let field = match asked.ends_at {
        Some(_) => "ends_at",
        None => "starts_at",
    };
    Err(Rejection::OverAlready { field, ended_at })
}

/// Whether a start begins with a trial period: as it says; or unasked, with the first subscription in the account's life to a
/// plan that has one (S13). One whose end or status is said is what that makes it.
fn begins_with_trial(desk: &Desk<'_>, asked: &Subscribe, plan: &Plan) -> Result<bool, Rejection> {
    match (asked.trial, asked.status) {
        (Some(true), None | Some(Status::Trialing)) => match plan.trial_days {
            Some(_) => Ok(true),
            None => Err(Rejection::NoTrial(plan.code.clone())),
        },
        (Some(false), Some(Status::Trialing)) | (Some(true), Some(_)) => {
            let status = asked.status.unwrap_or(Status::Trialing);
            Err(Rejection::TrialAgainstStatus { status })
        }
        (None, Some(Status::Trialing)) => Ok(true),
        (Some(false), _) | (None, Some(_)) => Ok(false),
        (None, None) => {
            let terms = &desk.account()?.terms;
            // The plan may have got its trial only after the account had it.
            let held = terms.subscription.as_ref();
            let held = held.and_then(|held| first_with_trial(desk.context.catalog, held));
            let is_first = terms.trial_settled_at.or(held).is_none();
            Ok(plan.trial_days.is_some() && asked.ends_at.is_none() && is_first)
        }
    }
}

/// When the first of a subscription and what follows it begins that is tried, or paid for and to a plan that has a trial period:
/// with it is settled that the account has its trial, or has none.
fn first_with_trial(catalog: &Catalog, held: &Subscription) -> Option<DateTime<Utc>> {
    let has_trial = |one: &&Subscription| {
        let plan = catalog.plan(&one.plan, None);
        let has_trial = plan.is_some_and(|plan| plan.trial_days.is_some());
        one.status == Status::Trialing || (has_trial && one.is_paid())
    };
    let mut chain = held.chain();
    chain.find(has_trial).map(|one| one.starts_at)
}

/// First instant after a trial of so many days of 24 hours.
fn trial_end(starts_at: DateTime<Utc>, days: u16) -> DateTime<Utc> {
    let ends_at = starts_at.checked_add_signed(TimeDelta::days(i64::from(days)));
    ends_at.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Whether a start at `starts_at` in place of `held` leaves no gap (W4).
pub(super) fn runs_on(desk: &Desk<'_>, held: &Subscription, starts_at: DateTime<Utc>) -> bool {
    let (now, grace) = (desk.context.now, desk.context.grace);
    let before = starts_at.checked_sub_signed(TimeDelta::microseconds(1));
    held.is_in_force(now, grace) || before.is_some_and(|before| held.is_in_force(before, grace))
}

pub(super) fn with_status(
    mut subscription: Subscription,
    status: Status,
    now: DateTime<Utc>,
) -> Subscription {
    // What was canceled at once stays canceled.
    if subscription.status != Status::Canceled {
        let past_due_at = subscription.past_due_at.or(Some(now));
        subscription.past_due_at = past_due_at.filter(|_| status == Status::PastDue);
        subscription.status = status;
    }
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
