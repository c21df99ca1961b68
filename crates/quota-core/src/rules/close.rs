//! Closing windows in the books (W5): nothing depends on it, it keeps accounts small and tells who listens.

use chrono::TimeDelta;

use super::administer::{account_mut, unchanged};
use super::booking::{Booking, announce, book, close};
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::catalog::Cadence;
use crate::command::Request;
use crate::event::EventKind;
use crate::home::{Account, Home};
use crate::ids::FeatureCode;
use crate::operation::OperationKind;
use crate::reservation::TTL_SECONDS_MAX;
use crate::rules::context::Context;
use crate::rules::outcome::Outcome;

/// Closes the windows and grants of an account that ended and hold nothing.
pub(crate) fn close_windows(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    cadence: Option<Cadence>,
    features: &[FeatureCode],
) -> Result<Outcome, Rejection> {
    let account = account_mut(home, request)?;
    let fits = |code: &FeatureCode| {
        let of_cadence = cadence.is_none_or(|cadence| {
            let feature = context.catalog.features.get(code);
            feature.is_none_or(|feature| feature.cadence == cadence)
        });
        of_cadence && (features.is_empty() || features.contains(code))
    };
    let mut ended = Vec::new();
    let mut of_features = Vec::new();
    for balance in account
        .books
        .balances
        .iter()
        .filter(|balance| is_over(account, balance, context) || balance.is_spent_grant())
    {
        match &balance.bucket {
            Bucket::Window(code, _) | Bucket::Tracked(code, _) if fits(code) => {
                ended.push(balance.bucket.clone());
                if !of_features.contains(code) {
                    of_features.push(code.clone());
                }
            }
            Bucket::Grant(_) if features.is_empty() => ended.push(balance.bucket.clone()),
            _ => {}
        }
    }
    if ended.is_empty() {
        return Ok(unchanged(home, context, request));
    }
    for bucket in &ended {
        close(home, &request.account, bucket);
    }
    let booking = Booking {
        kind: OperationKind::Close,
        ..Booking::change("windows_closed", None)
    };
    let operation = book(home, context, request, booking);
    if !of_features.is_empty() {
        let features = of_features;
        announce(home, &operation, EventKind::QuotaReset { features });
    }
    Ok(Outcome {
        operation,
        is_booked: true,
    })
}

/// Whether a balance ended and nothing can come back to it. One that was moved stays as long as a hold may last
/// that was made in it, and while anything is held where it was moved to; one that others were moved to stays
/// as long as they do.
pub(crate) fn is_over(account: &Account, balance: &Balance, context: &Context<'_>) -> bool {
    let kept = if balance.moved_to.is_some() {
        TimeDelta::seconds(i64::from(TTL_SECONDS_MAX))
    } else {
        TimeDelta::zero()
    };
    let ended = balance
        .ends_at
        .and_then(|ends_at| ends_at.checked_add_signed(kept));
    if balance.held != 0 || ended.is_none_or(|ended| context.now < ended) {
        return false;
    }
    let target = account.books.resolved(&balance.bucket);
    let holds = account
        .books
        .balance(&target)
        .is_some_and(|target| target.held != 0);
    let is_target = account
        .books
        .balances
        .iter()
        .any(|other| other.moved_to.as_ref() == Some(&balance.bucket));
    !holds && !is_target
}
