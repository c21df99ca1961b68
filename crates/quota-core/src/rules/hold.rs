//! Reserve, commit, release, extend, and the end of a hold's time (section 9).

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::booking::{
    Booking, Context, Drawing, Posting, book, next_id, operation, post, scope_account, signed,
    taken_back,
};
use super::decide::{Draw, Mode, Scope, draw};
use super::funding::Source;
use super::settle::settle;
use super::spend::{Outcome, count_credits, denied, take};
use super::standing::{scope_balances, standing_of};
use crate::amount::{AMOUNT_MAX, Amount};
use crate::answer::{Answer, Rejection};
use crate::balance::Bucket;
use crate::command::{Item, Request};
use crate::home::Home;
use crate::ids::{FeatureCode, TokenId};
use crate::operation::{Entry, Operation, OperationKind};
use crate::reservation::{Reservation, ReservationState, TTL_SECONDS_MAX};

const SCOPES: [Scope; 3] = [Scope::Token, Scope::User, Scope::Org];

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

fn reservation(home: &Home, request: &Request, id: Uuid) -> Result<Reservation, Rejection> {
    let found = home.reservations.get(&id);
    let found = found.filter(|found| found.account == request.account);
    found.cloned().ok_or(Rejection::UnknownReservation)
}

/// The first answer of an operation that is asked for again without a key.
fn again(home: &Home, id: Option<Uuid>) -> Option<Outcome> {
    let id = id?;
    let new = home.changes.operations.iter().find(|new| new.id == id);
    let loaded = || home.referred.get(&id).map(|referred| &referred.operation);
    let operation = new.or_else(loaded)?.clone();
    Some(Outcome {
        operation,
        is_booked: false,
    })
}

/// Settles a hold for what was really used; never fails for lack of quota (R2, R5).
pub(crate) fn commit(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    (id, actual): (Uuid, u64),
) -> Result<Outcome, Rejection> {
    if actual > AMOUNT_MAX {
        return Err(Rejection::OutOfRange {
            field: "actual",
            least: 0,
            most: AMOUNT_MAX,
        });
    }
    let held = reservation(home, request, id)?;
    let earlier = match held.state {
        ReservationState::Open => None,
        ReservationState::Committed => held.ended_by,
        ReservationState::Expired => held.late_commit,
        ReservationState::Released => {
            return Err(Rejection::ReservationEnded { state: held.state });
        }
    };
    if earlier.is_some() {
        let same = |outcome: &Outcome| outcome.operation.body_hash == request.body_hash;
        let ended = Rejection::ReservationEnded { state: held.state };
        return again(home, earlier).filter(same).ok_or(ended);
    }
    let is_late = held.state == ReservationState::Expired;
    let mut entries = Vec::new();
    let mut extra = actual;
    if !is_late {
        (entries, extra) = settle_hold(home, context, &held, actual)?;
    }
    if let Ok(amount) = Amount::new(extra) {
        entries.extend(take_more(home, context, &held, amount)?);
    }
    let mut ended = held.clone();
    let by = Some(next_id(home, request));
    if is_late {
        ended.late_commit = by;
    } else {
        ended.state = ReservationState::Committed;
        ended.ended_by = by;
    }
    let answer = Answer::Settled {
        state: ended.state,
        late: is_late,
        balances: standing_of(
            home,
            context,
            &held.account,
            held.token.as_ref(),
            &held.feature,
        ),
    };
    let outcome = book_end(
        home,
        context,
        request,
        (ended, entries, answer),
        OperationKind::Commit,
    );
    Ok(outcome)
}

/// Takes what was used beyond a hold, or after its end. A token that was forgotten since cannot be charged any more:
/// user and org are.
fn take_more(
    home: &mut Home,
    context: &Context<'_>,
    held: &Reservation,
    amount: Amount,
) -> Result<Vec<Entry>, Rejection> {
    let user = home.accounts.get(&held.account);
    let is_known =
        |token: &&TokenId| user.is_some_and(|user| user.terms.tokens.contains_key(*token));
    let token = held.token.as_ref().filter(is_known);
    let item = (&held.feature, amount);
    let question = context.question(home, &held.account, token, item, Mode::Force)?;
    let drawn = draw(&question).ok();
    let Some(drawn) = drawn else {
        return take_of_gone(home, context, (held, token.is_some()), amount);
    };
    let more = (&held.feature, &drawn);
    take(home, context, &held.account, more, Drawing::Spend)
}

/// Takes what was used of a feature that has left the catalog meanwhile: nothing covers it, and the work is done. It is
/// booked where the hold was, as far as that was an allowance.
fn take_of_gone(
    home: &mut Home,
    context: &Context<'_>,
    (held, has_token): (&Reservation, bool),
    amount: Amount,
) -> Result<Vec<Entry>, Rejection> {
    let user = home.accounts.get(&held.account);
    let terms = &user.ok_or(Rejection::UnknownAccount)?.terms;
    let (is_unlimited, is_member) = (terms.unlimited, terms.org.is_some());
    let mut entries = Vec::new();
    for scope in SCOPES {
        let is_charged = match scope {
            Scope::Token => has_token,
            Scope::User => true,
            Scope::Org => is_member,
        };
        let draws = held.draws.iter().filter(|draw| draw.scope == scope);
        let mut plain =
            draws.filter(|draw| !matches!(draw.source, Source::Credits | Source::Trial));
        let bucket = match (plain.next(), scope, &held.token) {
            (Some(draw), _, _) => draw.bucket.clone(),
            (None, Scope::Token, Some(token)) => Bucket::Token(token.clone()),
            (None, _, _) => Bucket::Standing(held.feature.clone()),
        };
        let source = if scope == Scope::User && is_unlimited {
            Source::Unlimited
        } else {
            Source::Overage
        };
        let draw = Draw {
            scope,
            bucket,
            source,
            amount: amount.get(),
            unit_cost: 1,
        };
        if is_charged {
            let id = scope_account(home, &held.account, scope).clone();
            let posting = Posting::drawn(&draw, &held.feature, Drawing::Spend);
            entries.push(post(home, context, &id, posting)?);
        }
    }
    Ok(entries)
}

fn book_end(
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
fn settle_hold(
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
