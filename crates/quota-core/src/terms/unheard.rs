//! A provider's subscription whose period is over, of which nothing has been heard since (S10).

use chrono::{DateTime, TimeDelta, Utc};

use super::subscription::{Status, Subscription};
use crate::catalog::{Catalog, Renewal};

/// For how long a trial goes on whose provider is silent.
const TRIAL_UNHEARD: TimeDelta = TimeDelta::hours(1);

impl Subscription {
    /// Whether it goes on when its period is over and its provider is silent: it was active, no end was set that is not later, and
    /// nothing follows.
    pub(super) fn goes_on_unheard(&self) -> bool {
        let is_settled = match self.status {
            Status::Active | Status::Trialing | Status::PastDue => true,
            Status::Unpaid | Status::Canceled => false,
        };
        let ends_later = self.cancel_at.is_none_or(|end| self.ends_at < end);
        self.provided.is_some() && self.upcoming.is_none() && is_settled && ends_later
    }

    /// First instant after it, if its provider stays silent: of a trial soon, else when it was set to end. How long it is in
    /// force until then is for the grace to say.
    pub(super) fn unheard_end(&self) -> Option<DateTime<Utc>> {
        let soon = match self.status {
            Status::Trialing => self.ends_at.checked_add_signed(TRIAL_UNHEARD),
            Status::Active | Status::PastDue | Status::Unpaid | Status::Canceled => None,
        };
        [soon, self.cancel_at].into_iter().flatten().min()
    }

    /// It at `now`, at or after its end, as it goes on: overdue since then, in the period that its anchor gives. With a plan
    /// that renews when it is paid, nothing is granted; a trial goes on as it is for an hour.
    pub(super) fn unheard(&self, catalog: &Catalog, now: DateTime<Utc>) -> Self {
        let mut next = self.renewed();
        if next.ends_at <= now {
            (next.starts_at, next.ends_at) = next.period_of(now);
        }
        next.cancel_at = self.unheard_end();
        if self.status == Status::Trialing {
            next.status = Status::Trialing;
            next.ends_at = next.cancel_at.unwrap_or(next.ends_at);
            next.starts_at = self.ends_at;
            return next;
        }
        let plan = catalog.held_plan(&self.plan, self.plan_version);
        if plan.is_some_and(|plan| plan.renewal == Renewal::WhenPaid) {
            next.status = Status::Unpaid;
            return next;
        }
        next.status = Status::PastDue;
        next.past_due_at = self.past_due_at.or(Some(self.ends_at));
        next
    }
}
