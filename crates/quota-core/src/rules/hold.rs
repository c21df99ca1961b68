//! Reserve, commit, release, extend, and the end of a hold's time (section 9).

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::booking::{
    Booking, Drawing, Posting, book, next_id, operation, post, scope_account, signed, taken_back,
};
use super::decide::{Mode, draw};
use super::settle::settle;
use super::spend::{count_credits, denied, take};
use super::standing::{scope_balances, standing_of};
use crate::answer::{Answer, Rejection};
use crate::command::Request;
use crate::draw::{Draw, Scope, Source};
use crate::home::Home;
use crate::ids::{FeatureCode, TokenId};
use crate::item::Item;
use crate::operation::{Entry, Operation, OperationKind};
use crate::reservation::{Reservation, ReservationState, TTL_SECONDS_MAX};
use crate::rules::context::Context;
use crate::rules::outcome::Outcome;

pub(super) const SCOPES: [Scope; 3] = [Scope::Token, Scope::User, Scope::Org];

fn deadline(context: &Context<'_>, ttl_seconds: u32) -> Result<DateTime<Utc>, Rejection> {
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

/// Decides like consume, and holds at every scope instead of spending (R1).
pub(crate) fn reserve(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    token: Option<&TokenId>,
    item: &Item,
    ttl_seconds: u32,
) -> Result<Outcome, Rejection> {
    let expires_at = deadline(context, ttl_seconds)?;
    let user = &request.account;
    let question = context.question(home, user, token, (&item.feature, item.amount), Mode::Ask)?;
    let drawn = match draw(&question) {
        Ok(drawn) => drawn,
        Err(denial) => return Ok(denied(home, context, request, token, item, denial)),
    };
    let entries = take(home, context, user, (&item.feature, &drawn), Drawing::Hold)?;
    let balances = scope_balances(home, context, user, token, &item.feature, &drawn);
    let id = next_id(home, request);
    let reservation = Reservation {
        id,
        account: user.clone(),
        token: token.cloned(),
        feature: item.feature.clone(),
        amount: item.amount.get(),
        draws: drawn.draws,
        expires_at,
        state: ReservationState::Open,
        ended_by: None,
        late_commit: None,
    };
    home.reservations.insert(reservation.id, reservation);
    home.changes.reservations.insert(id);
    let before = home.hold_before.unwrap_or(expires_at);
    home.hold_before = Some(before.min(expires_at));
    let booking = Booking {
        kind: OperationKind::Reserve,
        refers_to: None,
        entries,
        answer: Answer::Reserved {
            expires_at,
            balances,
        },
    };
    Ok(booked(book(home, context, request, booking)))
}

fn booked(operation: Operation) -> Outcome {
    Outcome {
        operation,
        is_booked: true,
    }
}

pub(super) fn reservation(
    home: &Home,
    request: &Request,
    id: Uuid,
) -> Result<Reservation, Rejection> {
    let found = home.reservations.get(&id);
    let found = found.filter(|found| found.account == request.account);
    found.cloned().ok_or(Rejection::UnknownReservation)
}

/// The first answer of an operation that is asked for again without a key.
pub(super) fn again(home: &Home, id: Option<Uuid>) -> Option<Outcome> {
    let id = id?;
    let new = home.changes.operations.iter().find(|new| new.id == id);
    let loaded = || home.referred.get(&id).map(|referred| &referred.operation);
    let operation = new.or_else(loaded)?.clone();
    Some(Outcome {
        operation,
        is_booked: false,
    })
}

pub(super) fn book_end(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    (ended, entries, answer): (Reservation, Vec<Entry>, Answer),
    kind: OperationKind,
) -> Outcome {
    let id = ended.id;
    home.reservations.insert(id, ended);
    home.changes.reservations.insert(id);
    let booking = Booking {
        kind,
        refers_to: Some(id),
        entries,
        answer,
    };
    booked(book(home, context, request, booking))
}

/// Spends what was used of a hold and gives the rest back; says how much was used beyond it.
pub(super) fn settle_hold(
    home: &mut Home,
    context: &Context<'_>,
    held: &Reservation,
    actual: u64,
) -> Result<(Vec<Entry>, u64), Rejection> {
    let mut entries = Vec::with_capacity(held.draws.len());
    for scope in SCOPES {
        let of_scope: Vec<&Draw> = held
            .draws
            .iter()
            .filter(|draw| draw.scope == scope)
            .collect();
        let settlement = settle(of_scope.iter().copied(), actual);
        for draw in of_scope {
            let spent = settlement
                .spent
                .iter()
                .find(|part| part.bucket == draw.bucket && part.source == draw.source);
            let posting = settled(draw, spent.map_or(0, |part| part.amount), &held.feature);
            let id = scope_account(home, &held.account, scope).clone();
            entries.push(post(home, context, &id, posting)?);
        }
        let feature = &held.feature;
        count_credits(home, &held.account, feature, &settlement.spent, signed)?;
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
        posting.held = taken_back(draw.amount);
    }
    posting
}

/// Gives everything back (R3). Asked again, or after the deadline, the first answer stands.
pub(crate) fn release(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    id: Uuid,
) -> Result<Outcome, Rejection> {
    let held = reservation(home, request, id)?;
    match held.state {
        ReservationState::Open => {}
        ReservationState::Released | ReservationState::Expired => {
            let answer = Answer::Settled {
                state: held.state,
                late: false,
                balances: Vec::new(),
            };
            let booking = Booking {
                kind: OperationKind::Release,
                refers_to: Some(id),
                entries: Vec::new(),
                answer,
            };
            let pruned = Outcome {
                operation: operation(home, context, request, booking),
                is_booked: false,
            };
            return Ok(again(home, held.ended_by).unwrap_or(pruned));
        }
        ReservationState::Committed => {
            return Err(Rejection::ReservationEnded { state: held.state });
        }
    }
    let (entries, _) = settle_hold(home, context, &held, 0)?;
    let ended = Reservation {
        state: ReservationState::Released,
        ended_by: Some(next_id(home, request)),
        ..held.clone()
    };
    let answer = Answer::Settled {
        state: ended.state,
        late: false,
        balances: standing_of(
            home,
            context,
            &held.account,
            held.token.as_ref(),
            &held.feature,
        ),
    };
    let end = (ended, entries, answer);
    Ok(book_end(
        home,
        context,
        request,
        end,
        OperationKind::Release,
    ))
}

/// Moves the deadline to `ttl_seconds` from now (R3).
pub(crate) fn extend(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    (id, ttl_seconds): (Uuid, u32),
) -> Result<Outcome, Rejection> {
    let expires_at = deadline(context, ttl_seconds)?;
    let held = reservation(home, request, id)?;
    if !held.is_live(context.now) {
        return Err(Rejection::ReservationEnded { state: held.state });
    }
    let before = home.hold_before.unwrap_or(expires_at);
    home.hold_before = Some(before.min(expires_at));
    let balances = standing_of(
        home,
        context,
        &held.account,
        held.token.as_ref(),
        &held.feature,
    );
    let moved = Reservation { expires_at, ..held };
    let answer = Answer::Reserved {
        expires_at,
        balances,
    };
    let change = (moved, Vec::new(), answer);
    Ok(book_end(
        home,
        context,
        request,
        change,
        OperationKind::Extend,
    ))
}
