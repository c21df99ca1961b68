//! Auto top-up: when an account wants a pack bought, and what its top-ups came to (P20).
//!
//! Nothing is bought here, and no request waits for it: the request with which the credits fall below the bound says so in an event of
//! the account, and whoever hears of it looks whether something is due.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::desk::{Desk, announce_to};
use super::outcome::Outcome;
use super::wallet::Wallet;
use crate::answer::Rejection;
use crate::catalog::{Anchor, Cadence};
use crate::change::Change;
use crate::command::{EndTopUp, SetTopUp, TopUpEnd};
use crate::event::EventKind;
use crate::home::{Account, Home};
use crate::ids::AccountId;
use crate::payment_misfit::PaymentMisfit;
use crate::terms::{
    AutoTopUp, TOP_UP_FAILURES_MAX, TOP_UPS_A_MONTH_MAX, TopUpFailure, TopUpOff, TopUpOffReason,
};
use crate::window::{Window, cadence_window};

/// What an account wants bought now; none when nothing is due: it has credits enough, or bought some that wait, it was switched
/// off, or there is a pause after a failure.
pub fn due_top_up(account: &Account, now: DateTime<Utc>) -> Option<&AutoTopUp> {
    let wanted = account.terms.auto_top_up.as_deref();
    let wanted = wanted.filter(|wanted| wanted.is_on())?;
    let pauses = wanted.next_try_at().is_some_and(|until| now < until);
    (!pauses && is_low(account, wanted, now)).then_some(wanted)
}

/// The calendar month of the account's zone in which top-ups are counted.
pub fn top_up_month(zone: Tz, now: DateTime<Utc>) -> Window {
    cadence_window(Cadence::Monthly, Anchor::Calendar, now, zone, now)
}

fn is_low(account: &Account, wanted: &AutoTopUp, now: DateTime<Utc>) -> bool {
    let wallet = Wallet::of(&account.books, now);
    wallet.free.saturating_add(wallet.waiting) < wanted.below.get()
}

/// Those of the accounts that a request may change whose credits are not low, where that matters.
pub(super) fn watched(home: &Home, asks: &AccountId, now: DateTime<Utc>) -> Vec<AccountId> {
    let org = (home.id != *asks).then_some(&home.id);
    let ids = std::iter::once(asks).chain(org);
    let is_watched = |id: &&AccountId| {
        let account = home.accounts.get(*id);
        account.is_some_and(|account| {
            let wanted = account.terms.auto_top_up.as_deref();
            wanted.is_some_and(|wanted| wanted.is_on() && !is_low(account, wanted, now))
        })
    };
    ids.filter(is_watched).cloned().collect()
}

/// Says in an event of each of these accounts that its credits are low by now.
pub(super) fn tell_low(
    home: &mut Home,
    outcome: &Outcome,
    watched: Vec<AccountId>,
    now: DateTime<Utc>,
) {
    for id in watched {
        let Some(account) = home.accounts.get(&id) else {
            continue;
        };
        let wanted = account.terms.auto_top_up.as_deref();
        let Some(wanted) = wanted.filter(|wanted| is_low(account, wanted, now)) else {
            continue;
        };
        let kind = EventKind::CreditsLow {
            credits: Wallet::of(&account.books, now).free,
            below: wanted.below.get(),
        };
        announce_to(home, &id, &outcome.operation, kind);
    }
}

