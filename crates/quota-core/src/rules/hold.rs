//! What reserve, commit, release, extend and the end of a hold's time share (section 9).

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::context::Context;
use super::desk::Desk;
use super::ending::loaded;
use super::member_count::count_settled;
use super::numbering::number;
use super::outcome::Outcome;
use super::posting::{Posting, negated, post, scope_account, signed};
use super::room::buy_room;
use super::settle::settle;
use super::spend::count_credits;
use crate::answer::{Answer, Rejection};
use crate::draw::{Draw, Scope, Source};
use crate::home::Home;
use crate::ids::FeatureCode;
use crate::operation::Entry;
use crate::reservation::{Reservation, TTL_SECONDS_MAX};

/// The instant that is `ttl_seconds` from now.
pub(super) fn deadline(
    context: &Context<'_>,
    ttl_seconds: u32,
) -> Result<DateTime<Utc>, Rejection> {
    let out_of_range = Rejection::OutOfRange {
        field: "ttl_seconds",
        least: 1,
        most: u64::from(TTL_SECONDS_MAX),
    };
    if !(1..=TTL_SECONDS_MAX).contains(&ttl_seconds) {
        return Err(out_of_range);
    }
    let ttl = TimeDelta::seconds(i64::from(ttl_seconds));
    context.now.checked_add_signed(ttl).ok_or(out_of_range)
}

/// No open hold of the home ends before `expires_at`, unless one did so before.
pub(super) fn note_deadline(home: &mut Home, expires_at: DateTime<Utc>) {
    let before = home.hold_before.unwrap_or(expires_at);
    home.hold_before = Some(before.min(expires_at));
}

/// The hold that a request names.
pub(super) fn reservation(desk: &Desk<'_>, id: Uuid) -> Result<Reservation, Rejection> {
    let found = desk.home.reservations.get(&id);
    let found = found.filter(|found| found.account == desk.request.account);
    found.cloned().ok_or(Rejection::UnknownReservation)
}

/// The first answer of an operation that is asked for again without a key.
pub(super) fn again(home: &Home, id: Option<Uuid>) -> Option<Outcome> {
    Some(Outcome {
        operation: loaded(home, id)?.clone().into(),
        is_booked: false,
    })
}

/// Books what became of a hold.
pub(super) fn book_end(
    desk: &mut Desk<'_>,
    ended: Reservation,
    entries: Vec<Entry>,
    answer: Answer,
) -> Outcome {
    let id = ended.id;
    desk.home.reservations.insert(id, ended);
    desk.home.changes.reservations.insert(id);
    let mut booking = desk.booking(answer);
    (booking.refers_to, booking.entries) = (Some(id), entries);
    desk.book(booking)
}

/// Spends what was used of a hold and gives the rest back; says how much was used beyond it.
pub(super) fn settle_hold(
    desk: &mut Desk<'_>,
    held: &Reservation,
    actual: u64,
) -> Result<(Vec<Entry>, u64), Rejection> {
    let mut entries = Vec::with_capacity(held.draws.len());
    for scope in Scope::ALL {
        let of_scope: Vec<&Draw> = held
            .draws
            .iter()
            .filter(|draw| draw.scope == scope && !draw.bucket.is_member())
            .collect();
        let settlement = settle(of_scope.iter().copied(), actual);
        for draw in of_scope {
            let spent = settlement
                .spent
                .iter()
                .find(|part| part.bucket == draw.bucket && part.source == draw.source);
            let posting = settled(draw, spent.map_or(0, |part| part.amount), &held.feature);
            let id = scope_account(desk.home, &held.account, scope).clone();
            let changes = posting.used != 0 || posting.held != 0 || posting.overage != 0;
            let further: Vec<Posting> = draw
                .further
                .iter()
                .map(|bucket| posting.further(bucket))
                .collect();
            entries.push(post(desk, &id, posting)?);
            // A window that is over is not opened again for nothing.
            for posting in further.into_iter().filter(|_| changes) {
                entries.push(post(desk, &id, posting)?);
            }
        }
        let feature = &held.feature;
        count_credits(desk, feature, &settlement.spent, signed)?;
        entries.extend(buy_room(desk, feature, &settlement.spent)?);
        if scope == Scope::Org {
            entries.extend(count_settled(desk, held, &settlement.spent));
        }
    }
    if desk.context.capacity(&held.feature).is_some() {
        number(desk, &held.feature, &mut entries)?;
    }
    Ok((entries, actual.saturating_sub(held.amount)))
}

/// The end of one draw's hold: `spent` of it is used, all of it is held no more.
pub(super) fn settled(draw: &Draw, spent: u64, feature: &FeatureCode) -> Posting {
    let mut posting = Posting::of(draw, feature);
    if draw.source == Source::Overage {
        posting.overage = signed(spent);
    } else {
        posting.used = signed(spent);
        posting.held = negated(draw.amount);
    }
    posting
}
