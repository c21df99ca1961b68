//! Why a subscription is not in force (S2).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::subscription::{Status, Subscription};
use crate::catalog::{Catalog, Plan};
use crate::window::Window;

/// Why a subscription is not in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lapse {
    /// It has not begun yet.
    NotBegun,
    /// It was canceled, and has ended.
    Canceled,
    /// Its last period is over.
    Ended,
    /// It is not paid for.
    Unpaid,
    /// A payment has been overdue for longer than the grace.
    PastDue,
    /// Its plan was taken out of the catalog (C7).
    PlanRemoved,
}

/// A subscription at an instant at which it is the one that counts, with its plan and its period then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) held: &'a Subscription,
    pub(crate) plan: Option<&'a Plan>,
    pub(crate) period: Window,
}

impl<'a> Seen<'a> {
    pub(crate) fn at(held: &'a Subscription, catalog: &'a Catalog, now: DateTime<Utc>) -> Self {
        Self {
            held,
            plan: catalog.held_plan(&held.plan, held.plan_version),
            period: held.period(now),
        }
    }

    /// See [`Subscription::lapse`].
    pub(crate) fn lapse(&self, now: DateTime<Utc>, grace: TimeDelta) -> Option<Lapse> {
        let (held, is_running) = (self.held, self.period.contains(now));
        if is_running && held.is_settled(now, grace) {
            return self.plan.is_none().then_some(Lapse::PlanRemoved);
        }
        if now < held.starts_at {
            return Some(Lapse::NotBegun);
        }
        if held.status == Status::Canceled || held.cancel_at.is_some_and(|end| end <= now) {
            return Some(Lapse::Canceled);
        }
        if !is_running {
            return Some(Lapse::Ended);
        }
        Some(match held.status {
            Status::Unpaid => Lapse::Unpaid,
            Status::Active | Status::Trialing | Status::PastDue | Status::Canceled => {
                Lapse::PastDue
            }
        })
    }
}

impl Subscription {
    /// Why it is not in force at `now`, if it is not: it grants only while its plan is in the catalog too. It is the one that
    /// counts at `now`.
    pub fn lapse(&self, catalog: &Catalog, now: DateTime<Utc>, grace: TimeDelta) -> Option<Lapse> {
        Seen::at(self, catalog, now).lapse(now, grace)
    }
}
