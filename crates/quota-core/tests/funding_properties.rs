//! What pays, in which order: examples after the rules, then properties.
#![expect(
    clippy::expect_used,
    reason = "a test stops at the first literal that does not parse"
)]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quota_core::amount::Limit;
use quota_core::balance::{Balance, Bucket};
use quota_core::draw::Source;
use quota_core::ids::{BoostId, FeatureCode, GrantId};
use quota_core::rules::funding::{
    Funds, affordable, boosts_left, burn, sources, split, take_boosts,
};

fn grant(id: &str, priority: u32, expires_in: Option<i64>, age: i64, left: u64) -> Balance {
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let bucket = Bucket::Grant(GrantId::new(id).expect("a literal id"));
    let starts_at = now - TimeDelta::seconds(age);
    Balance {
        ends_at: expires_in.map(|seconds| now + TimeDelta::seconds(seconds)),
        priority,
        ..Balance::new(bucket, Limit::Of(left), starts_at)
    }
}

/// F1: with an allowance, the allowance pays first and credits pay the rest.
#[test]
fn the_allowance_is_spent_before_credits() {
    let funds = Funds {
        unlimited: false,
        allowance: Some(1),
        room: 0,
        boosts: 0,
        credits: 5,
        trial: 9,
        on_demand: 0,
    };
    let split = split(&sources(&funds), 3);
    assert_eq!(split.parts, [(Source::Allowance, 1), (Source::Credits, 2)]);
    assert_eq!(split.short_by, 0);
}

/// F2: without an allowance, credits pay first and the free trial pays the rest.
#[test]
fn credits_are_spent_before_the_trial() {
    let funds = Funds {
        unlimited: false,
        allowance: None,
        room: 0,
        boosts: 0,
        credits: 2,
        trial: 3,
        on_demand: 0,
    };
    let four = split(&sources(&funds), 4);
    assert_eq!(four.parts, [(Source::Credits, 2), (Source::Trial, 2)]);
    assert_eq!(split(&sources(&funds), 6).short_by, 1);
}

/// X4: room that was bought is paid for: it comes before all that would be spent, with an allowance and without.
#[test]
fn bought_room_is_taken_before_credits() {
    let mut funds = Funds {
        unlimited: false,
        allowance: Some(1),
        room: 2,
        boosts: 1,
        credits: 5,
        trial: 9,
        on_demand: 0,
    };
    let room = (Source::Room, 2);
    let with = split(&sources(&funds), 5).parts;
    let rest = [(Source::Boost, 1), (Source::Credits, 1)];
    assert_eq!(with, [(Source::Allowance, 1), room, rest[0], rest[1]]);
    funds.allowance = None;
    let without = split(&sources(&funds), 4).parts;
    assert_eq!(without, [room, rest[0], rest[1]]);
    funds.unlimited = true;
    let unlimited = split(&sources(&funds), 5).parts;
    assert_eq!(unlimited, [(Source::Unlimited, 5)]);
}

fn feature(code: &str) -> FeatureCode {
    FeatureCode::new(code).expect("a literal code")
}

fn boost(code: &str, id: &str, (ends_in, age): (i64, i64), left: u64) -> Balance {
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let id = BoostId::new(id).expect("a literal id");
    let starts_at = now - TimeDelta::seconds(age);
    Balance {
        ends_at: Some(now + TimeDelta::seconds(ends_in)),
        ..Balance::new(Bucket::Boost(feature(code), id), Limit::Of(left), starts_at)
    }
}

/// F1: boosts pay between the allowance and credits, on demand pays last; F2: without an allowance boosts pay first, as they
/// end, and nothing is sold.
#[test]
fn boosts_are_spent_before_credits() {
    let mut funds = Funds {
        unlimited: false,
        allowance: Some(1),
        room: 0,
        boosts: 2,
        credits: 5,
        trial: 9,
        on_demand: 0,
    };
    let with = split(&sources(&funds), 4).parts;
    let (allowance, boost) = ((Source::Allowance, 1), (Source::Boost, 2));
    assert_eq!(with, [allowance, boost, (Source::Credits, 1)]);
    funds.on_demand = 4;
    let sold = split(&sources(&funds), 10).parts;
    let last = (Source::OnDemand, 2);
    assert_eq!(sold, [allowance, boost, (Source::Credits, 5), last]);
    funds.allowance = None;
    let without = split(&sources(&funds), 8).parts;
    assert_eq!(without, [boost, (Source::Credits, 5), (Source::Trial, 1)]);
    funds.unlimited = true;
    let unlimited = split(&sources(&funds), 8).parts;
    assert_eq!(unlimited, [(Source::Unlimited, 8)], "U1: it draws on none");
}

/// F1: of boosts the one that ends first pays before the others, then the older one; what is over, or of another feature,
/// pays nothing. By name the newer of two would come first.
#[test]
fn the_boost_that_ends_first_pays_before_the_others() {
    let boosts = [
        boost("a", "late", (200, 50), 2),
        boost("a", "soon-new", (100, 10), 2),
        boost("a", "soon-old", (100, 20), 2),
        boost("a", "over", (0, 30), 2),
        boost("b", "other", (50, 30), 2),
    ];
    let now = DateTime::<Utc>::UNIX_EPOCH;
    let (all, other) = (feature("a"), feature("b"));
    assert_eq!(boosts_left(&boosts, &all, now), 6);
    assert_eq!(boosts_left(&boosts, &other, now), 2);
    let draws = take_boosts(&boosts, &all, 5, now).expect("six are left");
    let order = draws
        .iter()
        .map(|(bucket, units)| (bucket.to_string(), *units));
    let wanted = [("soon-old", 2), ("soon-new", 2), ("late", 1)];
    let wanted = wanted.map(|(id, units)| (format!("boost:a:{id}"), units));
    assert_eq!(order.collect::<Vec<_>>(), wanted);
    assert_eq!(take_boosts(&boosts, &all, 7, now), None);
}

