//! In which window a limit counts at an instant, and what came over into it from the one before (C9, C10, W4, W7).

use chrono::{DateTime, TimeDelta, Utc};

use crate::amount::Limit;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Anchor, Cadence, Per};
use crate::terms::{Seen, Terms};
use crate::window::{Window, cadence_window};

/// By how much clocks of nodes differ at most.
pub(super) const CLOCKS_DIFFER_MAX: TimeDelta = TimeDelta::seconds(5);

/// What windows are counted with: an account at an instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock<'a> {
    pub(super) terms: &'a Terms,
    pub(super) in_force: Option<Seen<'a>>,
    pub(super) balances: &'a [Balance],
    pub(super) now: DateTime<Utc>,
}

/// The window in which a limit counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counting {
    /// As far as is known now.
    pub(super) window: Window,
    /// First instant at which its balance counts no more, whatever is renewed.
    pub(super) counts_until: Option<DateTime<Utc>>,
    /// Whether it begins only with the next accepted request (W7): it is the window that one now would begin.
    pub(super) is_waiting: bool,
}

impl Clock<'_> {
    /// The window of `per` that holds now; for anchor `first_use` the running one is among the balances that `is_own` names.
    pub(super) fn counting(&self, per: Per, is_own: impl Fn(&Bucket) -> bool) -> Counting {
        match per.anchor {
            Anchor::FirstUse => self.since_first_use(per, is_own),
            Anchor::Subscription | Anchor::Calendar => self.tiled(per),
        }
    }

    fn natural(&self, per: Per, anchor_at: DateTime<Utc>) -> Window {
        let zone = self.terms.time_zone;
        cadence_window(per.cadence, per.anchor, anchor_at, zone, self.now)
    }

    /// In force, the cadence window cut to the subscription's period, or in the calendar to the time that the subscription
    /// runs without a gap (W4); else a window that the account's creation anchors.
    fn tiled(&self, per: Per) -> Counting {
        let (window, counts_until) = match self.in_force {
            Some(Seen { held, .. }) if per.is_calendar() => {
                let (run, natural) = (held.run(), self.natural(per, held.anchor_at));
                // A late renewal brings it back (S9).
                let counts_until = natural.cut(run.starts_at, run.next).ends_at;
                (natural.cut(run.starts_at, run.ends_at), counts_until)
            }
            Some(Seen { held, period, .. }) => {
                let natural = self.natural(per, held.anchor_at);
                let cut = natural.cut(period.starts_at, period.ends_at);
                (cut, cut.ends_at)
            }
            None => {
                let tracked = self.natural(per, self.terms.created_at);
                (tracked, tracked.ends_at)
            }
        };
        Counting {
            window,
            counts_until,
            is_waiting: false,
        }
    }

    /// The window that a request began and that has not ended; or the one that a request would begin now (W7). A renewal
    /// does not begin it anew.
    fn since_first_use(&self, per: Per, is_own: impl Fn(&Bucket) -> bool) -> Counting {
        let run = self.in_force.map(|seen| seen.held.run());
        let since = run.map_or(DateTime::<Utc>::MIN_UTC, |run| run.starts_at);
        let runs = |balance: &&Balance| {
            let window = balance.window();
            // Another node's clock may be a little ahead.
            let soon = self.now.checked_add_signed(CLOCKS_DIFFER_MAX);
            let runs = window.contains(self.now)
                || (self.now < window.starts_at && soon.is_some_and(|soon| window.contains(soon)));
            let is_current = runs && since <= balance.starts_at;
            is_own(&balance.bucket) && is_current && balance.moved_to.is_none()
        };
        let running = self.balances.iter().find(runs);
        let natural = running.map_or_else(|| self.natural(per, self.now), Balance::window);
        let cut = |ends_before| natural.cut(natural.starts_at, ends_before);
        Counting {
            window: cut(run.and_then(|run| run.ends_at)),
            counts_until: cut(run.and_then(|run| run.next)).ends_at,
            is_waiting: running.is_none(),
        }
    }

    /// What came over into `window` of what the limit left in the one before: at most `max` (C10). What came over into that
    /// one is not part of it.
    ///
    /// A window that is open knows it. Of one without use nothing is stored: it left the whole limit.
    pub(super) fn rolled_over(
        &self,
        (bucket, window): (&Bucket, Window),
        (per, limit): (Per, Limit),
        max: u64,
    ) -> u64 {
        let open = self.balances.iter().find(|open| open.bucket == *bucket);
        if let Some(open) = open {
            return open.rolled_over;
        }
        let (Some(Seen { held, .. }), true) = (self.in_force, max != 0) else {
            return 0;
        };
        let first = if per.is_calendar() {
            held.runs_since()
        } else {
            // One that was started in the past may have begun before that whose place it took.
            held.runs_since().min(held.starts_at).max(held.anchor_at)
        };
        if window.starts_at <= first {
            return 0;
        }
        left_of_limit(self.window_before(bucket, window, per), limit).min(max)
    }

    /// The balance of the window before; none when nothing was used in it. When the zone was changed, that is one which ends
    /// a little sooner or later than this one begins.
    fn window_before(&self, bucket: &Bucket, window: Window, per: Per) -> Option<&Balance> {
        let earlier = self.balances.iter().filter(|before| {
            let is_same = is_window_of(&before.bucket, bucket) && before.moved_to.is_none();
            is_same && before.starts_at < window.starts_at
        });
        let last = earlier.max_by_key(|before| before.starts_at)?;
        let since = match (per.cadence, self.in_force) {
            (Cadence::Subscription, _) | (_, None) => window.starts_at,
            (
                Cadence::Hourly
                | Cadence::Daily
                | Cadence::Weekly
                | Cadence::Monthly
                | Cadence::Yearly
                | Cadence::Span(_),
                Some(Seen { held, .. }),
            ) => {
                let eve = window
                    .starts_at
                    .checked_sub_signed(TimeDelta::microseconds(1))?;
                let then = Self { now: eve, ..*self };
                let natural = then.natural(per, held.anchor_at).starts_at;
                // One that ended as this began is no earlier one.
                natural.checked_add_signed(TimeDelta::microseconds(1))?
            }
        };
        let holds = last.ends_at.is_none_or(|ends_at| since <= ends_at);
        holds.then_some(last)
    }
}

/// Whether both are windows of the same limit.
pub(super) fn is_window_of(bucket: &Bucket, other: &Bucket) -> bool {
    bucket.limit().is_some() && bucket.limit() == other.limit()
}

/// What a window left of its limit; without a balance nothing was used in it, and the limit was what it is now.
fn left_of_limit(before: Option<&Balance>, limit: Limit) -> u64 {
    let Some(before) = before else {
        return limit.ceiling().unwrap_or(0);
    };
    // The limit may have been raised for a while, or lowered since the last use.
    let now = limit.ceiling().unwrap_or(0);
    let then = before.granted.ceiling();
    let then = then.map(|then| then.saturating_sub(before.rolled_over));
    let own = then.map_or(now, |then| then.min(now));
    let used_of_own = before.taken().saturating_sub(before.rolled_over);
    own.saturating_sub(used_of_own)
}
