//! What one scope may draw on, in order, and how a request is split over it (section 5).

use chrono::{DateTime, Utc};

use crate::balance::{Balance, Bucket};
use crate::catalog::{Feature, Kind};
use crate::cover::{grants, owed};
use crate::draw::{Draw, Scope, Source};
use crate::ids::FeatureCode;

/// How much a source can pay for, in units of the feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headroom {
    /// Where the units come from: unlimited, the allowance, bought room, boosts, credits or the trial.
    pub source: Source,
    /// Units that it can still pay for.
    pub units: u64,
}

/// What a request takes from each source, in the order of spending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Source and units, none of them 0.
    pub parts: Vec<(Source, u64)>,
    /// Units that nothing pays for.
    pub short_by: u64,
}

/// The state of one scope for one feature, as far as paying is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funds {
    /// Whether the account is unlimited (U1).
    pub unlimited: bool,
    /// Units left of the allowance; `None` when no subscription in force names the feature.
    pub allowance: Option<u64>,
    /// Free units of a capacity that were bought before (X4).
    pub room: u64,
    /// Units left of boosts (C13).
    pub boosts: u64,
    /// Units that credits can still pay for (F3).
    pub credits: u64,
    /// Units left of the free trial.
    pub trial: u64,
    /// Units that can still be sold on demand (C11).
    pub on_demand: u64,
}

/// The sources of a scope in the order in which they pay.
///
/// An unlimited account draws on nothing else (U1). With an allowance: allowance, then boosts, then credits, then on demand
/// (F1). Without: boosts, which end, then credits, then the trial (F2). Room that was bought is paid for already: it comes
/// before what would be spent (X4).
pub fn sources(funds: &Funds) -> Vec<Headroom> {
    let from = |source, units| Headroom { source, units };
    if funds.unlimited {
        return vec![from(Source::Unlimited, crate::amount::COUNT_MAX)];
    }
    match funds.allowance {
        Some(units) => {
            let mut order = vec![
                from(Source::Allowance, units),
                from(Source::Room, funds.room),
                from(Source::Boost, funds.boosts),
                from(Source::Credits, funds.credits),
            ];
            if funds.on_demand != 0 {
                order.push(from(Source::OnDemand, funds.on_demand));
            }
            order
        }
        None => vec![
            from(Source::Room, funds.room),
            from(Source::Boost, funds.boosts),
            from(Source::Credits, funds.credits),
            from(Source::Trial, funds.trial),
        ],
    }
}

/// Splits `requested` over `sources` in their order (F4).
///
/// ```
/// use quota_core::rules::funding::{Funds, sources, split};
/// use quota_core::draw::Source;
/// let funds = Funds { unlimited: false, allowance: Some(1), room: 0, boosts: 0, credits: 5, trial: 0, on_demand: 0 };
/// let split = split(&sources(&funds), 3);
/// assert_eq!(split.parts, [(Source::Allowance, 1), (Source::Credits, 2)]);
/// assert_eq!(split.short_by, 0);
/// ```
pub fn split(sources: &[Headroom], requested: u64) -> Split {
    let mut short_by = requested;
    let mut parts = Vec::with_capacity(sources.len());
    for headroom in sources {
        let units = headroom.units.min(short_by);
        if units != 0 {
            parts.push((headroom.source, units));
            short_by = short_by.saturating_sub(units);
        }
    }
    debug_assert!(
        short_by <= requested,
        "a request is never short by more than it asks"
    );
    debug_assert_eq!(
        parts
            .iter()
            .fold(short_by, |sum, (_, units)| sum.saturating_add(*units)),
        requested,
        "the parts and what is missing add up to the request"
    );
    Split { parts, short_by }
}

/// Splits a cost in credits over the grants among `balances`: lower priority number first, then the earliest expiry with
/// none last, then the oldest (F5). Grants outside their span give nothing, and those that burn first cover what was used of
/// grants beyond their worth before they give anything (P10).
///
/// Returns the bucket and the credits drawn from it, or `None` when there are not enough.
pub fn burn(balances: &[Balance], cost: u64, now: DateTime<Utc>) -> Option<Vec<(Bucket, u64)>> {
    in_turn(
        &in_burn_order(balances, now),
        (owed(balances, now), cost),
        now,
    )
}

/// The grants among `balances` that have something left, in the order in which they burn (F5).
pub(super) fn in_burn_order(balances: &[Balance], now: DateTime<Utc>) -> Vec<&Balance> {
    let mut live: Vec<&Balance> = grants(balances)
        .filter(|grant| grant.remaining(now) > 0)
        .collect();
    live.sort_by_key(|grant| {
        let expires_at = grant.ends_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        (grant.priority, expires_at, grant.starts_at, &grant.bucket)
    });
    live
}

