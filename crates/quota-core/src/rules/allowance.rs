//! The allowance of one account for one feature at one instant: which balance, which window, which limit.

use chrono::{DateTime, TimeDelta, Utc};

use super::by_plan::{ByPlan, by_plan, by_plans, taken, together};
use super::counting::{Clock, Counting};
use super::held_plans::Held;
use super::on_demand::{Selling, selling};
use crate::amount::Limit;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Catalog, Feature, OnRenewal, Overdue, Per};
use crate::draw::Scope;
use crate::terms::{Lapse, Seen, Status, Terms};
use crate::window::Window;

pub use super::by_plan::FurtherLimit;

/// How an account stands towards a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// One is in force.
    InForce,
    /// There was one, and it ended, or is not paid for.
    Expired,
    /// One is in its grace, and its plan gives nothing of the feature then (S14).
    Overdue,
    /// There never was one, or none that has begun.
    Never,
}

impl Standing {
    /// How an account with this subscription, the one that counts at the instant, stands; and why that is not in force, if
    /// it is not.
    pub(crate) fn of(seen: Option<&Seen<'_>>, asked: Asked<'_>) -> (Self, Option<Lapse>) {
        let Some(seen) = seen else {
            return (Self::Never, None);
        };
        match seen.lapse(asked.now, asked.grace) {
            None => (Self::InForce, None),
            lapse if seen.held.has_begun(asked.now) => (Self::Expired, lapse),
            lapse => (Self::Never, lapse),
        }
    }

    /// The same towards one feature: while a payment is overdue a plan may give nothing of it (S14).
    pub(crate) fn of_feature(
        seen: Option<&Seen<'_>>,
        feature: &Feature,
        asked: Asked<'_>,
    ) -> (Self, Option<Lapse>) {
        match Self::of(seen, asked) {
            (Self::InForce, _) if overdue(seen, feature) == Overdue::Blocked => {
                (Self::Overdue, Some(Lapse::PastDue))
            }
            standing => standing,
        }
    }
}

/// What the plan of a subscription in force gives of a feature: all of it, unless a payment is overdue (S14).
fn overdue(seen: Option<&Seen<'_>>, feature: &Feature) -> Overdue {
    let late = seen.filter(|seen| seen.held.status == Status::PastDue);
    let plan = late.and_then(|seen| seen.plan);
    let said = plan.and_then(|plan| plan.overdue.get(&feature.code));
    said.copied().unwrap_or_default()
}

/// The balance that counts a feature's use, and what it may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The balance that counts it; it may not be open yet.
    pub bucket: Bucket,
    /// The span in which it counts, as far as is known now.
    pub window: Window,
    /// First instant at which the balance counts no more, whatever is renewed: where the books end it.
    pub counts_until: Option<DateTime<Utc>>,
    /// How the account stands.
    pub standing: Standing,
    /// Why the account's subscription is not in force, if it has one that is not.
    pub lapse: Option<Lapse>,
    /// The plan's limit in stored units, if the plan names the feature; unlimited where it has only further limits.
    pub plan_value: Option<Limit>,
    /// The override's limit in stored units, if one is active.
    pub override_value: Option<Limit>,
    /// What add-ons add to either, in stored units; or what they grant where neither names the feature (P13).
    pub added: Option<Limit>,
    /// Whether the base plan does not name the feature, and add-ons alone limit it (P13).
    pub is_by_addon: bool,
    /// What the plan's limit in that window is counted by; none where the plan has only further limits, or none that counts.
    pub own_per: Option<Per>,
    /// When another plan follows by itself, if one does: what never fits this one may fit that.
    pub plan_changes_at: Option<DateTime<Utc>>,
    /// What came over from the window before, in stored units (C10): beside the plan's limit.
    pub rolled_over: u64,
    /// Whether the window begins only with the next accepted request (W7).
    pub is_waiting: bool,
    /// Further limits of the plan, each with a cadence of its own (C9). Use is charged to them under an override too, and
    /// does not bind there (F6).
    pub further: Vec<FurtherLimit>,
    /// What the plan lets each member of an org use in the feature's own window, in stored units (O7).
    pub member_limit: Option<Limit>,
    /// How the plan sells the feature when all else is spent (C11), while the subscription is in force.
    pub selling: Option<Box<Selling>>,
    /// Whether a payment is overdue and nothing more is granted until it is paid, though limits and use are shown (S14).
    pub is_read_only: bool,
}