/// F5: lower priority number first, then the earliest expiry with none last, then the oldest. By name the newer of two
/// would come first.
#[test]
fn grants_burn_by_priority_then_expiry_then_age() {
    let grants = [
        grant("never", 1, None, 50, 1),
        grant("late", 1, Some(200), 10, 1),
        grant("soon-new", 1, Some(100), 10, 1),
        grant("soon-old", 1, Some(100), 20, 1),
        grant("urgent", 0, None, 1, 1),
        grant("expired", 0, Some(0), 30, 1),
    ];
    let draws = burn(&grants, 5, DateTime::<Utc>::UNIX_EPOCH).expect("five are left");
    let order: Vec<_> = draws.iter().map(|(bucket, _)| bucket.to_string()).collect();
    let wanted = ["urgent", "soon-old", "soon-new", "late", "never"];
    assert_eq!(order, wanted.map(|id| format!("grant:{id}")));
    assert_eq!(
        burn(&grants, 6, DateTime::<Utc>::UNIX_EPOCH),
        None,
        "the expired one gives nothing"
    );
}

/// F3: credits pay only for a feature with a cost, and `n` units cost `n` times that.
#[test]
fn credits_pay_only_for_a_feature_with_a_cost() {
    let grants = [grant("a", 0, None, 1, 5), grant("b", 0, None, 1, 2)];
    let now = DateTime::<Utc>::UNIX_EPOCH;
    assert_eq!(affordable(&grants, None, now), 0);
    assert_eq!(affordable(&grants, Some(1), now), 7);
    assert_eq!(affordable(&grants, Some(3), now), 2);
}

proptest! {
    /// F4: a request may be split, and its parts and what is missing always add up to it.
    #[test]
    fn the_parts_add_up_to_the_request(
        allowance in proptest::option::of(0_u64..50), bought in 0_u64..50, boosts in 0_u64..50, credits in 0_u64..50, trial in 0_u64..50,
        on_demand in 0_u64..50, requested in 1_u64..300,
    ) {
        let funds = Funds { unlimited: false, allowance, room: bought, boosts, credits, trial, on_demand };
        let sources = sources(&funds);
        let split = split(&sources, requested);
        let paid: u64 = split.parts.iter().map(|(_, units)| units).sum();
        let room: u64 = sources.iter().map(|headroom| headroom.units).sum();
        prop_assert_eq!(paid + split.short_by, requested);
        prop_assert_eq!(split.short_by, requested.saturating_sub(room));
        for (source, units) in split.parts {
            let headroom = sources.iter().find(|headroom| headroom.source == source);
            prop_assert!(headroom.is_some_and(|headroom| units <= headroom.units));
        }
    }

    /// F5: whatever the names, of two grants the one burns first that has the lower priority number, else the earlier
    /// expiry, none being last, else the greater age.
    #[test]
    fn a_grant_burns_by_priority_then_expiry_then_age_whatever_its_name(
        shape in proptest::collection::vec((0_u32..2, proptest::option::of(1_i64..3), 0_i64..4), 2..8),
        names in Just(["a", "b", "c", "d", "e", "f", "g"]).prop_shuffle(),
    ) {
        let grants: Vec<_> = names.iter().zip(&shape)
            .map(|(name, (priority, expires_in, age))| grant(name, *priority, *expires_in, *age, 1))
            .collect();
        let all = u64::try_from(grants.len()).expect("a few");
        let draws = burn(&grants, all, DateTime::<Utc>::UNIX_EPOCH).expect("one is left in each");
        let place = |bucket: &Bucket| {
            let drawn = grants.iter().position(|grant| grant.bucket == *bucket).expect("drawn from");
            let (priority, expires_in, age) = shape[drawn];
            (priority, expires_in.is_none(), expires_in, std::cmp::Reverse(age))
        };
        let places: Vec<_> = draws.iter().map(|(bucket, _)| place(bucket)).collect();
        prop_assert!(places.is_sorted(), "{:?}", places);
        prop_assert_eq!(draws.len(), grants.len());
    }

    /// F5 and I14: a run in pieces draws what one run draws, and never more than a grant has.
    #[test]
    fn burning_in_pieces_equals_burning_at_once(
        shape in proptest::collection::vec((0_u32..3, proptest::option::of(1_i64..5), 0_u64..9), 1..6),
        first in 0_u64..15, second in 0_u64..15,
    ) {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let mut grants: Vec<_> = shape.iter().enumerate()
            .map(|(at, (priority, expires_in, left))| grant(&format!("g{at}"), *priority, *expires_in, 1, *left))
            .collect();
        let left: u64 = grants.iter().map(|grant| grant.remaining(now)).sum();
        let at_once = burn(&grants, first + second, now);
        prop_assert_eq!(at_once.is_some(), first + second <= left);
        if let Some(at_once) = at_once {
            for cost in [first, second] {
                for (bucket, credits) in burn(&grants, cost, now).expect("less than all") {
                    let grant = grants.iter_mut().find(|grant| grant.bucket == bucket).expect("drawn from");
                    grant.used += credits;
                }
            }
            for grant in &grants {
                let drawn = at_once.iter().find(|(bucket, _)| *bucket == grant.bucket).map_or(0, |draw| draw.1);
                prop_assert_eq!(grant.used, drawn);
            }
        }
    }
}
