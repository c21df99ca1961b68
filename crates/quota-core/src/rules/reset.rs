//! Reset: an operator sets `used` and `overage` of the current windows (X6) or of a token (T3) to 0.

use std::collections::BTreeSet;

use super::capacity::lower;
use super::desk::Desk;
use super::funding::bought_room;
use super::moves::zero;
use super::outcome::Outcome;
use crate::answer::Rejection;
use crate::catalog::{Feature, Kind};
use crate::change::Change;
use crate::command::Reset;
use crate::draw::Scope;
use crate::event::EventKind;
use crate::ids::FeatureCode;
use crate::operation::Entry;

/// Sets `used` and `overage` of the current windows to 0, and of a token that is named; room that was bought is free then.
pub(crate) fn reset(desk: &mut Desk<'_>, asked: &Reset) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let account = desk.account()?;
    let counted = |feature: &Feature| {
        let own = context.allowance(account, feature);
        let further = own.further.into_iter().map(|limit| limit.bucket);
        let bought = bought_room(&account.books.balances, feature).map(|room| room.bucket.clone());
        let buckets = std::iter::once(own.bucket).chain(further).chain(bought);
        let with_code = |bucket| (bucket, Some(feature.code.clone()));
        buckets.map(with_code).collect::<Vec<_>>()
    };
    let mut current = Vec::new();
    if asked.features.is_empty() && asked.token.is_none() {
        let features = context.catalog.features.values();
        let features = features.filter(|feature| feature.kind.is_counted());
        current.extend(features.flat_map(counted));
    }
    for (index, code) in asked.features.iter().enumerate() {
        let feature = context.drawn(code);
        let feature = feature.map_err(|rejection| rejection.in_list(index))?;
        current.extend(counted(feature));
    }
    if let Some(token) = &asked.token {
        let known = account.terms.tokens.get(token);
        let known = known.ok_or_else(|| Rejection::UnknownToken(token.clone()))?;
        current.push((known.bucket(token, context.now), None));
    }
    let reset: Vec<FeatureCode> = current
        .iter()
        .filter_map(|(_, code)| code.clone())
        .collect();
    let mut entries = zero(desk, current)?;
    entries.extend(give_shares_back(desk, &reset)?);
    let features: BTreeSet<FeatureCode> = entries
        .iter()
        .filter_map(|entry| entry.feature.clone())
        .collect();
    let features: Vec<FeatureCode> = features.into_iter().collect();
    let account = &desk.request.account;
    desk.home.changes.accounts.insert(account.clone());
    let mut booking = desk.change_booking(Change::Reset, Some(in_words(asked)));
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

/// What was reset: the features, and the token.
fn in_words(asked: &Reset) -> String {
    let codes: Vec<&str> = asked.features.iter().map(FeatureCode::as_str).collect();
    match &asked.token {
        None if codes.is_empty() => "all features".to_owned(),
        None => codes.join(", "),
        Some(token) if codes.is_empty() => format!("token {token}"),
        Some(token) => format!("{}; token {token}", codes.join(", ")),
    }
}

/// What a member occupies no more, its org is charged for no more (O8).
fn give_shares_back(desk: &mut Desk<'_>, codes: &[FeatureCode]) -> Result<Vec<Entry>, Rejection> {
    let mut entries = Vec::new();
    if desk.account()?.terms.org.is_none() {
        return Ok(entries);
    }
    let context = desk.context;
    for code in codes {
        let feature = context.feature(code)?;
        if feature.kind == Kind::Capacity {
            entries.extend(lower(desk, Scope::Org, feature, u64::MAX)?.entries);
        }
    }
    Ok(entries)
}
