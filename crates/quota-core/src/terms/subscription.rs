//! One account's right to a plan for a period (section 3).

use std::borrow::Cow;

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::addon::Addon;
use crate::absent::is_default;
use crate::catalog::{Catalog, Interval, Plan};
use crate::ids::PlanCode;
use crate::provider::Provided;
use crate::quantity::Quantity;
use crate::window::{Window, cadence_window, month_start};

/// Where a subscription stands (S1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Paid for, or free.
    Active,
    /// In its trial period.
    Trialing,
    /// A payment is overdue.
    PastDue,
    /// Not paid for: nothing is in force.
    Unpaid,
    /// Ended at once by a cancellation, or at the provider.
    Canceled,
}

/// A provider's status that the map of S1 does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("subscription status `{0}` is unknown")]
pub struct UnknownStatus(pub String);

impl Status {
    /// Its word, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Trialing => "trialing",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Canceled => "canceled",
        }
    }

    /// Reads Stripe's status (S1).
    ///
    /// # Errors
    /// [`UnknownStatus`] for a value outside the map; the caller logs it and changes nothing.
    pub fn from_stripe(text: &str) -> Result<Self, UnknownStatus> {
        match text {
            "active" => Ok(Self::Active),
            "trialing" => Ok(Self::Trialing),
            "past_due" => Ok(Self::PastDue),
            "unpaid" | "incomplete" | "paused" => Ok(Self::Unpaid),
            "canceled" | "incomplete_expired" => Ok(Self::Canceled),
            other => Err(UnknownStatus(other.to_owned())),
        }
    }
}

/// A change of plan that waits for the period's end (S5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanChange {
    /// The plan that follows.
    pub plan: PlanCode,
    /// When it takes over.
    pub at: DateTime<Utc>,
}

/// A right to a plan for a period `[starts_at, ends_at)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Code of the plan.
    pub plan: PlanCode,
    /// The version it stays on, if the plan is pinned; counts from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_version: Option<u32>,
    /// How many seats of the plan were bought: a limit may be for each of them (C12).
    #[serde(default, skip_serializing_if = "is_default")]
    pub seats: Quantity,
    /// Where it stands towards payment; whether it is in force depends on the period too (S2).
    pub status: Status,
    /// Since when a payment is overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past_due_at: Option<DateTime<Utc>>,
    /// What monthly windows are counted from (W2).
    pub anchor_at: DateTime<Utc>,
    /// First instant of the stored period.
    pub starts_at: DateTime<Utc>,
    /// First instant after the stored period.
    pub ends_at: DateTime<Utc>,
    /// Since when the account has had a subscription without a gap, this one or others before it; absent, since
    /// `starts_at`. Calendar windows are cut to it (W4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_since: Option<DateTime<Utc>>,
    /// Since when it is for this plan, where it took over from another one; absent, since `anchor_at`, or by the calendar since
    /// `runs_since`. Nothing rolls over from before it (C10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_since: Option<DateTime<Utc>>,
    /// How long one period lasts.
    pub interval: Interval,
    /// Whether it renews by itself, with no payment (S7).
    #[serde(default)]
    pub renews: bool,
    /// First instant at which it renews by itself no more, if it was started with an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews_until: Option<DateTime<Utc>>,
    /// When it ends for good, if it was canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<DateTime<Utc>>,
    /// The change that is scheduled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<PlanChange>,
    /// What follows by itself, each with what follows it: periods paid ahead, starts that wait; or with `scheduled`, the
    /// plan that takes over with nobody's doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upcoming: Option<Box<Subscription>>,
    /// Where it is the default plan, and the account fell back to it: when what was bought had ended (C14). Add-ons that were
    /// bought beside that count no more (P13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fell_back_at: Option<DateTime<Utc>>,
    /// When its end was recorded by the daily job (S9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_recorded_at: Option<DateTime<Utc>>,
    /// Which subscription of which provider it is, where one decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provided: Option<Box<Provided>>,
}

impl Subscription {
    /// Starts `plan` at `starts_at` for one interval; a free plan renews by itself from then on (S7).
    pub fn start(plan: &Plan, version: u32, starts_at: DateTime<Utc>) -> Self {
        Self {
            plan: plan.code.clone(),
            plan_version: plan.pinned.then_some(version),
            seats: Quantity::ONE,
            status: Status::Active,
            past_due_at: None,
            anchor_at: starts_at,
            starts_at,
            ends_at: month_start(starts_at, plan.interval.months()),
            runs_since: None,
            plan_since: None,
            interval: plan.interval,
            renews: plan.is_free(),
            renews_until: None,
            cancel_at: None,
            scheduled: None,
            upcoming: None,
            fell_back_at: None,
            end_recorded_at: None,
            provided: None,
        }
    }

