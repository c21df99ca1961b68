//! How a hold is settled: what of it is spent, what goes back, what is still to be taken (R2).

use std::collections::BTreeMap;

use crate::draw::{Draw, Scope, Source};

/// The settlement of one scope's hold for one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settlement {
    /// Spent for good, in the order in which it was drawn.
    pub(crate) spent: Vec<Draw>,
    /// Given back to where it came from.
    pub(crate) given_back: Vec<Draw>,
}

/// Settles `held`, the draws of one scope for one feature, for `actual` units. What was drawn first is spent
/// first, so what goes back was drawn last (R2, R6).
pub(crate) fn settle<'a>(held: impl IntoIterator<Item = &'a Draw>, actual: u64) -> Settlement {
    let mut settlement = Settlement {
        spent: Vec::new(),
        given_back: Vec::new(),
    };
    // A unit may have been paid by two grants: what is still owed of the one begun is counted in credits.
    let mut units_left = actual;
    let mut credits_owed = 0_u64;
    for draw in held {
        let spent = if draw.source == Source::Credits {
            let whole = units_left.saturating_mul(draw.unit_cost);
            let owed = whole.saturating_add(credits_owed);
            let spent = draw.amount.min(owed);
            let owed = owed.saturating_sub(spent);
            units_left = owed.checked_div(draw.unit_cost).unwrap_or(0);
            credits_owed = owed.checked_rem(draw.unit_cost).unwrap_or(0);
            spent
        } else {
            let spent = draw.amount.min(units_left);
            units_left = units_left.saturating_sub(spent);
            spent
        };
        push(&mut settlement.spent, draw, spent);
        push(
            &mut settlement.given_back,
            draw,
            draw.amount.saturating_sub(spent),
        );
    }
    settlement
}

/// Units that draws of one scope and feature are worth.
pub(crate) fn units(draws: &[Draw]) -> u64 {
    let plain = draws.iter().filter(|draw| draw.source != Source::Credits);
    plain.fold(paid_units(draws), |sum, draw| {
        sum.saturating_add(draw.amount)
    })
}

/// Units that credits paid among draws of one scope for one feature. What a unit costs may have changed between a hold
/// and its settlement: each price counts for itself.
pub(crate) fn paid_units<'a>(draws: impl IntoIterator<Item = &'a Draw>) -> u64 {
    let mut credits: BTreeMap<u64, u64> = BTreeMap::new();
    for draw in draws {
        if draw.source == Source::Credits {
            let sum = credits.entry(draw.unit_cost).or_insert(0);
            *sum = sum.saturating_add(draw.amount);
        }
    }
    let units = credits.into_iter();
    let units = units.map(|(cost, sum)| sum.checked_div(cost).unwrap_or(0));
    units.fold(0, u64::saturating_add)
}

/// Units that credits and the trial paid at a scope.
pub(super) fn paid_by(draws: &[Draw], scope: Scope) -> u64 {
    let own = || draws.iter().filter(move |draw| draw.scope == scope);
    let trial = own().filter(|draw| draw.source == Source::Trial);
    trial.fold(paid_units(own()), |sum, draw| {
        sum.saturating_add(draw.amount)
    })
}

fn push(draws: &mut Vec<Draw>, draw: &Draw, amount: u64) {
    if amount != 0 {
        draws.push(Draw {
            amount,
            ..draw.clone()
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::balance::Bucket;
    use crate::ids::{FeatureCode, GrantId};

    fn held(allowance: u64, grants: &[u64], cost: u64) -> Vec<Draw> {
        let feature = FeatureCode::new("f").expect("a literal code");
        let draw = |bucket, source, amount| Draw {
            scope: Scope::User,
            bucket,
            further: Vec::new(),
            source,
            amount,
            unit_cost: if source == Source::Credits { cost } else { 1 },
        };
        let mut draws = vec![draw(
            Bucket::Standing(feature),
            Source::Allowance,
            allowance,
        )];
        draws.extend(grants.iter().enumerate().map(|(at, credits)| {
            let id = GrantId::new(&format!("g{at}")).expect("a literal id");
            draw(Bucket::Grant(id), Source::Credits, *credits)
        }));
        draws
    }

    fn sum(draws: &[Draw]) -> u64 {
        draws.iter().map(|draw| draw.amount).sum()
    }

    /// R2: with less than was held the rest goes back; with more, the difference is still to be taken.
    #[test]
    fn what_was_drawn_last_goes_back_first() {
        let less = settle(&held(2, &[4, 5], 3), 3);
        assert_eq!(less.spent, held(2, &[3], 3));
        assert_eq!(sum(&less.given_back), 6);
        let more = settle(&held(5, &[], 1), 9);
        assert_eq!((sum(&more.spent), sum(&more.given_back)), (5, 0));
    }

    proptest! {
        /// R6 and I10: each draw is spent or goes back to its own source, and nothing else happens to it.
        #[test]
        fn a_hold_is_spent_or_given_back(
            allowance in 1_u64..20, units in 0_u64..20, cost in 1_u64..5, cut in 0_u64..100, actual in 0_u64..60,
        ) {
            let credits = units * cost;
            let first = cut.min(credits);
            let held = held(allowance, &[first, credits - first], cost);
            let settlement = settle(&held, actual);
            for draw in &held {
                let of = |draws: &[Draw]| -> u64 {
                    draws.iter().filter(|part| part.bucket == draw.bucket).map(|part| part.amount).sum()
                };
                prop_assert_eq!(of(&settlement.spent) + of(&settlement.given_back), draw.amount);
            }
        }
    }
}
