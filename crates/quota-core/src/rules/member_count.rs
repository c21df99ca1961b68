//! Counting of what a member limit limits beside the member's share of its org's window (O7): what other sources of the org paid,
//! and what the member holds. It stands among the member's shares, under a name of its own, and is the sum of entries of that
//! name. What others paid is counted whether or not a limit binds the member yet, what is held of the window only then.

use super::allowance::Allowance;
use super::desk::Desk;
use super::member_limit::{counting, is_bound};
use super::member_shares::{entry_of, window_of};
use super::opening::opened;
use super::posting::{Drawing, negated, signed};
use super::refunding::{Refunding, was_reset};
use super::settle::units;
use super::share::forget_counts;
use crate::balance::{Balance, Bucket};
use crate::draw::{Draw, Scope, Source};
use crate::ids::FeatureCode;
use crate::operation::Entry;
use crate::reservation::Reservation;

/// A change of what is counted.
#[derive(Debug, Clone, Copy)]
struct Change {
    used: i64,
    held: i64,
}

/// Counts what a member drew of its org. `own` is the org's allowance.
pub(super) fn count_drawn(
    desk: &mut Desk<'_>,
    code: &FeatureCode,
    (own, draws): (&Allowance, &[Draw]),
    drawing: Drawing,
) -> Option<Entry> {
    let by_others = by_others(desk, code, draws);
    let change = match drawing {
        Drawing::Spend => Change {
            used: signed(by_others),
            held: 0,
        },
        Drawing::Hold if is_limited(desk, code, own)? => Change {
            used: 0,
            held: signed(units(&of_org(draws))),
        },
        Drawing::Hold => Change {
            used: 0,
            held: signed(by_others),
        },
    };
    if change.used == 0 && change.held == 0 {
        return None;
    }
    let bucket = counted_in(desk, code, own)?;
    let id = desk.home.id.clone();
    let context = desk.context;
    let org = desk.home.account_mut(&id)?;
    if window_of(&org.books.balances, &bucket).is_none() {
        // Where only others pay: a reset of the window has to find it (X6).
        let opened = opened(org, &context, &own.bucket);
        org.books.balances.push(opened);
        desk.home.changes.accounts.insert(id);
    }
    count(desk, (code, &bucket), change)
}

/// Whether a limit binds the member that asks; none for who is no member.
fn is_limited(desk: &Desk<'_>, code: &FeatureCode, own: &Allowance) -> Option<bool> {
    let feature = desk.context.catalog.features.get(code)?;
    let (user, org) = (desk.account().ok()?, desk.home.accounts.get(&desk.home.id)?);
    user.terms.org.as_ref()?;
    let terms = (&user.terms, &org.terms);
    Some(is_bound(terms, own, feature, desk.context.now))
}

/// The name under which the member that asks is counted now: only where limits may count, while the org's subscription is in
/// force.
fn counted_in(desk: &Desk<'_>, code: &FeatureCode, own: &Allowance) -> Option<Bucket> {
    desk.account().ok()?.terms.org.as_ref()?;
    if !own.in_force() {
        return None;
    }
    let org = desk.home.accounts.get(&desk.home.id)?;
    let window = org.books.balance(&org.books.resolved(&own.bucket));
    let first = window.map_or(&own.bucket, Balance::first_bucket);
    Some(counting(code, first))
}

/// What of a hold is settled: nothing of it is held any more, and what others than the window paid of it is used.
pub(super) fn count_settled(
    desk: &mut Desk<'_>,
    held: &Reservation,
    spent: &[Draw],
) -> Option<Entry> {
    let mark = held.counted()?.clone();
    let change = Change {
        used: signed(by_others(desk, &held.feature, spent)),
        held: negated(mark.amount),
    };
    count(desk, (&held.feature, &mark.bucket), change)
}

/// What of a refund's draws was counted is counted no more.
pub(super) fn count_back(
    desk: &mut Desk<'_>,
    refunding: &Refunding,
    code: &FeatureCode,
    back: &[Draw],
) -> Option<Entry> {
    let mut entries = refunding.referred.operation.entries.iter();
    let counted = |entry: &&Entry| {
        entry.bucket.is_member()
            && entry.bucket.feature() == Some(code)
            && entry.account == desk.request.account
    };
    let bucket = entries.find(counted)?.bucket.clone();
    let org = desk.home.accounts.get(&desk.home.id)?;
    let window = window_of(&org.books.balances, &bucket);
    let is_gone = window.is_some_and(|window| was_reset(org, window, refunding));
    let back = by_others(desk, code, back);
    // Of who left it is remembered as it was then.
    if back == 0 || is_gone || desk.account().is_err() {
        return None;
    }
    let change = Change {
        used: negated(back),
        held: 0,
    };
    count(desk, (code, &bucket), change)
}

fn of_org(draws: &[Draw]) -> Vec<Draw> {
    let of_org = |draw: &&Draw| draw.scope == Scope::Org && !draw.bucket.is_member();
    draws.iter().filter(of_org).cloned().collect()
}

/// Units that others than the org's window paid among draws. Of a capacity each of them counts what it is occupied by itself.
fn by_others(desk: &Desk<'_>, code: &FeatureCode, draws: &[Draw]) -> u64 {
    let is_others = |draw: &Draw| match draw.source {
        Source::Allowance | Source::Unlimited | Source::Overage => false,
        Source::Room | Source::Boost | Source::Credits | Source::Trial | Source::OnDemand => {
            draw.scope == Scope::Org
        }
    };
    // Nearly always the window pays all.
    if !draws.iter().any(is_others) || !desk.context.is_consumable(code) {
        return 0;
    }
    let mut others = of_org(draws);
    others.retain(is_others);
    units(&others)
}

/// Changes what is counted under this name, not below 0; what was used before the org's window was reset is not (X6).
fn count(
    desk: &mut Desk<'_>,
    (code, bucket): (&FeatureCode, &Bucket),
    change: Change,
) -> Option<Entry> {
    let org = desk.home.accounts.get(&desk.home.id)?;
    let reset_sequence = window_of(&org.books.balances, bucket).map(|window| window.reset_sequence);
    let id = desk.request.account.clone();
    let shares = &mut desk.home.account_mut(&id)?.books.shares;
    let known = shares.get(bucket).copied().unwrap_or_default();
    let mut next = known;
    next.reset_sequence = reset_sequence.unwrap_or(known.reset_sequence);
    if next.reset_sequence != known.reset_sequence {
        next.units = 0;
    }
    next.units = next.units.saturating_add_signed(change.used);
    next.held = next.held.saturating_add_signed(change.held);
    if next.units == 0 && next.held == 0 {
        shares.remove(bucket);
    } else {
        shares.insert(bucket.clone(), next);
        forget_counts(shares, code);
    }
    desk.home.changes.accounts.insert(id.clone());
    let by = |next, known| signed(next).saturating_sub(signed(known));
    let (used, held) = (by(next.units, known.units), by(next.held, known.held));
    (used != 0 || held != 0).then(|| entry_of(&id, bucket, (used, held)))
}
