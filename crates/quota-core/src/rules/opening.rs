//! Balances as they are opened: what a bucket grants now, and in which span it counts.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::allowance::{Allowance, Standing};
use super::context::Context;
use crate::amount::Limit;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Anchor, Feature, Per};
use crate::draw::Scope;
use crate::home::Account;
use crate::ids::FeatureCode;
use crate::window::cadence_window;

/// What a bucket grants now, and how much of that came over into it. `own` is the account's allowance for the feature, where that is
/// known already.
///
/// None says that the balance keeps what it has: it was given or bought, or it is a window that does not count now.
pub(super) fn current_grant(
    account: &Account,
    context: &Context<'_>,
    bucket: &Bucket,
    (own, scope): (Option<&Allowance>, Scope),
) -> Option<(Limit, u64)> {
    match bucket {
        Bucket::Window(code, _)
        | Bucket::Further(code, ..)
        | Bucket::Standing(code)
        | Bucket::Tracked(code, _) => {
            let feature = context.catalog.features.get(code)?;
            let own = own.map_or_else(
                || Cow::Owned(context.allowance(account, feature)),
                Cow::Borrowed,
            );
            if bucket.is_further() {
                let limit = own.further.iter().find(|limit| limit.bucket == *bucket)?;
                let granted = if account.terms.unlimited {
                    Limit::Unlimited
                } else {
                    limit.limit
                };
                return Some((granted, limit.rolled_over));
            }
            if own.bucket != *bucket {
                return None;
            }
            let is_standing = matches!(bucket, Bucket::Standing(_));
            let granted = match own.limit_at(scope) {
                Some(_) if account.terms.unlimited => Limit::Unlimited,
                Some(limit) => limit,
                None if is_standing && own.standing != Standing::InForce => return None,
                None => Limit::Unlimited,
            };
            Some((granted, own.rolled_over))
        }
        Bucket::Trial(code) => {
            let trial = context.catalog.features.get(code)?.trial_limit;
            Some((Limit::Of(trial), 0))
        }
        Bucket::Token(id) | Bucket::TokenWindow(id, _) => {
            let token = account.terms.tokens.get(id)?;
            (token.bucket(id, context.now) == *bucket).then_some((token.cap, 0))
        }
        Bucket::OnDemand(code, _) => {
            let feature = context.catalog.features.get(code)?;
            let own = own.map_or_else(
                || Cow::Owned(context.allowance(account, feature)),
                Cow::Borrowed,
            );
            let sold = own.selling.as_ref();
            let sold = sold.filter(|sold| sold.bucket == *bucket)?;
            Some((Limit::Of(sold.most), 0))
        }
        Bucket::Grant(_) | Bucket::Boost(..) | Bucket::Room(_) | Bucket::Member(..) => None,
    }
}

/// A new balance of a bucket: nothing used, nothing held.
pub(super) fn opened(account: &Account, context: &Context<'_>, bucket: &Bucket) -> Balance {
    let (starts_at, ends_at, rolled_over) = match bucket {
        Bucket::Window(code, start)
        | Bucket::Further(code, _, start)
        | Bucket::Tracked(code, start) => {
            let feature = context.catalog.features.get(code);
            let own = feature.map(|feature| context.allowance(account, feature));
            let starts_at =
                DateTime::from_timestamp_micros(*start).unwrap_or(account.terms.created_at);
            let span = own.and_then(|own| span_of(&own, bucket));
            let ends_at = feature.and_then(|feature| ends_by_itself(feature, bucket, starts_at));
            span.unwrap_or((starts_at, ends_at, 0))
        }
        Bucket::Standing(_)
        | Bucket::Trial(_)
        | Bucket::Grant(_)
        | Bucket::Boost(..)
        | Bucket::Room(_)
        | Bucket::Member(..)
        | Bucket::Token(_) => (account.terms.created_at, None, 0),
        Bucket::TokenWindow(id, start) => {
            let starts_at =
                DateTime::from_timestamp_micros(*start).unwrap_or(account.terms.created_at);
            let token = account.terms.tokens.get(id);
            let window = token.and_then(|token| token.window(starts_at));
            (starts_at, window.and_then(|window| window.ends_at), 0)
        }
        Bucket::OnDemand(code, start) => return opened_sale(account, context, (code, *start)),
    };
    let granted = if bucket.has_own_worth() {
        Limit::Of(0)
    } else {
        Limit::Unlimited
    };
    Balance {
        ends_at,
        rolled_over,
        ..Balance::new(bucket.clone(), granted, starts_at)
    }
}

/// A new balance of what is sold on demand: it keeps the price at which the period begins (C11).
fn opened_sale(
    account: &Account,
    context: &Context<'_>,
    (code, start): (&FeatureCode, i64),
) -> Balance {
    let bucket = Bucket::OnDemand(code.clone(), start);
    let starts_at = DateTime::from_timestamp_micros(start).unwrap_or(account.terms.created_at);
    let feature = context.catalog.features.get(code);
    let own = feature.map(|feature| context.allowance(account, feature));
    let sold = own.and_then(|own| own.selling);
    let sold = sold.filter(|sold| sold.bucket == bucket);
    debug_assert!(sold.is_some(), "what is sold is on sale");
    Balance {
        ends_at: sold.as_ref().and_then(|sold| sold.period.ends_at),
        sale: sold.map(|sold| Box::new(sold.sale)),
        ..Balance::new(bucket, Limit::Of(0), starts_at)
    }
}

/// When a window that a first use began ends, whatever counts now (W7).
fn ends_by_itself(
    feature: &Feature,
    bucket: &Bucket,
    starts_at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let per = match bucket {
        Bucket::Further(_, per, _) => *per,
        Bucket::Window(..) | Bucket::Tracked(..) => Per::of(feature),
        Bucket::Standing(_)
        | Bucket::Trial(_)
        | Bucket::Boost(..)
        | Bucket::Room(_)
        | Bucket::Member(..)
        | Bucket::OnDemand(..)
        | Bucket::Grant(_)
        | Bucket::Token(_)
        | Bucket::TokenWindow(..) => {
            return None;
        }
    };
    if per.anchor != Anchor::FirstUse {
        return None;
    }
    let zone = chrono_tz::Tz::UTC;
    cadence_window(per.cadence, per.anchor, starts_at, zone, starts_at).ends_at
}

/// When a window that counts now begins and ends, and what came over into it; `None` for another bucket.
fn span_of(
    own: &Allowance,
    bucket: &Bucket,
) -> Option<(DateTime<Utc>, Option<DateTime<Utc>>, u64)> {
    if own.bucket == *bucket {
        return Some((own.window.starts_at, own.counts_until, own.rolled_over));
    }
    let limit = own.further.iter().find(|limit| limit.bucket == *bucket)?;
    Some((
        limit.window.starts_at,
        limit.counts_until,
        limit.rolled_over,
    ))
}