impl Allowance {
    /// What the base plan says, in stored units: as it is shown, where add-ons alone limit the feature nothing.
    pub(super) fn by_base(&self) -> Option<Limit> {
        let by_base = self.plan_value.filter(|_| !self.is_by_addon);
        by_base.filter(|_| self.in_force())
    }

    /// The limit in stored units: the override's, else the plan's (F6), with what add-ons add (P13); `None` when none of them
    /// names the feature.
    pub fn limit(&self) -> Option<Limit> {
        together(self.override_value.or(self.plan_value), self.added)
    }

    /// What came over into a window that counts now; none of another one.
    pub(super) fn rolled_over_into(&self, bucket: &Bucket) -> Option<u64> {
        if self.bucket == *bucket {
            return Some(self.rolled_over);
        }
        let mut further = self.further.iter();
        let limit = further.find(|limit| limit.bucket == *bucket)?;
        Some(limit.rolled_over)
    }

    /// The limit of the feature's own window that counts now at a scope, what came over included: only while a subscription
    /// is in force (S3), but for the override of an org that never had one (O3).
    pub fn limit_at(&self, scope: Scope) -> Option<Limit> {
        match (self.standing, scope) {
            (Standing::InForce, _) if self.override_value.is_some() => self.limit(),
            (Standing::InForce, _) => self.limit().map(|limit| limit.plus(self.rolled_over)),
            (Standing::Never, Scope::Org) => self.override_value,
            (Standing::Never, Scope::User | Scope::Token)
            | (Standing::Expired | Standing::Overdue, _) => None,
        }
    }

    /// Whether the account's subscription is in force.
    pub fn in_force(&self) -> bool {
        self.standing == Standing::InForce
    }

    /// Whether an org's use is counted and nothing limits it: it never had a subscription, and no override names the
    /// feature (O3).
    pub(crate) fn only_tracks_org(&self) -> bool {
        self.standing == Standing::Never && self.override_value.is_none()
    }

    /// Units left for a new request at a scope: it must fit every limit (C9). `None` when no limit counts there. Overage is
    /// use (X9).
    pub fn room(&self, scope: Scope, balances: &[Balance]) -> Option<u64> {
        let own = self.own_room(scope, balances)?;
        if self.is_read_only {
            return Some(0);
        }
        let further = self.binding().iter().map(|limit| limit.room(balances));
        Some(further.fold(own, u64::min))
    }

    /// The further limits that bind: an override takes the place of all (F6).
    pub(crate) fn binding(&self) -> &[FurtherLimit] {
        if self.override_value.is_some() {
            &[]
        } else {
            &self.further
        }
    }

    pub(super) fn own_room(&self, scope: Scope, balances: &[Balance]) -> Option<u64> {
        let limit = self.limit_at(scope)?;
        Some(limit.room(taken(balances, &self.bucket)))
    }

    /// When the feature's own window is whole again, or ends (W6); `None` when nothing is in force and no limit counts, and
    /// for a window that has not begun.
    pub fn resets_at(&self, scope: Scope) -> Option<DateTime<Utc>> {
        let counts = self.counts_at(scope);
        self.window.ends_at.filter(|_| counts && !self.is_waiting)
    }

    /// Whether its window counts against something at a scope: a subscription is in force, or a limit counts without one.
    pub(crate) fn counts_at(&self, scope: Scope) -> bool {
        self.standing == Standing::InForce || self.limit_at(scope).is_some()
    }

    /// Units that can still be sold on demand (C11).
    pub(crate) fn on_demand_left(&self, balances: &[Balance]) -> u64 {
        let sold = self.selling.as_ref().filter(|_| !self.is_read_only);
        sold.map_or(0, |sold| sold.room(balances))
    }
}

/// With what an allowance is counted.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The catalog in force.
    pub catalog: &'a Catalog,
    /// How long a past-due subscription stays in force (S2).
    pub grace: TimeDelta,
    /// The instant at which it counts.
    pub now: DateTime<Utc>,
}

