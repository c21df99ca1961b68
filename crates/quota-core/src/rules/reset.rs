//! Reset: an operator sets `used` and `overage` of the current windows (X6) or of a token (T3) to 0.

use super::desk::Desk;
use super::moves::zero;
use super::outcome::Outcome;
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::catalog::Feature;
use crate::change::Change;
use crate::command::Reset;
use crate::event::EventKind;
use crate::ids::FeatureCode;

/// Sets `used` and `overage` of the current windows to 0, and of a token that is named.
pub(crate) fn reset(desk: &mut Desk<'_>, asked: &Reset) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let account = desk.account()?;
    let counted = |feature: &Feature| {
        let bucket = context.allowance(account, feature).bucket;
        (bucket, Some(feature.code.clone()))
    };
    let mut current = Vec::new();
    if asked.features.is_empty() && asked.token.is_none() {
        current.extend(context.catalog.features.values().map(counted));
    }
    for (index, code) in asked.features.iter().enumerate() {
        let feature = context.feature(code);
        let feature = feature.map_err(|rejection| rejection.in_list(index))?;
        current.push(counted(feature));
    }
    if let Some(token) = &asked.token {
        if !account.terms.tokens.contains_key(token) {
            return Err(Rejection::UnknownToken(token.clone()));
        }
        current.push((Bucket::Token(token.clone()), None));
    }
    let entries = zero(desk, current)?;
    let features: Vec<FeatureCode> = entries
        .iter()
        .filter_map(|entry| entry.feature.clone())
        .collect();
    let account = &desk.request.account;
    desk.home.changes.accounts.insert(account.clone());
    let mut booking = desk.change(Change::Reset, asked.token.as_ref().map(ToString::to_string));
    booking.entries = entries;
    let outcome = desk.book(booking);
    let kind = if features.is_empty() && asked.token.is_some() {
        EventKind::QuotaUpdated {
            reason: Change::Reset,
        }
    } else {
        EventKind::QuotaReset { features }
    };
    desk.announce(&outcome.operation, kind);
    Ok(outcome)
}
