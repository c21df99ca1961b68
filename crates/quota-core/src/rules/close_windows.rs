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

/// Which closing takes a bucket.
enum Closing<'a> {
    /// That of its feature's windows.
    Window(&'a FeatureCode),
    /// Any that names no features.
    WithAny,
    /// None.
    Never,
}

fn closing_of(bucket: &Bucket) -> Closing<'_> {
    match bucket {
        Bucket::Window(code, _) | Bucket::Further(code, ..) | Bucket::Tracked(code, _) => {
            Closing::Window(code)
        }
        Bucket::Grant(_) | Bucket::Boost(..) | Bucket::OnDemand(..) | Bucket::TokenWindow(..) => {
            Closing::WithAny
        }
        Bucket::Standing(_)
        | Bucket::Trial(_)
        | Bucket::Room(_)
        | Bucket::Member(..)
        | Bucket::Token(_) => Closing::Never,
    }
}

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
        match closing_of(&balance.bucket) {
            Closing::Window(code) if fits(&balance.bucket, code) => {
                ended.push(balance.bucket.clone());
                if !features.contains(code) {
                    features.push(code.clone());
                }
            }
            Closing::WithAny if asked.features.is_empty() => ended.push(balance.bucket.clone()),
            Closing::Window(_) | Closing::WithAny | Closing::Never => {}
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