/// Has a pack bought from now on when the credits are low. Set again, it is switched on again.
pub(crate) fn set_top_up(desk: &mut Desk<'_>, asked: &SetTopUp) -> Result<Outcome, Rejection> {
    let pack = desk.context.catalog.packs.get(&asked.pack);
    let pack = pack.ok_or_else(|| PaymentMisfit::UnknownPack(asked.pack.clone()))?;
    if pack.price == 0 {
        return Err(PaymentMisfit::PackWithoutPrice(asked.pack.clone()).into());
    }
    let in_range = |field, value, most| {
        let fits = (1..=most).contains(&value);
        let least = 1;
        fits.then_some(())
            .ok_or(Rejection::OutOfRange { field, least, most })
    };
    let no_credits = || PaymentMisfit::PackWithoutCredits(asked.pack.clone());
    let credits = pack.credits.ok_or_else(no_credits)?;
    in_range("below", asked.below.get(), credits.get())?;
    let (most, all) = (asked.most_per_month, TOP_UPS_A_MONTH_MAX);
    in_range("most_per_month", most.into(), all.into())?;
    let set_at = desk.context.now;
    let account = desk.account_mut()?;
    let is_as_asked = |known: &AutoTopUp| {
        let is_same = known.pack == asked.pack && known.below == asked.below;
        is_same && known.most_per_month == most && known.is_on() && known.failures == 0
    };
    if account
        .terms
        .auto_top_up
        .as_deref()
        .is_some_and(is_as_asked)
    {
        return Ok(desk.unchanged());
    }
    account.terms.auto_top_up = Some(Box::new(AutoTopUp {
        pack: asked.pack.clone(),
        below: asked.below,
        most_per_month: most,
        set_at,
        failures: 0,
        failed_at: None,
        failure: None,
        off: None,
    }));
    let detail = format!("{} below {}", asked.pack, asked.below.get());
    Ok(desk.book_and_announce(Change::TopUpSet, Some(detail), Vec::new()))
}

/// Has nothing bought any more.
pub(crate) fn clear_top_up(desk: &mut Desk<'_>) -> Result<Outcome, Rejection> {
    if desk.account_mut()?.terms.auto_top_up.take().is_none() {
        return Ok(desk.unchanged());
    }
    Ok(desk.book_and_announce(Change::TopUpCleared, None, Vec::new()))
}

/// Books what a top-up came to. Failures in a row are counted, and the last of them switches it off; so does money that came back.
pub(crate) fn end_top_up(desk: &mut Desk<'_>, asked: &EndTopUp) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let account = desk.account_mut()?;
    let wanted = account.terms.auto_top_up.as_deref_mut();
    // What was begun before it was set last says nothing of how it is set now.
    let wanted = wanted.filter(|wanted| wanted.is_on() && wanted.set_at <= asked.opened_at);
    let pack = &asked.pack;
    let (change, detail) = match asked.end {
        TopUpEnd::Paid => {
            if let Some(wanted) = wanted {
                (wanted.failures, wanted.failed_at, wanted.failure) = (0, None, None);
            }
            (Change::TopUpPaid, pack.to_string())
        }
        TopUpEnd::Failed(why) => {
            let is_last = wanted.is_some_and(|wanted| count_failure(wanted, why, now));
            let change = if is_last {
                Change::TopUpSwitchedOff
            } else {
                Change::TopUpFailed
            };
            (change, format!("{pack}: {}", why.in_words()))
        }
        TopUpEnd::CameBack => {
            let Some(wanted) = wanted else {
                return Ok(desk.unchanged());
            };
            let why = TopUpOffReason::CameBack;
            wanted.off = Some(TopUpOff { at: now, why });
            let detail = format!("{pack}: money of a top-up came back");
            (Change::TopUpSwitchedOff, detail)
        }
    };
    Ok(desk.book_and_announce(change, Some(detail), Vec::new()))
}

/// Counts one more failure; whether it was the last.
fn count_failure(wanted: &mut AutoTopUp, failure: TopUpFailure, now: DateTime<Utc>) -> bool {
    wanted.failures = wanted.failures.saturating_add(1);
    (wanted.failed_at, wanted.failure) = (Some(now), Some(failure));
    let is_last = TOP_UP_FAILURES_MAX <= wanted.failures;
    if is_last {
        let why = TopUpOffReason::Failed;
        wanted.off = Some(TopUpOff { at: now, why });
    }
    is_last
}
