//! What a change of the subscription takes from the account: time and periods that were paid for, a change that waited, an
//! end that was set (S5, S8).

use std::fmt;

use chrono::{DateTime, Utc};

use crate::ids::PlanCode;
use crate::instant::text;
use crate::quantity::Quantity;
use crate::terms::{Status, Subscription};

/// Something of a subscription that a change drops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dropped {
    /// The rest of the running period, which was paid for.
    PaidTime {
        /// Code of the plan that it was paid for.
        plan: PlanCode,
        /// First instant after it.
        ends_at: DateTime<Utc>,
    },
    /// A trial, or what was left of it: nobody paid for it.
    Trial {
        /// Code of the plan that was tried.
        plan: PlanCode,
        /// First instant after it.
        ends_at: DateTime<Utc>,
    },
    /// Periods that were paid ahead, or starts that waited.
    PeriodsAhead {
        /// Code of the plan of the last of them.
        plan: PlanCode,
        /// How many.
        count: usize,
        /// First instant after the last of them.
        ends_at: DateTime<Utc>,
    },
    /// A change of plan that waited for its time.
    PlanChange {
        /// Code of the plan that would have taken over.
        plan: PlanCode,
        /// When it would have.
        at: DateTime<Utc>,
    },
    /// Seats of a period that waits, other than those of the running one (C12).
    Seats {
        /// Code of the plan of that period.
        plan: PlanCode,
        /// How many there would have been.
        seats: Quantity,
        /// When they would have begun.
        at: DateTime<Utc>,
    },
    /// A cancellation that had not acted yet.
    Cancellation {
        /// When it would have ended the subscription.
        at: DateTime<Utc>,
    },
    /// The end that the subscription was started with.
    End {
        /// First instant after it.
        at: DateTime<Utc>,
    },
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PaidTime { plan, ends_at } => {
                write!(f, "{plan}, paid for to {}, is dropped", text(ends_at))
            }
            Self::Trial { plan, ends_at } => {
                write!(f, "the trial of {plan}, to {}, is dropped", text(ends_at))
            }
            Self::PeriodsAhead {
                plan,
                count: 1,
                ends_at,
            } => write!(f, "{plan}, paid ahead to {}, is dropped", text(ends_at)),
            Self::PeriodsAhead { count, ends_at, .. } => {
                write!(
                    f,
                    "{count} periods, paid ahead to {}, are dropped",
                    text(ends_at)
                )
            }
            Self::PlanChange { plan, at } => {
                write!(f, "the change to {plan} at {} is dropped", text(at))
            }
            Self::Seats { plan, seats, at } => write!(
                f,
                "{seats} seats of {plan} from {} on are dropped",
                text(at)
            ),
            Self::Cancellation { at } => write!(f, "the cancellation at {} is dropped", text(at)),
            Self::End { at } => write!(f, "the end at {} is dropped", text(at)),
        }
    }
}

/// What `next` takes from the account that has `before`, the subscription that counts at `now`.
pub(super) fn dropped(
    before: &Subscription,
    next: &Subscription,
    now: DateTime<Utc>,
) -> Vec<Dropped> {
    let has = |plan: &PlanCode, starts_at: DateTime<Utc>| {
        let mut kept = next.chain();
        kept.any(|one| one.plan == *plan && one.starts_at == starts_at)
    };
    let is_lost = |one: &&Subscription| !has(&one.plan, one.starts_at);
    let mut lost = Vec::new();
    let running = Some(before).filter(is_lost);
    let running = running.filter(|one| one.is_paid() && !one.renews);
    let paid_to = running.and_then(|one| one.period(now).ends_at);
    if let Some(ends_at) = paid_to.filter(|end| now < *end) {
        let plan = before.plan.clone();
        lost.push(match before.status {
            Status::Trialing => Dropped::Trial { plan, ends_at },
            Status::Active | Status::PastDue | Status::Unpaid | Status::Canceled => {
                Dropped::PaidTime { plan, ends_at }
            }
        });
    }
    let ahead = before.chain().skip(1).filter(is_lost);
    let ahead = ahead.filter(|one| !one.renews);
    let (tried, ahead): (Vec<_>, Vec<_>) = ahead.partition(|one| one.status == Status::Trialing);
    lost.extend(tried.iter().map(|trial| Dropped::Trial {
        plan: trial.plan.clone(),
        ends_at: trial.ends_at,
    }));
    if let Some(latest) = ahead.last() {
        lost.push(Dropped::PeriodsAhead {
            plan: latest.plan.clone(),
            count: ahead.len(),
            ends_at: latest.ends_at,
        });
    }
    let change = before.scheduled_change();
    let change = change.filter(|change| next.scheduled_change() != Some(*change));
    if let Some(change) = change.filter(|change| !has(&change.plan, change.at)) {
        let (plan, at) = (change.plan.clone(), change.at);
        lost.push(Dropped::PlanChange { plan, at });
    }
    lost.extend(dropped_seats(before, next));
    lost.extend(dropped_end(before, next, now));
    lost
}

/// The seats of what waits that were booked for it, where `next` gives it others.
fn dropped_seats(before: &Subscription, next: &Subscription) -> Option<Dropped> {
    let is_changed = |one: &&Subscription| {
        let mut kept = next.chain();
        let kept = kept.find(|kept| kept.plan == one.plan && kept.starts_at == one.starts_at);
        one.seats != before.seats && kept.is_some_and(|kept| kept.seats != one.seats)
    };
    let one = before.chain().skip(1).find(is_changed)?;
    Some(Dropped::Seats {
        plan: one.plan.clone(),
        seats: one.seats,
        at: one.starts_at,
    })
}

/// The end that was set, by a cancellation or from the start, where `next` goes on as if it had not been.
fn dropped_end(before: &Subscription, next: &Subscription, now: DateTime<Utc>) -> Option<Dropped> {
    let last = before.last();
    let still_ends = |one: &Subscription| {
        let is_same = one.plan == last.plan && one.starts_at == last.starts_at;
        is_same && one.cancel_at == last.cancel_at && one.scheduled.is_none()
    };
    let canceled = before.canceled_at().filter(|end| now < *end);
    let ends_later = |end: DateTime<Utc>| next.canceled_at().is_none_or(|other| end < other);
    if let Some(at) = canceled.filter(|end| ends_later(*end) && !next.chain().any(still_ends)) {
        return Some(Dropped::Cancellation { at });
    }
    let goes_on = next.ends_for_good_at().is_none();
    let at = last.renews_until.filter(|end| goes_on && now < *end)?;
    Some(Dropped::End { at })
}
