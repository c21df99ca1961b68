//! Why a subscription is not in force (S2).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::subscription::{Status, Subscription};
use crate::catalog::Catalog;

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

impl Subscription {
    /// Why it is not in force at `now`, if it is not: it grants only while its plan is in the catalog too. It is the one that
    /// counts at `now`.
    pub fn lapse(&self, catalog: &Catalog, now: DateTime<Utc>, grace: TimeDelta) -> Option<Lapse> {
        if self.is_in_force(now, grace) {
            let plan = catalog.held_plan(&self.plan, self.plan_version);
            return plan.is_none().then_some(Lapse::PlanRemoved);
        }
        if now < self.starts_at {
            return Some(Lapse::NotBegun);
        }
        if self.status == Status::Canceled || self.cancel_at.is_some_and(|end| end <= now) {
            return Some(Lapse::Canceled);
        }
        if !self.period(now).contains(now) {
            return Some(Lapse::Ended);
        }
        Some(match self.status {
            Status::Unpaid => Lapse::Unpaid,
            Status::Active | Status::Trialing | Status::PastDue | Status::Canceled => {
                Lapse::PastDue
            }
        })
    }
}
