//! What a scope takes from each source, as draws on the balances that are behind it.

use chrono::{DateTime, Utc};

use super::allowance::Allowance;
use super::funding::{burn, of_several, take_boosts};
use crate::balance::Bucket;
use crate::catalog::Feature;
use crate::draw::{Draw, Scope, Source};
use crate::home::AccountView;

/// Appends the draws that take these parts, each from its source.
pub(super) fn push_draws(
    now: DateTime<Utc>,
    (scope, account, own): (Scope, &AccountView<'_>, &Allowance),
    feature: &Feature,
    parts: &[(Source, u64)],
    draws: &mut Vec<Draw>,
) {
    for &(source, units) in parts {
        let (bucket, further) = match source {
            Source::Boost => {
                let taken = take_boosts(account.balances, &feature.code, units, now);
                draws.extend(of_several(taken, (scope, source), 1));
                continue;
            }
            Source::Credits => {
                let unit_cost = feature.credit_cost.unwrap_or(1);
                let cost = units.saturating_mul(unit_cost);
                let burnt = burn(account.balances, cost, now);
                draws.extend(of_several(burnt, (scope, source), unit_cost));
                continue;
            }
            Source::Trial => (Bucket::Trial(feature.code.clone()), Vec::new()),
            Source::Room => (Bucket::Room(feature.code.clone()), Vec::new()),
            Source::OnDemand => {
                let sold = own.selling.as_ref().map(|sold| sold.bucket.clone());
                debug_assert!(sold.is_some(), "what is sold has a balance");
                (sold.unwrap_or_else(|| own.bucket.clone()), Vec::new())
            }
            Source::Allowance | Source::Unlimited | Source::Overage => {
                let further = own.further.iter().map(|limit| limit.bucket.clone());
                (own.bucket.clone(), further.collect())
            }
        };
        draws.push(Draw {
            scope,
            bucket,
            further,
            source,
            amount: units,
            unit_cost: 1,
        });
    }
}
