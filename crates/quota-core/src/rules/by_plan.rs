//! The limits of a feature, as plan and add-ons set them together (C9, C10, C12, P13).

use chrono::{DateTime, TimeDelta, Utc};

use super::counting::Clock;
use super::held_plans::{Beside, Held, addons_at, first_named};
use crate::amount::Limit;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Catalog, Feature, Per, PlanLimit, PlanValue};
use crate::window::Window;

/// One of several limits on a feature, beside that of the feature's own cadence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherLimit {
    /// What it is counted by.
    pub per: Per,
    /// The balance that counts it; it may not be open yet.
    pub bucket: Bucket,
    /// The span in which it counts, as far as is known now.
    pub window: Window,
    /// First instant at which the balance counts no more, whatever is renewed.
    pub counts_until: Option<DateTime<Utc>>,
    /// The limit in stored units, what add-ons add and what came over included.
    pub limit: Limit,
    /// What the plan says of it, in stored units; none where that is not known, or add-ons alone limit the feature.
    pub plan_value: Option<Limit>,
    /// What add-ons add to it, in stored units.
    pub added: Option<Limit>,
    /// What came over from the window before, in stored units.
    pub rolled_over: u64,
    /// Whether the window begins only with the next accepted request (W7).
    pub is_waiting: bool,
}

pub(super) fn taken(balances: &[Balance], bucket: &Bucket) -> u64 {
    let found = balances.iter().find(|balance| balance.bucket == *bucket);
    found.map_or(0, Balance::taken)
}

/// A limit and what add-ons add to it: either alone where there is no other.
pub(super) fn together(own: Option<Limit>, added: Option<Limit>) -> Option<Limit> {
    match (own, added) {
        (Some(own), Some(added)) => Some(own.with(added)),
        (own, added) => own.or(added),
    }
}

impl FurtherLimit {
    /// Units left of it for a new request.
    pub fn room(&self, balances: &[Balance]) -> u64 {
        self.limit.room(taken(balances, &self.bucket))
    }

    /// When it is whole again; none for a window that has not begun.
    pub fn resets_at(&self) -> Option<DateTime<Utc>> {
        self.window.ends_at.filter(|_| !self.is_waiting)
    }
}

/// What plan and add-ons set together.
#[derive(Debug, Default)]
pub(super) struct ByPlan {
    pub(super) plan_value: Option<Limit>,
    pub(super) added: Option<Limit>,
    pub(super) own_per: Option<Per>,
    pub(super) rolled_over: u64,
    pub(super) further: Vec<FurtherLimit>,
    pub(super) member_limit: Option<Limit>,
}

/// The balance that counts a feature's own window, and the span in which it does.
type Place<'a> = (&'a Bucket, Window);

