//! A change of the account's time zone: the days, weeks, months and years of the calendar go on in the new zone, each with what was
//! used in it (W3, W4).

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::closed::closed_of;
use super::desk::Desk;
use super::moves::{correct_ends, move_bucket, move_usage_where};
use super::reopening::reopen;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Cadence, Feature, Per};
use crate::operation::Entry;
use crate::terms::Terms;
use crate::window::{Window, cadence_window, day_start};

/// By how much the dates of two zones differ at most: 26 hours, and a change of the clocks.
const ZONES_DIFFER_MAX: TimeDelta = TimeDelta::hours(28);

/// A window of the calendar, and what it is in the new zone.
struct Move<'a> {
    feature: &'a Feature,
    old: Bucket,
    new: Bucket,
    window: Window,
}

/// Gives an account terms with another zone. A window of dates is the same one in every zone: what was used in it counts in it, also
/// in one that was over in the old zone and runs in the new one, and in one that is yet to begin there. Hours are no dates: what
/// was used in the hour that runs counts on in it.
pub(super) fn move_to_zone(desk: &mut Desk<'_>, terms: Terms) -> Result<Vec<Entry>, Rejection> {
    let moves = moves(desk, terms.time_zone)?;
    for one in &moves {
        reopen(desk, &one.old)?;
        reopen(desk, &one.new)?;
    }
    let mut entries = move_usage_where(desk, terms, |_, per, _| !has_dates(per))?;
    for one in &moves {
        entries.extend(carry_over(desk, one)?);
    }
    correct_ends(desk)?;
    Ok(entries)
}

fn has_dates(per: Per) -> bool {
    let of_dates = match per.cadence {
        Cadence::Daily | Cadence::Weekly | Cadence::Monthly | Cadence::Yearly => true,
        Cadence::Hourly | Cadence::Subscription | Cadence::Span(_) => false,
    };
    of_dates && per.is_calendar()
}

/// The windows of dates that may run, or be yet to begin, in another zone: those that ended in none before it could be known in
/// all. So what is left in the books of another zone is over in every zone.
fn moves<'a>(desk: &Desk<'a>, zone: Tz) -> Result<Vec<Move<'a>>, Rejection> {
    let (account, context) = (desk.account()?, &desk.context);
    let over_at = context.now.checked_sub_signed(ZONES_DIFFER_MAX);
    let held = account.terms.subscription.as_ref();
    let run = held.map(|held| held.current(context.catalog, context.now).run());
    let used = closed_of(desk).filter(|closed| closed.spent() != 0);
    let all = account.books.balances.iter().chain(used);
    let recent = all.filter(|balance| {
        let is_over = balance
            .ends_at
            .is_some_and(|end| over_at.is_some_and(|at| end <= at));
        balance.moved_to.is_none() && !is_over
    });
    let mut moves: Vec<Move<'a>> = Vec::new();
    for balance in recent {
        let Some((feature, per)) = of_dates(desk, &balance.bucket) else {
            continue;
        };
        let zones = (account.terms.time_zone, zone);
        let Some(mut window) = same_dates(per, balance.starts_at, zones) else {
            continue;
        };
        if let (Some(run), false) = (run, matches!(balance.bucket, Bucket::Tracked(..))) {
            // Before a gap it was another one (W4).
            if balance.starts_at < run.starts_at {
                continue;
            }
            let runs = cadence_window(per.cadence, per.anchor, context.now, zone, context.now);
            if runs.cut(run.starts_at, run.next).starts_at == balance.starts_at {
                // It is of an earlier date there, and cut at the same moment: it counts now, and goes on.
                continue;
            }
            window = window.cut(run.starts_at, run.next);
        }
        let is_empty = window.ends_at.is_some_and(|end| end <= window.starts_at);
        let (old, new) = (balance.bucket.clone(), balance.bucket.clone());
        let new = new.beginning_at(window.starts_at);
        if !is_empty && old != new && !moves.iter().any(|known| known.old == old) {
            moves.push(Move {
                feature,
                old,
                new,
                window,
            });
        }
    }
    Ok(moves)
}

/// The feature of a window of dates, and what it is counted by.
fn of_dates<'a>(desk: &Desk<'a>, bucket: &Bucket) -> Option<(&'a Feature, Per)> {
    let catalog = desk.context.catalog;
    let feature = |code| catalog.features.get(code);
    let found = match bucket {
        Bucket::Window(code, _) | Bucket::Tracked(code, _) => {
            feature(code).map(|feature| (feature, Per::of(feature)))
        }
        Bucket::Further(code, per, _) => feature(code).map(|feature| (feature, *per)),
        Bucket::Standing(_)
        | Bucket::Trial(_)
        | Bucket::Grant(_)
        | Bucket::Boost(..)
        | Bucket::Room(_)
        | Bucket::OnDemand(..)
        | Bucket::Member(..)
        | Bucket::Token(_)
        | Bucket::TokenWindow(..) => None,
    };
    found.filter(|(_, per)| has_dates(*per))
}

/// The window of the dates in the new zone that held `at` in the old one; none where the new zone has a window of just that span,
/// under whichever date.
fn same_dates(per: Per, at: DateTime<Utc>, (old, new): (Tz, Tz)) -> Option<Window> {
    let natural = |zone, at| cadence_window(per.cadence, per.anchor, at, zone, at);
    let window = natural(old, at);
    if natural(new, window.starts_at) == window {
        return None;
    }
    let first = window.starts_at.with_timezone(&old).date_naive();
    Some(natural(new, day_start(new, first)))
}

/// Moves what was used in a window to what it is in the new zone.
fn carry_over(desk: &mut Desk<'_>, one: &Move<'_>) -> Result<Vec<Entry>, Rejection> {
    let account = desk.account_mut()?;
    let Some(old) = account.books.balance(&one.old) else {
        return Ok(Vec::new());
    };
    if account.books.resolved(&one.old) == one.new {
        return Ok(Vec::new());
    }
    let entered = Balance {
        ends_at: one.window.ends_at,
        rolled_over: old.rolled_over,
        ..Balance::new(one.new.clone(), old.granted, one.window.starts_at)
    };
    if account.books.balance(&one.new).is_none() {
        account.books.balances.push(entered);
    }
    let entries = move_bucket(desk, one.feature, &one.old, &one.new)?;
    let is_to_come = desk.context.now < one.window.starts_at;
    if let Some(entered) = desk.account_mut()?.books.balance_mut(&one.new)
        && is_to_come
    {
        // The one before it runs again: what was left of that may be used yet, and would be there twice.
        entered.rolled_over = 0;
    }
    Ok(entries)
}
