//! Reset: an operator sets `used` and `overage` of the current windows to 0 (X6).

use super::desk::Desk;
use super::moves::zero;
use super::outcome::Outcome;
use crate::answer::Rejection;
use crate::change::Change;
use crate::command::Reset;
use crate::event::EventKind;
use crate::ids::FeatureCode;

/// Sets `used` and `overage` of the current windows to 0.
pub(crate) fn reset(desk: &mut Desk<'_>, asked: &Reset) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let account = desk.account()?;
    let mut current = Vec::new();
    if asked.features.is_empty() {
        for (code, feature) in &context.catalog.features {
            current.push((context.allowance(account, feature).bucket, code.clone()));
        }
    }
    for (index, code) in asked.features.iter().enumerate() {
        let feature = context.feature(code);
        let feature = feature.map_err(|rejection| rejection.in_list(index))?;
        current.push((context.allowance(account, feature).bucket, code.clone()));
    }
    let entries = zero(desk, current)?;
    let account = &desk.request.account;
    desk.home.changes.accounts.insert(account.clone());
    let features: Vec<FeatureCode> = entries
        .iter()
        .filter_map(|entry| entry.feature.clone())
        .collect();
    let mut booking = desk.change(Change::Reset, None);
    booking.entries = entries;
    let outcome = desk.book(booking);
    desk.announce(&outcome.operation, EventKind::QuotaReset { features });
    Ok(outcome)
}