    /// Whether this add-on was bought beside it, and not beside what had ended when the account fell back to it (P13).
    pub(crate) fn has_beside(&self, addon: &Addon) -> bool {
        let fell_back_at = self.fell_back_at;
        fell_back_at.is_none_or(|fell_back_at| fell_back_at <= addon.starts_at)
    }

    /// The plan of an add-on that counts beside it at `at`, while it is in force (P13); none where the add-on is not held then, is
    /// of a plan that was removed, or was bought beside what had ended when the account fell back to this.
    pub fn addon_plan<'a>(
        &self,
        catalog: &'a Catalog,
        (code, addon): (&PlanCode, &Addon),
        at: DateTime<Utc>,
    ) -> Option<&'a Plan> {
        let counts = addon.is_held(at) && self.has_beside(addon);
        catalog
            .held_plan(code, addon.plan_version)
            .filter(|_| counts)
    }

    /// The period at `now`: the stored one, or for one that renews by itself the month that holds `now`,
    /// never past its end or the cancellation, nor past the start of what follows.
    pub fn period(&self, now: DateTime<Utc>) -> Window {
        let stored = Window {
            starts_at: self.starts_at,
            ends_at: Some(self.ends_at),
        };
        let follows_at = self.upcoming.as_ref().map(|next| next.starts_at);
        if !self.renews {
            let own = stored.cut(self.starts_at, self.cancel_at);
            return own.cut(self.starts_at, follows_at);
        }
        let stops_at = self.stops_at();
        let now = stops_at.map_or(now, |stops_at| now.min(stops_at));
        let zone = chrono_tz::Tz::UTC;
        let (cadence, anchor) = (
            crate::catalog::Cadence::Monthly,
            crate::catalog::Anchor::Subscription,
        );
        let now = now.max(self.starts_at);
        let month = cadence_window(cadence, anchor, self.anchor_at, zone, now);
        let month = month.cut(self.starts_at, stops_at);
        month.cut(self.starts_at, follows_at)
    }

    /// Whether its allowances count at `now` (S2, S3): inside the period, and paid for, or overdue for no
    /// longer than `grace`. No job has to run for the end to take effect.
    pub fn is_in_force(&self, now: DateTime<Utc>, grace: TimeDelta) -> bool {
        self.is_settled(now, grace) && self.period(now).contains(now)
    }

    /// Whether it is paid for at `now`, or overdue for no longer than `grace`.
    pub(super) fn is_settled(&self, now: DateTime<Utc>, grace: TimeDelta) -> bool {
        match self.status {
            Status::Active | Status::Trialing => true,
            Status::PastDue => self
                .past_due_at
                .is_some_and(|since| now.signed_duration_since(since) <= grace),
            Status::Unpaid | Status::Canceled => false,
        }
    }

    /// The subscription that counts at `now`: this one or what follows it; or once that has ended, the catalog's default plan from
    /// then on, for good or until what waits behind a gap begins (C14).
    pub fn current<'a>(&'a self, catalog: &Catalog, now: DateTime<Utc>) -> Cow<'a, Self> {
        let held = self.of_its_own(catalog, now);
        match held.fallback(catalog, now) {
            Some(fallback) => Cow::Owned(fallback),
            None => held,
        }
    }

    /// The default plan, from the end of this on, up to what follows behind a gap: for one seat, since the others were bought with
    /// what ended.
    fn fallback(&self, catalog: &Catalog, now: DateTime<Utc>) -> Option<Self> {
        // Nearly none has ended, and that is told sooner than which plan is the default.
        let ended_at = self.own_end().filter(|end| *end <= now)?;
        let (plan, version) = catalog.default_plan()?;
        let mut next = self.followed_by(plan, version, ended_at);
        // What was canceled before it began never ran.
        next.runs_since = next.runs_since.filter(|since| *since <= ended_at);
        (next.seats, next.fell_back_at) = (Quantity::ONE, Some(ended_at));
        if let Some(waiting) = &self.upcoming {
            (next.renews_until, next.upcoming) = (Some(waiting.starts_at), Some(waiting.clone()));
        }
        Some(next)
    }

    /// This one; or what follows by itself, once that has begun: the next period that was renewed before its time (S4), or
    /// the plan that was scheduled (S5).
    pub(crate) fn of_its_own<'a>(&'a self, catalog: &Catalog, now: DateTime<Utc>) -> Cow<'a, Self> {
        if let Some(next) = self.upcoming.as_ref().filter(|next| next.starts_at <= now) {
            return next.of_its_own(catalog, now);
        }
        if self.ends_at <= now && self.goes_on_unheard() {
            return Cow::Owned(self.unheard(catalog, now));
        }
        // Rows that were written before scheduled plans were kept as what follows.
        let due = self
            .scheduled
            .as_ref()
            .filter(|change| self.renews && self.upcoming.is_none() && change.at <= now);
        let Some(change) = due else {
            return Cow::Borrowed(self);
        };
        let version = catalog.newest_version(&change.plan);
        match catalog.plan(&change.plan, None) {
            Some(plan) => Cow::Owned(self.followed_by(plan, version, change.at)),
            None => Cow::Borrowed(self),
        }
    }

    /// Whether there was a subscription before `now`: one that was canceled before it began is none.
    pub(crate) fn has_begun(&self, now: DateTime<Utc>) -> bool {
        let began = self.runs_since().min(self.starts_at);
        began <= now && self.cancel_at.is_none_or(|cancel_at| began <= cancel_at)
    }

    /// Whether it is paid for, or a payment is overdue: neither unpaid nor canceled at once.
    pub(crate) fn is_paid(&self) -> bool {
        match self.status {
            Status::Active | Status::Trialing | Status::PastDue => true,
            Status::Unpaid | Status::Canceled => false,
        }
    }

    /// When it ends whatever follows, if that is set: by a cancellation, or with the end that it was started with.
    pub(super) fn stops_at(&self) -> Option<DateTime<Utc>> {
        let set = [self.cancel_at, self.renews_until];
        set.into_iter().flatten().min()
    }

    /// Whether another period of it follows by itself when the one at `now` is over (S7).
    pub fn renews_after(&self, now: DateTime<Utc>) -> bool {
        let follows_at = self.upcoming.as_ref().map(|next| next.starts_at);
        let over_at = [self.stops_at(), follows_at].into_iter().flatten().min();
        let period_end = self.period(now).ends_at;
        let goes_on = over_at.is_none_or(|over_at| period_end.is_some_and(|end| end < over_at));
        self.renews && goes_on && self.status != Status::Canceled
    }

    /// The next period `[old end, new end)` after a renewal (S4), with nothing that follows it. The anchor moves to its
    /// start where the old period did not end whole months after it: no period is shorter than the interval.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let (starts_at, interval) = (self.ends_at, self.interval.months());
        let months_done = self.months_since_anchor(starts_at);
        let is_whole = month_start(self.anchor_at, months_done) == starts_at;
        let (anchor_at, months) = if is_whole {
            (self.anchor_at, months_done.saturating_add(interval))
        } else {
            (starts_at, interval)
        };
        let ends_at = month_start(anchor_at, months);
        debug_assert!(starts_at < ends_at, "a period is not empty");
        Self {
            status: Status::Active,
            past_due_at: None,
            anchor_at,
            starts_at,
            ends_at,
            renews_until: self.renews_until.map(|_| ends_at),
            runs_since: Some(self.runs_since()),
            cancel_at: None,
            scheduled: None,
            upcoming: None,
            end_recorded_at: None,
            ..self.clone()
        }
    }

    /// `plan` from `at` on, behind this. The anchor stays where `at` lies whole months after it (S5), and what runs
    /// without a gap goes on (W4).
    pub(crate) fn followed_by(&self, plan: &Plan, version: u32, at: DateTime<Utc>) -> Self {
        let mut next = Self::start(plan, version, at);
        let months = self.months_since_anchor(at);
        if month_start(self.anchor_at, months) == at {
            let months = months.saturating_add(plan.interval.months());
            next.anchor_at = self.anchor_at;
            next.ends_at = month_start(self.anchor_at, months);
        }
        next.seats = self.seats;
        next.runs_since = self.runs_since_of(at);
        next.plan_since = self.plan_since_of(&plan.code, at);
        next
    }

    /// The period of its interval that holds `at`, counted from the anchor, forwards or back.
    pub(crate) fn period_of(&self, at: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let interval = self.interval.months();
        if self.anchor_at <= at {
            let done = self.months_since_anchor(at);
            let done = done.saturating_sub(done.checked_rem(interval).unwrap_or(0));
            let next = done.saturating_add(interval);
            return (
                month_start(self.anchor_at, done),
                month_start(self.anchor_at, next),
            );
        }
        let (mut back, mut ends_at) = (interval, self.anchor_at);
        loop {
            let starts_at = self.anchor_at.checked_sub_months(Months::new(back));
            let starts_at = starts_at.unwrap_or(DateTime::<Utc>::MIN_UTC);
            if starts_at <= at {
                return (starts_at, ends_at);
            }
            (back, ends_at) = (back.saturating_add(interval), starts_at);
        }
    }

    fn months_since_anchor(&self, at: DateTime<Utc>) -> u32 {
        let years = at.years_since(self.anchor_at).unwrap_or(0);
        let mut months = years.saturating_mul(12);
        while month_start(self.anchor_at, months.saturating_add(1)) <= at {
            months = months.saturating_add(1);
        }
        months
    }
}
