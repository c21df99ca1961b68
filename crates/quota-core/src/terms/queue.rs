//! What follows a subscription: periods paid ahead, starts that wait, a change that was scheduled, an end (S5, S8).

use chrono::{DateTime, Utc};

use super::subscription::{PlanChange, Status, Subscription};
use crate::catalog::{Catalog, Plan};
use crate::ids::PlanCode;
use crate::quantity::Quantity;

/// Most periods that may follow the running one.
pub const PERIODS_AHEAD_MAX: usize = 24;

/// [`PERIODS_AHEAD_MAX`] periods follow already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// The time that an account has a subscription without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Since when.
    pub(crate) starts_at: DateTime<Utc>,
    /// First instant after it, as far as is known now; none while the last of it renews by itself.
    pub(crate) ends_at: Option<DateTime<Utc>>,
    /// When the next one begins, behind a gap.
    pub(crate) next: Option<DateTime<Utc>>,
}

impl Subscription {
    /// Since when the account has had a subscription without a gap, up to this one.
    pub(crate) fn runs_since(&self) -> DateTime<Utc> {
        self.runs_since.unwrap_or(self.starts_at)
    }

    /// [`Self::runs_since`] of what begins at `at` behind this; none when there is a gap in between.
    pub(super) fn runs_since_of(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_gapless = self.own_end().is_none_or(|end| at <= end);
        is_gapless.then(|| self.runs_since())
    }

    /// [`Self::plan_since`] of a subscription to `plan` that takes this one's place at `at`.
    pub(crate) fn plan_since_of(
        &self,
        plan: &PlanCode,
        at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if *plan == self.plan {
            self.plan_since.map(|since| since.min(at))
        } else {
            Some(at)
        }
    }

    /// The time without a gap that it is part of.
    pub(crate) fn run(&self) -> Run {
        let mut last = self;
        while let Some(next) = &last.upcoming {
            // The default plan fills a gap, and what follows that does not know of it (C14).
            let fills_gap = last.fell_back_at.is_some() && next.runs_since() == next.starts_at;
            if fills_gap || last.runs_since_of(next.starts_at).is_none() {
                break;
            }
            last = next;
        }
        Run {
            starts_at: self.runs_since(),
            ends_at: last.own_end(),
            next: last.upcoming.as_ref().map(|next| next.starts_at),
        }
    }

