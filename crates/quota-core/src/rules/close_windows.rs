//! Closing windows in the books (W5): nothing depends on it, it keeps accounts small and tells who listens.

use super::closing::{close, is_over};
use super::desk::Desk;
use super::outcome::Outcome;
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::change::Change;
use crate::command::CloseWindows;
use crate::event::EventKind;
use crate::ids::FeatureCode;

/// Closes the windows, grants, boosts and sales of an account that ended and hold nothing.
pub(crate) fn close_windows(
    desk: &mut Desk<'_>,
    asked: &CloseWindows,
) -> Result<Outcome, Rejection> {
    let context = desk.context;
    let account = desk.account()?;
    let fits = |bucket: &Bucket, code: &FeatureCode| {
        let own = match bucket {
            Bucket::Further(_, per, _) => Some(per.cadence),
            Bucket::Window(..)
            | Bucket::Tracked(..)
            | Bucket::Standing(_)
            | Bucket::Trial(_)
            | Bucket::Boost(..)
            | Bucket::Room(_)
            | Bucket::Member(..)
            | Bucket::OnDemand(..)
            | Bucket::Grant(_)
            | Bucket::Token(_)
            | Bucket::TokenWindow(..) => {
                let feature = context.catalog.features.get(code);
                feature.map(|feature| feature.cadence)
            }
        };
        let of_cadence = asked
            .cadence
            .is_none_or(|cadence| own.is_none_or(|own| own.closed_with() == cadence.closed_with()));
        of_cadence && (asked.features.is_empty() || asked.features.contains(code))
    };
    let mut ended = Vec::new();
    let mut features = Vec::new();
    for balance in account
        .books
        .balances
        .iter()
        .filter(|balance| is_over(account, balance, &context) || balance.is_spent_gift())
    {
        match &balance.bucket {
            Bucket::Window(code, _) | Bucket::Further(code, ..) | Bucket::Tracked(code, _)
                if fits(&balance.bucket, code) =>
            {
                ended.push(balance.bucket.clone());
                if !features.contains(code) {
                    features.push(code.clone());
                }
            }
            Bucket::Grant(_)
            | Bucket::Boost(..)
            | Bucket::OnDemand(..)
            | Bucket::TokenWindow(..)
                if asked.features.is_empty() =>
            {
                ended.push(balance.bucket.clone());
            }
            Bucket::Window(..)
            | Bucket::Further(..)
            | Bucket::Tracked(..)
            | Bucket::Grant(_)
            | Bucket::Boost(..)
            | Bucket::OnDemand(..)
            | Bucket::Standing(_)
            | Bucket::Trial(_)
            | Bucket::Room(_)
            | Bucket::Member(..)
            | Bucket::Token(_)
            | Bucket::TokenWindow(..) => {}
        }
    }
    if ended.is_empty() {
        return Ok(desk.unchanged());
    }
    for bucket in &ended {
        close(desk.home, &desk.request.account, bucket);
    }
    let outcome = desk.book(desk.change_booking(Change::WindowsClosed, None));
    if !features.is_empty() {
        desk.announce(&outcome.operation, EventKind::QuotaReset { features });
    }
    Ok(outcome)
}
