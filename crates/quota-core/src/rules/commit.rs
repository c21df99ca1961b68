//! Commit: a hold is settled for what was really used, and what was used beyond it is taken (R2, R5).

use uuid::Uuid;

use super::context::Use;
use super::decide::{Mode, draw};
use super::desk::Desk;
use super::ending::ending;
use super::hold::{again, book_end, reservation, settle_hold};
use super::outcome::Outcome;
use super::posting::{Drawing, Posting, post, scope_account};
use super::refunding::is_since_arrival;
use super::scope_balances::standing_of;
use super::spend::take;
use crate::amount::{AMOUNT_MAX, Amount};
use crate::answer::{Answer, Rejection};
use crate::balance::Bucket;
use crate::command::Commit;
use crate::draw::{Draw, Scope, Source};
use crate::home::Account;
use crate::ids::TokenId;
use crate::operation::{Entry, sequence_of};
use crate::reservation::{Reservation, ReservationState};

/// Settles a hold for what was really used; never fails for lack of quota.
pub(crate) fn commit(desk: &mut Desk<'_>, asked: &Commit) -> Result<Outcome, Rejection> {
    if asked.actual > AMOUNT_MAX {
        return Err(Rejection::OutOfRange {
            field: "actual",
            least: 0,
            most: AMOUNT_MAX,
        });
    }
    let held = reservation(desk, asked.reservation)?;
    let earlier = match held.state {
        ReservationState::Open => None,
        ReservationState::Committed => held.ended_by,
        ReservationState::Expired => held.late_commit,
        ReservationState::Released => {
            let ending = ending(desk.home, &held);
            return Err(Rejection::ReservationEnded { ending });
        }
    };
    if earlier.is_some() {
        let hash = desk.request.body_hash;
        let same = |outcome: &Outcome| outcome.operation.body_hash == hash;
        let ended = Rejection::ReservationEnded {
            ending: ending(desk.home, &held),
        };
        return again(desk.home, earlier).filter(same).ok_or(ended);
    }
    let is_late = held.state == ReservationState::Expired;
    let account = desk.account();
    if is_late && account.is_ok_and(|account| may_be_settled(account, held.id)) {
        // In another home, before the account came back to this one.
        let ending = ending(desk.home, &held);
        return Err(Rejection::ReservationEnded { ending });
    }
    let mut entries = Vec::new();
    let mut extra = asked.actual;
    if !is_late {
        (entries, extra) = settle_hold(desk, &held, asked.actual)?;
    }
    if let Ok(amount) = Amount::new(extra) {
        entries.extend(take_more(desk, &held, amount)?);
    }
    let by = Some(desk.next_id());
    let answer = Answer::Settled {
        state: if is_late {
            held.state
        } else {
            ReservationState::Committed
        },
        late: is_late,
        balances: standing_of(desk, held.token.as_ref(), &held.feature),
        elsewhere: None,
    };
    let mut ended = held;
    if is_late {
        ended.late_commit = by;
    } else {
        ended.state = ReservationState::Committed;
        ended.ended_by = by;
    }
    Ok(book_end(desk, ended, entries, answer))
}

/// Whether a hold of this home was committed late where its account lived meanwhile, or so much was settled there that this
/// may have been forgotten. What was held since the account came back was not.
fn may_be_settled(account: &Account, held: Uuid) -> bool {
    let is_from_before = !is_since_arrival(account, sequence_of(held));
    let is_forgotten = is_from_before && account.books.has_forgotten(held);
    is_forgotten || account.books.refunded.contains_key(&held)
}

/// Takes what was used beyond a hold, or after its end. A token that was forgotten since cannot be charged any more:
/// user and org are.
fn take_more(
    desk: &mut Desk<'_>,
    held: &Reservation,
    amount: Amount,
) -> Result<Vec<Entry>, Rejection> {
    let user = desk.account().ok();
    let is_known =
        |token: &&TokenId| user.is_some_and(|user| user.terms.tokens.contains_key(*token));
    let token = held.token.as_ref().filter(is_known);
    let wanted = Use {
        user: &held.account,
        token,
        feature: &held.feature,
        amount,
    };
    let question = desk.context.question(desk.home, wanted, Mode::Force)?;
    if let Ok(drawn) = draw(&question) {
        return take(desk, &held.feature, &drawn, Drawing::Spend);
    }
    let is_member = desk.account()?.terms.org.is_some();
    let charged = [
        token.map(|_| Scope::Token),
        Some(Scope::User),
        is_member.then_some(Scope::Org),
    ];
    take_of_gone(desk, held, &charged, amount)
}

/// Takes what was used of a feature that has left the catalog meanwhile: nothing covers it, and the work is done. It is
/// booked where the hold was, as far as that was an allowance.
pub(super) fn take_of_gone(
    desk: &mut Desk<'_>,
    held: &Reservation,
    charged: &[Option<Scope>],
    amount: Amount,
) -> Result<Vec<Entry>, Rejection> {
    let is_unlimited = desk.account().is_ok_and(|user| user.terms.unlimited);
    let mut entries = Vec::new();
    for scope in charged.iter().copied().flatten() {
        let source = if scope == Scope::User && is_unlimited {
            Source::Unlimited
        } else {
            Source::Overage
        };
        let draw = Draw {
            scope,
            bucket: plain_bucket(held, scope),
            further: Vec::new(),
            source,
            amount: amount.get(),
            unit_cost: 1,
        };
        let id = scope_account(desk.home, &held.account, scope).clone();
        let posting = Posting::drawn(&draw, &held.feature, Drawing::Spend);
        entries.push(post(desk, &id, posting)?);
    }
    Ok(entries)
}

/// Where a hold lies at a scope, as far as that is an allowance or a cap.
fn plain_bucket(held: &Reservation, scope: Scope) -> Bucket {
    let is_plain = |draw: &&Draw| {
        let is_plain = match draw.source {
            Source::Allowance | Source::Unlimited | Source::Overage => true,
            Source::Room | Source::Boost | Source::Credits | Source::Trial | Source::OnDemand => {
                false
            }
        };
        draw.scope == scope && is_plain && !draw.bucket.is_member()
    };
    match (held.draws.iter().find(is_plain), &held.token) {
        (Some(draw), _) => draw.bucket.clone(),
        (None, Some(token)) if scope == Scope::Token => Bucket::Token(token.clone()),
        (None, _) => Bucket::Standing(held.feature.clone()),
    }
}
