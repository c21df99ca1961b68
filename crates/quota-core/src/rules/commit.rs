//! Commit: a hold is settled for what was really used, and what was used beyond it is taken (R2, R5).

use uuid::Uuid;

use super::booking::{Drawing, Posting, next_id, post, scope_account};
use super::decide::{Mode, draw};
use super::hold::{SCOPES, again, book_end, reservation, settle_hold};
use super::spend::take;
use super::standing::standing_of;
use crate::amount::{AMOUNT_MAX, Amount};
use crate::answer::{Answer, Rejection};
use crate::balance::Bucket;
use crate::command::Request;
use crate::draw::{Draw, Scope, Source};
use crate::home::Home;
use crate::ids::TokenId;
use crate::operation::{Entry, OperationKind};
use crate::reservation::{Reservation, ReservationState};
use crate::rules::context::Context;
use crate::rules::outcome::Outcome;

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
