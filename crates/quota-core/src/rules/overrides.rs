//! Overrides: an account's own limits, and what it has of flags and settings by itself (F6).
//!
//! An override changes the terms alone. The `granted` of a live balance stays what it was until something is posted to it. No
//! decision about now reads that: the limit comes from the terms, by `allowance`. For what is told late (`past`) it is the
//! limit that a window had when it was last used.

use chrono::{DateTime, Utc};

use super::allowance::Standing;
use super::desk::Desk;
use super::given::standing_of;
use super::outcome::Outcome;
use super::posting::own_scope;
use crate::amount::{COUNT_MAX, Limit};
use crate::answer::Rejection;
use crate::catalog::Given;
use crate::change::{Change, Effect};
use crate::command::{ClearOverride, SetGiven, SetOverride};
use crate::draw::Scope;
use crate::ids::FeatureCode;
use crate::terms::{GivenOverride, Override};

/// Sets an account's own limit.
pub(crate) fn set_override(desk: &mut Desk<'_>, asked: &SetOverride) -> Result<Outcome, Rejection> {
    let (feature, limit) = (&asked.feature, asked.limit);
    let scale = desk.context.counted(feature)?.scale;
    let own = own_limit(desk, scale, (limit, asked.expires_at))?;
    let account = desk.account_mut()?;
    if account.terms.overrides.get(feature) == Some(&own) {
        return Ok(desk.unchanged());
    }
    account.terms.overrides.insert(feature.clone(), own);
    let effect = idleness(desk, feature)?;
    let detail = in_words(feature, limit, effect);
    Ok(desk.book_and_announce_with(Change::OverrideSet, (Some(detail), effect), Vec::new()))
}

/// A limit of its own for an account, as it is kept: in range, and not over already.
pub(super) fn own_limit(
    desk: &Desk<'_>,
    scale: u64,
    (limit, expires_at): (Limit, Option<DateTime<Utc>>),
) -> Result<Override, Rejection> {
    if limit.overflows(scale) {
        return Err(Rejection::OutOfRange {
            field: "limit",
            least: 0,
            most: COUNT_MAX.checked_div(scale).unwrap_or(COUNT_MAX),
        });
    }
    desk.context.must_be_later("expires_at", expires_at)?;
    Ok(Override {
        limit,
        expires_at,
        reason: desk.request.origin.reason.clone(),
        actor: desk.request.origin.actor.clone(),
    })
}

/// The limit of a feature in words, and why it changes nothing now, if it does not.
pub(super) fn in_words(feature: &FeatureCode, limit: Limit, effect: Option<Effect>) -> String {
    let said = match limit {
        Limit::Unlimited => format!("{feature}: unlimited"),
        Limit::Of(limit) => format!("{feature}: {limit}"),
    };
    match effect {
        Some(effect) => format!("{said}; {}", effect.in_words()),
        None => said,
    }
}

/// Why the override of a feature changes nothing now, if it does not.
fn idleness(desk: &Desk<'_>, feature: &FeatureCode) -> Result<Option<Effect>, Rejection> {
    let account = desk.account()?;
    let feature = desk.context.feature(feature)?;
    let own = desk.context.allowance(account, feature);
    let scope = own_scope(&desk.request.account);
    Ok(if feature.counts.is_some() && scope != Scope::Org {
        Some(Effect::IdleForUser)
    } else if account.terms.unlimited {
        Some(Effect::IdleForUnlimited)
    } else if own.limit_at(scope).is_none() {
        Some(Effect::IdleForSubscription)
    } else {
        None
    })
}

/// Sets what an account has of a flag or a setting by itself.
pub(crate) fn set_given(desk: &mut Desk<'_>, asked: &SetGiven) -> Result<Outcome, Rejection> {
    let (code, value) = (&asked.feature, &asked.value);
    let kind = desk.context.feature(code)?.kind;
    if !value.fits(kind) {
        return Err(Rejection::WrongValue {
            feature: code.clone(),
            wanted: Given::wanted(kind),
        });
    }
    desk.context.must_be_later("expires_at", asked.expires_at)?;
    let own = GivenOverride {
        value: value.clone(),
        expires_at: asked.expires_at,
        reason: desk.request.origin.reason.clone(),
        actor: desk.request.origin.actor.clone(),
    };
    let account = desk.account_mut()?;
    if account.terms.given.get(code) == Some(&own) {
        return Ok(desk.unchanged());
    }
    account.terms.given.insert(code.clone(), own);
    let effect = idleness_of_given(desk, value)?;
    let said = format!("{code}: {value}");
    let detail = match effect {
        Some(effect) => format!("{said}; {}", effect.in_words()),
        None => said,
    };
    Ok(desk.book_and_announce_with(Change::OverrideSet, (Some(detail), effect), Vec::new()))
}

/// Why what an account has of a flag or a setting by itself changes nothing now, if it does not.
fn idleness_of_given(desk: &Desk<'_>, value: &Given) -> Result<Option<Effect>, Rejection> {
    let terms = &desk.account()?.terms;
    let (standing, _) = standing_of(terms, desk.context.asked());
    let holds_by_itself =
        standing == Standing::Never && own_scope(&desk.request.account) == Scope::Org;
    Ok(if terms.unlimited && *value == Given::Flag(false) {
        Some(Effect::IdleForUnlimited)
    } else if standing == Standing::InForce || holds_by_itself {
        None
    } else {
        Some(Effect::IdleForSubscription)
    })
}

/// Takes an account's own limit away, or what it has of a flag or a setting by itself; what the plan says is back.
pub(crate) fn clear_override(
    desk: &mut Desk<'_>,
    asked: &ClearOverride,
) -> Result<Outcome, Rejection> {
    let account = desk.account_mut()?;
    // Of a feature that has left the catalog too.
    let limit = account.terms.overrides.remove(&asked.feature);
    let given = account.terms.given.remove(&asked.feature);
    if limit.is_none() && given.is_none() {
        desk.context.feature(&asked.feature)?;
        return Ok(desk.unchanged());
    }
    let detail = Some(asked.feature.to_string());
    Ok(desk.book_and_announce(Change::OverrideCleared, detail, Vec::new()))
}
