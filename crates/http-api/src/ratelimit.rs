//! The `RateLimit` and `RateLimit-Policy` fields: what is left of the balance that binds first.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};

use api_types::BalanceBody;
use quota_core::amount::Limit;

/// Largest integer of a structured field.
const INTEGER_MAX: u64 = 999_999_999_999_999;

static RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Whole seconds from `now` until `at`, rounded up.
pub(crate) fn seconds_until(at: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    let millis = at.signed_duration_since(now).num_milliseconds();
    u64::try_from(millis).map_or(0, |millis| millis.div_ceil(1000))
}

/// A limit of which something may be left.
#[derive(Clone, Copy)]
struct Ceiling<'b> {
    balance: &'b BalanceBody,
    remaining: u64,
    limit: Option<Limit>,
    resets_at: Option<DateTime<Utc>>,
}

/// The limit of a balance, and what an org limits for the member that asks (O7).
fn ceilings(balance: &BalanceBody) -> impl Iterator<Item = Ceiling<'_>> {
    let own = balance.remaining.map(|remaining| Ceiling {
        balance,
        remaining,
        limit: balance.granted,
        resets_at: balance.resets_at,
    });
    let member = balance.member.as_ref().and_then(|member| {
        let remaining = member.remaining?;
        Some(Ceiling {
            balance,
            remaining,
            limit: Some(member.limit),
            resets_at: member.resets_at,
        })
    });
    own.into_iter().chain(member)
}

/// Adds the fields when a balance has a ceiling.
pub(crate) fn put(headers: &mut HeaderMap, balances: &[BalanceBody], now: DateTime<Utc>) {
    let binding = balances
        .iter()
        .flat_map(ceilings)
        .min_by_key(|ceiling| ceiling.remaining);
    let Some(Ceiling {
        balance,
        remaining,
        limit,
        resets_at,
    }) = binding
    else {
        return;
    };
    let ceiling = limit.and_then(Limit::ceiling);
    let name = match &balance.feature {
        Some(feature) => feature.as_str(),
        None => "token",
    };
    let mut policy = String::with_capacity(64);
    let mut field = String::with_capacity(64);
    // Writing to a string does not fail.
    let _ = write!(field, "\"{name}\";r={}", remaining.min(INTEGER_MAX));
    if let Some(resets_at) = resets_at {
        let _ = write!(field, ";t={}", seconds_until(resets_at, now));
    }
    let quota = ceiling.unwrap_or(remaining).min(INTEGER_MAX);
    let _ = write!(policy, "\"{name}\";q={quota}");
    for (header, text) in [(&RATELIMIT, field), (&RATELIMIT_POLICY, policy)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(header.clone(), value);
        }
    }
}