/// The allowance of an account with these terms and live balances for `feature`.
///
/// In force, its window is the cadence window cut to the subscription's period, or in the calendar to the time that the
/// subscription runs without a gap (W4), or what a first request began (W7). Otherwise use is counted in a window that the
/// account's creation anchors, and nothing is granted there.
pub fn allowance(
    (terms, balances): (&Terms, &[Balance]),
    feature: &Feature,
    asked: Asked<'_>,
) -> Allowance {
    let (catalog, now) = (asked.catalog, asked.now);
    let current = terms
        .subscription
        .as_ref()
        .map(|held| held.current(catalog, now));
    let seen = current.as_deref();
    let seen = seen.map(|held| Seen::at(held, catalog, now));
    let plan = seen.and_then(|seen| Some((seen.plan?, seen.held)));
    let (standing, lapse) = Standing::of_feature(seen.as_ref(), feature, asked);
    let in_force = seen.filter(|_| standing == Standing::InForce);
    let clock = Clock {
        terms,
        in_force,
        balances,
        now,
    };
    let own = terms
        .overrides
        .get(&feature.code)
        .filter(|own| own.is_active(now));
    let mut allowance = own_allowance(&clock, feature, standing);
    allowance.lapse = lapse;
    allowance.is_read_only = overdue(in_force.as_ref(), feature) == Overdue::ReadOnly;
    allowance.override_value = own.map(|own| own.limit.scaled(feature.scale));
    let base = plan.and_then(|plan| Held::by_base(plan, feature));
    let place = (&allowance.bucket, allowance.window);
    let set = if terms.addons.is_empty() || in_force.is_none() {
        base.map(|held| by_plan(&clock, place, (held, feature), None))
    } else {
        by_plans(&clock, place, (base, feature), catalog)
    };
    if base.is_some() {
        allowance.selling = plan.and_then(|(plan, _)| selling(&clock, plan, feature));
    }
    allowance.plan_changes_at = plan.and_then(|(_, held)| {
        let next = held.upcoming.as_ref();
        let other = next.filter(|next| next.plan != held.plan)?;
        Some(other.starts_at)
    });
    allowance.is_by_addon = base.is_none() && set.is_some();
    if let Some(set) = set {
        let ByPlan {
            plan_value,
            added,
            own_per,
            rolled_over,
            further,
            member_limit,
        } = set;
        (allowance.plan_value, allowance.added) = (plan_value, added);
        (allowance.own_per, allowance.rolled_over) = (own_per, rolled_over);
        (allowance.further, allowance.member_limit) = (further, member_limit);
    }
    allowance
}

/// What counts the feature's own window, before plan and override are asked.
fn own_allowance(clock: &Clock<'_>, feature: &Feature, standing: Standing) -> Allowance {
    let per = Per::of(feature);
    let in_force = standing == Standing::InForce;
    let counting = clock.counting(per, |bucket| match bucket {
        Bucket::Window(code, _) => in_force && *code == feature.code,
        Bucket::Tracked(code, _) => !in_force && *code == feature.code,
        Bucket::Further(..)
        | Bucket::Standing(_)
        | Bucket::Trial(_)
        | Bucket::Grant(_)
        | Bucket::Boost(..)
        | Bucket::Room(_)
        | Bucket::OnDemand(..)
        | Bucket::Member(..)
        | Bucket::Token(_)
        | Bucket::TokenWindow(..) => false,
    });
    let start = counting.window.starts_at.timestamp_micros();
    let code = feature.code.clone();
    let bucket = match (feature.renewal(), standing) {
        (
            OnRenewal::Carry,
            Standing::InForce | Standing::Expired | Standing::Overdue | Standing::Never,
        ) => Bucket::Standing(code),
        (OnRenewal::Reset, Standing::InForce) => Bucket::Window(code, start),
        (OnRenewal::Reset, Standing::Expired | Standing::Overdue | Standing::Never) => {
            Bucket::Tracked(code, start)
        }
    };
    let Counting {
        window,
        counts_until,
        is_waiting,
    } = counting;
    Allowance {
        bucket,
        window,
        counts_until,
        standing,
        lapse: None,
        plan_value: None,
        override_value: None,
        added: None,
        is_by_addon: false,
        plan_changes_at: None,
        own_per: None,
        rolled_over: 0,
        is_waiting,
        further: Vec::new(),
        member_limit: None,
        selling: None,
        is_read_only: false,
    }
}
