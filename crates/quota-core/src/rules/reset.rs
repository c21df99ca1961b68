//! Reset: an operator sets `used` and `overage` of the current windows (X6) or of a token (T3) to 0.

use super::desk::Desk;
use super::moves::zero;
use super::outcome::Outcome;
use super::posting::{Posting, post, taken_back};
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::change::Change;
use crate::command::Reset;
use crate::draw::{Scope, Source};
use crate::event::EventKind;
use crate::ids::{FeatureCode, TokenId};
use crate::operation::Entry;

/// Sets `used` and `overage` of the current windows to 0, and of a token that is named.
pub(crate) fn reset(desk: &mut Desk<'_>, asked: &Reset) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let account = desk.account()?;
    let mut current = Vec::new();
    if asked.features.is_empty() && asked.token.is_none() {
        for (code, feature) in &context.catalog.features {
            current.push((context.allowance(account, feature).bucket, code.clone()));
        }
    }
    for (index, code) in asked.features.iter().enumerate() {
        let feature = context.feature(code);
        let feature = feature.map_err(|rejection| rejection.in_list(index))?;
        current.push((context.allowance(account, feature).bucket, code.clone()));
    }
    if let Some(token) = &asked.token
        && !account.terms.tokens.contains_key(token)
    {
        return Err(Rejection::UnknownToken(token.clone()));
    }
    let mut entries = zero(desk, current)?;
    let features: Vec<FeatureCode> = entries
        .iter()
        .filter_map(|entry| entry.feature.clone())
        .collect();
    if let Some(token) = &asked.token {
        entries.extend(zero_token(desk, token)?);
    }
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

/// A token's use begins at 0 (T3); what was consumed before is not given back to it later.
fn zero_token(desk: &mut Desk<'_>, token: &TokenId) -> Result<Option<Entry>, Rejection> {
    let sequence = desk.home.version.saturating_add(1);
    let id = &desk.request.account;
    let bucket = Bucket::Token(token.clone());
    let account = desk.account_mut()?;
    let Some(balance) = account.books.balance_mut(&bucket) else {
        return Ok(None);
    };
    balance.reset_sequence = sequence;
    let posting = Posting {
        scope: Scope::Token,
        bucket,
        feature: None,
        source: Source::Allowance,
        unit_cost: 1,
        used: taken_back(balance.used),
        held: 0,
        overage: taken_back(balance.overage),
    };
    if (posting.used, posting.overage) == (0, 0) {
        return Ok(None);
    }
    post(desk, id, posting).map(Some)
}