/// The room that was bought of a capacity, among balances.
pub(super) fn bought_room<'a>(balances: &'a [Balance], feature: &Feature) -> Option<&'a Balance> {
    let is_own =
        |balance: &&Balance| matches!(&balance.bucket, Bucket::Room(of) if *of == feature.code);
    let mut balances = balances.iter();
    let has_room = feature.kind == Kind::Capacity;
    has_room.then(|| balances.find(is_own)).flatten()
}

/// Free units in the room that was bought of a capacity, among `balances` (X4).
pub fn room_left(balances: &[Balance], feature: &Feature) -> u64 {
    bought_room(balances, feature).map_or(0, |room| room.granted.room(room.taken()))
}

/// The boosts of a feature among balances.
fn boosts<'a>(balances: &'a [Balance], feature: &FeatureCode) -> impl Iterator<Item = &'a Balance> {
    balances
        .iter()
        .filter(move |balance| matches!(&balance.bucket, Bucket::Boost(of, _) if of == feature))
}

/// Units of a feature left in the boosts among `balances`.
pub fn boosts_left(balances: &[Balance], feature: &FeatureCode, now: DateTime<Utc>) -> u64 {
    let left = boosts(balances, feature).map(|boost| boost.remaining(now));
    left.fold(0_u64, u64::saturating_add)
}

/// Splits units of a feature over the boosts among `balances`: the one that ends first before the others, then the oldest
/// (F1). Boosts outside their span give nothing.
///
/// Returns the bucket and the units drawn from it, or `None` when there are not enough.
pub fn take_boosts(
    balances: &[Balance],
    feature: &FeatureCode,
    units: u64,
    now: DateTime<Utc>,
) -> Option<Vec<(Bucket, u64)>> {
    let mut live: Vec<&Balance> = boosts(balances, feature)
        .filter(|boost| boost.remaining(now) > 0)
        .collect();
    live.sort_by_key(|boost| {
        let ends_at = boost.ends_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        (ends_at, boost.starts_at, &boost.bucket)
    });
    in_turn(&live, (0, units), now)
}

/// Draws an amount from balances, each as far as it goes before the next, and nothing of the first that are owed; `None` when
/// there is not enough.
fn in_turn(
    live: &[&Balance],
    (mut owed, amount): (u64, u64),
    now: DateTime<Utc>,
) -> Option<Vec<(Bucket, u64)>> {
    let mut missing = amount;
    let mut draws = Vec::new();
    for balance in live {
        let left = balance.remaining(now);
        let covers = left.min(owed);
        owed = owed.saturating_sub(covers);
        let part = left.saturating_sub(covers).min(missing);
        if part != 0 {
            draws.push((balance.bucket.clone(), part));
            missing = missing.saturating_sub(part);
        }
    }
    let total = draws
        .iter()
        .fold(0_u64, |sum, (_, part)| sum.saturating_add(*part));
    debug_assert!(total <= amount, "never more than was asked for");
    (missing == 0).then_some(draws)
}

/// Credits that can be spent of the grants among `balances`: what is left of them, less what they cover (P10).
pub fn credits_left(balances: &[Balance], now: DateTime<Utc>) -> u64 {
    idle_credits(balances, now).saturating_sub(owed(balances, now))
}

/// What is left of the grants among `balances`, whatever they cover.
pub(super) fn idle_credits(balances: &[Balance], now: DateTime<Utc>) -> u64 {
    grants(balances).fold(0_u64, |sum, grant| sum.saturating_add(grant.remaining(now)))
}

/// Units of a feature that the grants among `balances` can still pay for: 0 without a `credit_cost` (F3).
pub fn affordable(balances: &[Balance], credit_cost: Option<u64>, now: DateTime<Utc>) -> u64 {
    let Some(cost) = credit_cost else {
        return 0;
    };
    credits_left(balances, now).checked_div(cost).unwrap_or(0)
}

/// The draws on several grants or boosts.
pub(super) fn of_several(
    parts: Option<Vec<(Bucket, u64)>>,
    (scope, source): (Scope, Source),
    unit_cost: u64,
) -> impl Iterator<Item = Draw> {
    debug_assert!(parts.is_some(), "what there is of a source can be drawn");
    let parts = parts.unwrap_or_default().into_iter();
    parts.map(move |(bucket, amount)| Draw {
        scope,
        bucket,
        further: Vec::new(),
        source,
        amount,
        unit_cost,
    })
}
