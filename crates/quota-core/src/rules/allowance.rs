//! The allowance of one account for one feature at one instant: which balance, which window, which limit.

use chrono::{DateTime, TimeDelta, Utc};

use crate::amount::Limit;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Catalog, Feature, OnRenewal};
use crate::draw::Scope;
use crate::terms::Terms;
use crate::window::{Window, cadence_window};

/// How an account stands towards a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// One is in force.
    InForce,
    /// There was one, and it ended, or is not paid for.
    Expired,
    /// There never was one, or none that has begun.
    Never,
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
    /// The plan's limit in stored units, if the plan names the feature.
    pub plan_value: Option<Limit>,
    /// The override's limit in stored units, if one is active.
    pub override_value: Option<Limit>,
}

impl Allowance {
    /// The limit in stored units: the override's, else the plan's (F6); `None` when neither names the feature.
    pub fn limit(&self) -> Option<Limit> {
        self.override_value.or(self.plan_value)
    }

    /// The limit that counts now at a scope: only while a subscription is in force (S3), but for the override of an org
    /// that never had one (O3).
    pub fn limit_at(&self, scope: Scope) -> Option<Limit> {
        match (self.standing, scope) {
            (Standing::InForce, _) => self.limit(),
            (Standing::Never, Scope::Org) => self.override_value,
            (Standing::Never, Scope::User | Scope::Token) | (Standing::Expired, _) => None,
        }
    }

    /// Whether an org's use is counted and nothing limits it: it never had a subscription, and no override names the
    /// feature (O3).
    pub(crate) fn only_tracks_org(&self) -> bool {
        self.standing == Standing::Never && self.override_value.is_none()
    }

    /// Units left for a new request at a scope; `None` when no limit counts there. Overage is use (X9).
    pub fn room(&self, scope: Scope, balances: &[Balance]) -> Option<u64> {
        let taken = balances
            .iter()
            .find(|balance| balance.bucket == self.bucket)
            .map_or(0, Balance::taken);
        self.limit_at(scope).map(|limit| limit.room(taken))
    }

    /// When the allowance becomes whole again, or ends (W6); `None` when nothing is in force and no limit counts.
    pub fn resets_at(&self, scope: Scope) -> Option<DateTime<Utc>> {
        if self.standing == Standing::InForce || self.limit_at(scope).is_some() {
            self.window.ends_at
        } else {
            None
        }
    }
}

/// The allowance of `terms` for `feature` at `now`.
///
/// In force, its window is the cadence window cut to the subscription's period, or in the calendar to the time that the
/// subscription runs without a gap (W4). Otherwise use is counted in a window that the account's creation anchors, and
/// nothing is granted there.
pub fn allowance(
    terms: &Terms,
    feature: &Feature,
    catalog: &Catalog,
    grace: TimeDelta,
    now: DateTime<Utc>,
) -> Allowance {
    let cadence_from = |anchor_at| {
        cadence_window(
            feature.cadence,
            feature.anchor,
            anchor_at,
            terms.time_zone,
            now,
        )
    };
    let current = terms
        .subscription
        .as_ref()
        .map(|held| held.current(catalog, now));
    let subscription = current.as_deref();
    let plan = subscription.and_then(|held| catalog.plan(&held.plan, held.plan_version));
    let in_force = subscription.filter(|held| held.is_in_force(now, grace));
    let standing = match (in_force, subscription) {
        (Some(_), _) => Standing::InForce,
        (None, Some(held)) if held.has_begun(now) => Standing::Expired,
        (None, _) => Standing::Never,
    };
    let (window, counts_until) = match in_force {
        Some(held) if feature.counts_by_calendar() => {
            let (run, natural) = (held.run(), cadence_from(held.anchor_at));
            // A late renewal brings it back (S9).
            let counts_until = natural.cut(run.starts_at, run.next).ends_at;
            (natural.cut(run.starts_at, run.ends_at), counts_until)
        }
        Some(held) => {
            let period = held.period(now);
            let cut = cadence_from(held.anchor_at).cut(period.starts_at, period.ends_at);
            (cut, cut.ends_at)
        }
        None => {
            let tracked = cadence_from(terms.created_at);
            (tracked, tracked.ends_at)
        }
    };
    let start = window.starts_at.timestamp_micros();
    let code = feature.code.clone();
    let bucket = match (feature.renewal(), standing) {
        (OnRenewal::Carry, Standing::InForce | Standing::Expired | Standing::Never) => {
            Bucket::Standing(code)
        }
        (OnRenewal::Reset, Standing::InForce) => Bucket::Window(code, start),
        (OnRenewal::Reset, Standing::Expired | Standing::Never) => Bucket::Tracked(code, start),
    };
    let own = terms
        .overrides
        .get(&feature.code)
        .filter(|own| own.is_active(now));
    Allowance {
        bucket,
        window,
        counts_until,
        standing,
        plan_value: plan
            .and_then(|plan| plan.limits.get(&feature.code))
            .map(|limit| limit.scaled(feature.scale)),
        override_value: own.map(|own| own.limit.scaled(feature.scale)),
    }
}