/// What the plan says of the feature, and the add-ons beside it; or those alone where the plan does not name it (P13). None when
/// none of them names it.
pub(super) fn by_plans(
    clock: &Clock<'_>,
    place: Place<'_>,
    (base, feature): (Option<Held<'_>>, &Feature),
    catalog: &Catalog,
) -> Option<ByPlan> {
    let terms = clock.terms;
    let beside = Beside {
        terms,
        catalog,
        but: None,
    };
    if let Some(held) = base {
        return Some(by_plan(clock, place, (held, feature), Some(beside)));
    }
    let addons = addons_at(terms, catalog, clock.now);
    let (held, code) = first_named(&addons, feature)?;
    let but = Some(code);
    let beside = Beside { but, ..beside };
    let mut set = by_plan(clock, place, (held, feature), Some(beside));
    let per = Per::of(feature);
    let limits = held.value.limits();
    if limits.iter().any(|limit| limit.per(feature) == per) {
        // It is an add-on's, and no plan's.
        let own = set.plan_value.take();
        set.added = together(own, set.added);
    }
    for limit in &mut set.further {
        limit.plan_value = None;
        limit.added = Some(limit.limit.minus(limit.rolled_over));
    }
    Some(set)
}

/// What a plan says of the feature: its limit in the feature's own window, and the further ones; to each add-ons add.
pub(super) fn by_plan(
    clock: &Clock<'_>,
    place: Place<'_>,
    (held, feature): (Held<'_>, &Feature),
    beside: Option<Beside<'_>>,
) -> ByPlan {
    let per = Per::of(feature);
    let mut set = ByPlan {
        added: beside.and_then(|beside| beside.added(feature, per, clock.now)),
        ..ByPlan::default()
    };
    let limits = match held.value {
        PlanValue::Limit(limit) => {
            set.plan_value = Some(held.stored(&PlanLimit::new(*limit), feature));
            return set;
        }
        PlanValue::Limits(limits) => limits,
        PlanValue::Flag(_) | PlanValue::Text(_) => return set,
    };
    let own = limits.iter().find(|limit| limit.per(feature) == per);
    let own_limit = own.map_or(Limit::Unlimited, |own| held.stored(own, feature));
    set.plan_value = Some(own_limit);
    let of_member = own.and_then(|own| own.member_limit);
    set.member_limit = of_member.map(|limit| limit.scaled(feature.scale));
    if clock.in_force.is_none() {
        return set;
    }
    let limiting = Limiting {
        held,
        feature,
        beside,
    };
    if let Some(own) = own {
        set.rolled_over = limiting.rolled_over(clock, place, own);
        set.own_per = Some(per);
    }
    let further = limits.iter().filter(|limit| limit.per(feature) != per);
    let further = further.map(|limit| limiting.further(clock, limit));
    set.further = further.collect();
    set
}

/// A feature, the plan that limits it, and the add-ons beside that.
#[derive(Clone, Copy)]
struct Limiting<'a> {
    held: Held<'a>,
    feature: &'a Feature,
    beside: Option<Beside<'a>>,
}

impl Limiting<'_> {
    /// What came over into a window of a limit: of what that and the add-ons of the window before left together. Nothing under
    /// another plan, also into a window that was open before this one took its place.
    fn rolled_over(
        &self,
        clock: &Clock<'_>,
        (bucket, window): (&Bucket, Window),
        limit: &PlanLimit,
    ) -> u64 {
        let max = limit.rollover_max(self.feature);
        let is_first = self
            .held
            .since
            .is_some_and(|since| window.starts_at <= since);
        if max == 0 || is_first {
            return 0;
        }
        let per = limit.per(self.feature);
        let eve = window
            .starts_at
            .checked_sub_signed(TimeDelta::microseconds(1));
        let eve = eve.unwrap_or(window.starts_at);
        let own = self.held.stored(limit, self.feature);
        let added = self.beside;
        let added = added.and_then(|beside| beside.added(self.feature, per, eve));
        let whole = added.map_or(own, |added| own.with(added));
        clock.rolled_over((bucket, window), (per, whole), max)
    }

    fn further(&self, clock: &Clock<'_>, limit: &PlanLimit) -> FurtherLimit {
        let feature = self.feature;
        let per = limit.per(feature);
        let counting = clock.counting(per, |bucket| {
            matches!(bucket, Bucket::Further(code, of, _) if *code == feature.code && *of == per)
        });
        let start = counting.window.starts_at.timestamp_micros();
        let bucket = Bucket::Further(feature.code.clone(), per, start);
        let rolled_over = self.rolled_over(clock, (&bucket, counting.window), limit);
        let added = self.beside;
        let added = added.and_then(|beside| beside.added(feature, per, clock.now));
        let own = self.held.stored(limit, feature);
        let whole = added.map_or(own, |added| own.with(added));
        FurtherLimit {
            per,
            bucket,
            window: counting.window,
            counts_until: counting.counts_until,
            limit: whole.plus(rolled_over),
            plan_value: Some(own),
            added,
            rolled_over,
            is_waiting: counting.is_waiting,
        }
    }
}