    /// It and all that follows it.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |one| one.upcoming.as_deref())
    }

    /// What follows last, or it alone.
    pub(crate) fn last(&self) -> &Self {
        self.chain().last().unwrap_or(self)
    }

    /// First instant after it, whatever follows; none while it renews by itself.
    pub(super) fn own_end(&self) -> Option<DateTime<Utc>> {
        if self.renews {
            return self.stops_at();
        }
        if self.goes_on_unheard() {
            return self.unheard_end();
        }
        let cancel_at = self.cancel_at.unwrap_or(self.ends_at);
        Some(cancel_at.min(self.ends_at))
    }

    /// First instant after it for good, as far as is known now; `None` while it renews by itself.
    pub fn ends_for_good_at(&self) -> Option<DateTime<Utc>> {
        self.last().own_end()
    }

    /// Its end, while the books do not say yet that it ended (S9).
    pub fn unrecorded_end(&self) -> Option<DateTime<Utc>> {
        let last = self.last();
        match last.end_recorded_at {
            Some(_) => None,
            None => last.own_end(),
        }
    }

    /// Notes at `now` that the one which ended at `end` has been told, whatever follows it after a gap: that may yet be canceled.
    pub(crate) fn note_end(&mut self, end: DateTime<Utc>, now: DateTime<Utc>) {
        let mut link = Some(self);
        while let Some(one) = link {
            if one.own_end() == Some(end) {
                one.end_recorded_at = one.end_recorded_at.or(Some(now));
            }
            link = one.upcoming.as_deref_mut();
        }
    }

    /// The change that is scheduled (S5): for the end of this period, or of the last that was paid for.
    pub fn scheduled_change(&self) -> Option<&PlanChange> {
        self.chain().find_map(|one| one.scheduled.as_ref())
    }

    /// When it ends for good, if it was canceled and nothing follows (S8).
    pub fn canceled_at(&self) -> Option<DateTime<Utc>> {
        let last = self.last();
        let follows = self.scheduled_change().is_some();
        last.cancel_at.filter(|_| !follows)
    }

    /// Whether it is to the plan as that is now: a change to it changes nothing.
    pub(crate) fn is_to(&self, plan: &Plan, catalog: &Catalog) -> bool {
        let is_same = self.plan == plan.code && self.interval == plan.interval;
        let stays_on = catalog.held_version(&self.plan, self.plan_version);
        let is_newest = stays_on.is_none_or(|held| held == catalog.newest_version(&plan.code));
        is_same && is_newest && self.renews == plan.is_free()
    }

    /// Without the change that is scheduled.
    #[must_use]
    pub(crate) fn without_change(&self) -> Self {
        let mut chain = self.links();
        drop_change(&mut chain);
        self.linked(chain)
    }

    /// With `plan` scheduled for the end of what is paid for. It takes over by itself when it is free, or when what
    /// runs till then renews by itself (S7); else the renewal begins it.
    #[must_use]
    pub(crate) fn with_change(&self, plan: &Plan, version: u32, now: DateTime<Utc>) -> Self {
        let mut chain = self.links();
        drop_change(&mut chain);
        let Some(last) = chain.last_mut() else {
            return self.clone();
        };
        let period = last.period(now.max(last.starts_at));
        let at = period.ends_at.unwrap_or(last.ends_at);
        if !last.renews {
            last.cancel_at = None;
        }
        last.scheduled = Some(PlanChange {
            plan: plan.code.clone(),
            at,
        });
        if last.renews || plan.is_free() {
            let next = last.followed_by(plan, version, at);
            chain.push(next);
        }
        self.linked(chain)
    }

    /// Canceled: at the end of all that was paid for unless `at_once` (S8).
    #[must_use]
    pub fn canceled(&self, now: DateTime<Utc>, at_once: bool) -> Self {
        let mut chain = self.links();
        drop_change(&mut chain);
        if at_once {
            chain.truncate(1);
            for one in &mut chain {
                if one.status != Status::Canceled {
                    one.status = Status::Canceled;
                    one.cancel_at = Some(now);
                }
            }
            return self.linked(chain);
        }
        // What was given an end of its own is no plan that takes over for ever: it is kept, and may be resumed.
        let takes_over = |last: &Self| last.renews && last.renews_until.is_none();
        while chain.len() > 1 && chain.last().is_some_and(takes_over) {
            chain.pop();
        }
        let last = chain.last();
        let end = last.and_then(|last| last.period(now.max(last.starts_at)).ends_at);
        if let Some(last) = chain.last_mut() {
            last.scheduled = None;
            last.cancel_at = end;
        }
        self.linked(chain)
    }

    /// With its cancellation taken back; `None` when there is none that has not acted yet (S8).
    pub(crate) fn resumed(&self, now: DateTime<Utc>) -> Option<Self> {
        let mut chain = self.links();
        let waits = |one: &&mut Self| {
            let is_canceled = one.cancel_at.is_some_and(|at| now < at);
            is_canceled && one.scheduled.is_none() && one.status != Status::Canceled
        };
        let mut is_resumed = false;
        for one in chain.iter_mut().filter(waits) {
            one.cancel_at = None;
            is_resumed = true;
        }
        is_resumed.then(|| self.linked(chain))
    }

    /// When a start that is asked for at `starts_at` begins behind it: what is paid for is never cut (S8).
    pub(crate) fn queue_start(&self, starts_at: DateTime<Utc>) -> DateTime<Utc> {
        let paid = self.chain().filter(|one| one.is_paid() && !one.renews);
        let ends = paid.filter_map(Self::own_end);
        ends.fold(starts_at, DateTime::max)
    }

    /// With `next` behind all that is paid for (S8). A change that was scheduled gives way, and so does what renews by
    /// itself from when `next` begins.
    ///
    /// # Errors
    /// [`QueueFull`] when [`PERIODS_AHEAD_MAX`] periods follow already.
    pub(crate) fn queued(&self, mut next: Self) -> Result<Self, QueueFull> {
        let mut chain = self.links();
        while chain
            .last()
            .is_some_and(|last| next.starts_at <= last.starts_at)
        {
            chain.pop();
        }
        if chain.len() > PERIODS_AHEAD_MAX {
            return Err(QueueFull);
        }
        if let Some(last) = chain.last_mut() {
            // Nobody would carry it out any more.
            last.scheduled = None;
            next.runs_since = last.runs_since_of(next.starts_at);
            next.plan_since = last.plan_since_of(&next.plan, next.starts_at);
        }
        chain.push(next);
        Ok(self.linked(chain))
    }

    /// With so many seats, and all that follows it.
    #[must_use]
    pub(crate) fn with_seats(&self, seats: Quantity) -> Self {
        let mut chain = self.links();
        for one in &mut chain {
            one.seats = seats;
        }
        self.linked(chain)
    }

    /// Each of the chain by itself.
    fn links(&self) -> Vec<Self> {
        let alone = |one: &Self| Self {
            upcoming: None,
            ..one.clone()
        };
        self.chain().map(alone).collect()
    }

    /// The chain of those; itself when there are none.
    fn linked(&self, chain: Vec<Self>) -> Self {
        let linked = chain.into_iter().rev().fold(None, |follows, one| {
            let upcoming = follows.map(Box::new);
            Some(Self { upcoming, ..one })
        });
        linked.unwrap_or_else(|| self.clone())
    }
}

/// Takes a scheduled change away, and the plan that would have taken over by itself for it.
fn drop_change(chain: &mut Vec<Subscription>) {
    let changes = chain.iter().rev().find_map(|one| one.scheduled.clone());
    let Some(change) = changes else {
        return;
    };
    let is_change = |last: &Subscription| last.plan == change.plan && last.starts_at == change.at;
    if chain.len() > 1 && chain.last().is_some_and(is_change) {
        chain.pop();
    }
    if let Some(last) = chain.last_mut() {
        last.scheduled = None;
    }
}
