//! What happened before a user moved, refunded or settled late: the user's part where it lives now, the org's part at the org
//! that was charged (X3).

use chrono::{DateTime, Utc};

use super::commit::take_of_gone;
use super::context::Context;
use super::decide::{Drawn, Mode, Question, draw};
use super::desk::Desk;
use super::ending::ending;
use super::expire_holds::{expire_due, expiry_id};
use super::hold::again;
use super::outcome::Outcome;
use super::posting::Drawing;
use super::refund::Refunding;
use super::scope_balances::standing_of;
use super::share;
use super::spend::take;
use crate::amount::{AMOUNT_MAX, Amount};
use crate::answer::{Answer, Rejection};
use crate::catalog::Kind;
use crate::command::{Command, Commit, Refund, Request};
use crate::draw::{Draw, Scope, Source};
use crate::home::{Account, Home};
use crate::ids::{AccountId, FeatureCode, TokenId};
use crate::operation::Entry;
use crate::reservation::{Reservation, ReservationState};

/// Where the account lives now, and the home that it left.
#[derive(Debug)]
pub struct Homes<'a> {
    /// The home in which the account and its books are now.
    pub present: &'a mut Home,
    /// Where it lived when that happened which the request refers to.
    pub former: &'a mut Home,
}

/// Whether something that a command refers to may lie in a home that its account left.
pub fn may_refer_to_former(command: &Command) -> bool {
    matches!(command, Command::Refund(_) | Command::Commit(_))
}

/// Carries out a refund or a late commit of what happened in a former home. What is booked in either home is in its
/// `changes`: in the present one always, with the key; in the former one what its org is charged or gets back.
///
/// # Errors
/// [`Rejection`] when there is nothing that it could refer to, or it cannot be carried out; neither home is to be written.
pub fn settle_former(
    homes: Homes<'_>,
    request: &Request,
    context: &Context<'_>,
) -> Result<Outcome, Rejection> {
    let Homes { present, former } = homes;
    expire_due(present, context);
    expire_due(former, context);
    let account = present.accounts.get(&request.account);
    let account = account.ok_or(Rejection::UnknownAccount)?.as_ref().clone();
    // Where the operation lay: its key stays with the present home.
    let aside = Request {
        id: expiry_id(request.id),
        key: None,
        ..request.clone()
    };
    let mut now = Desk {
        home: present,
        context: *context,
        request,
    };
    let mut then = Desk {
        home: former,
        context: *context,
        request: &aside,
    };
    if let Command::Refund(asked) = &request.command {
        return refund((&mut now, &mut then), &account, asked);
    }
    if let Command::Commit(asked) = &request.command {
        return commit((&mut now, &mut then), &account, asked);
    }
    Err(Rejection::UnknownOperation)
}

fn refund(
    (now, then): (&mut Desk<'_>, &mut Desk<'_>),
    account: &Account,
    asked: &Refund,
) -> Result<Outcome, Rejection> {
    let id = asked.operation;
    let refunding = Refunding::of((then.home, &account.books), &now.request.account, asked)?;
    if refunding.drew_at(Scope::Org) {
        let entries = refunding.give_back(then, &[Scope::Org])?;
        let mut booking = then.booking(Answer::Refunded {
            items: Vec::new(),
            balances: Vec::new(),
        });
        (booking.refers_to, booking.entries) = (Some(id), entries);
        then.book(booking);
    }
    let entries = refunding.give_back(now, &[Scope::Token, Scope::User])?;
    let items = refunding.items;
    let sums = now.account_mut()?.books.settled(id);
    for item in &items {
        let sum = sums.entry(item.feature.clone()).or_insert(0);
        *sum = sum.saturating_add(item.amount.get());
    }
    let user = now.request.account.clone();
    now.home.changes.accounts.insert(user);
    let balances = items
        .iter()
        .flat_map(|item| standing_of(now, None, &item.feature))
        .collect();
    let mut booking = now.booking(Answer::Refunded { items, balances });
    (booking.refers_to, booking.entries) = (Some(id), entries);
    Ok(now.book(booking))
}

fn commit(
    (now, then): (&mut Desk<'_>, &mut Desk<'_>),
    account: &Account,
    asked: &Commit,
) -> Result<Outcome, Rejection> {
    if asked.actual > AMOUNT_MAX {
        return Err(Rejection::OutOfRange {
            field: "actual",
            least: 0,
            most: AMOUNT_MAX,
        });
    }
    let held = then.home.reservations.get(&asked.reservation);
    let held = held.filter(|held| held.account == now.request.account);
    let held = held.cloned().ok_or(Rejection::UnknownReservation)?;
    let ended = Rejection::ReservationEnded {
        ending: ending(then.home, &held),
    };
    let earlier = match held.state {
        ReservationState::Expired if held.late_commit.is_none() => None,
        ReservationState::Expired => held.late_commit,
        ReservationState::Committed => held.ended_by,
        ReservationState::Open | ReservationState::Released => return Err(ended),
    };
    if earlier.is_some() {
        let same = |outcome: &Outcome| outcome.operation.body_hash == now.request.body_hash;
        return again(then.home, earlier).filter(same).ok_or(ended);
    }
    if account.books.refunded.contains_key(&held.id) || account.books.has_forgotten(held.id) {
        return Err(ended);
    }
    let (entries, of_org) = match Amount::new(asked.actual) {
        Ok(amount) => take_late((now, then), account, &held, amount)?,
        Err(_) => (Vec::new(), Vec::new()),
    };
    let late = |balances| Answer::Settled {
        state: held.state,
        late: true,
        balances,
    };
    if is_of_org(&held) {
        let by = then.next_id();
        end(then, &held, by);
        let mut booking = then.booking(late(Vec::new()));
        (booking.refers_to, booking.entries) = (Some(held.id), of_org);
        then.book(booking);
    }
    // Its row lies in several homes by now: the mark goes along with the account.
    now.account_mut()?.books.settled(held.id);
    let user = now.request.account.clone();
    now.home.changes.accounts.insert(user);
    let by = now.next_id();
    end(now, &held, by);
    let balances = standing_of(now, held.token.as_ref(), &held.feature);
    let mut booking = now.booking(late(balances));
    (booking.refers_to, booking.entries) = (Some(held.id), entries);
    Ok(now.book(booking))
}

fn is_capacity(desk: &Desk<'_>, code: &FeatureCode) -> bool {
    let feature = desk.context.catalog.features.get(code);
    feature.is_some_and(|feature| feature.kind == Kind::Capacity)
}

/// When an account left a home.
fn left_at(account: &Account, home: &AccountId) -> Option<DateTime<Utc>> {
    let mut former = account.terms.former_homes.iter();
    let former = former.find(|former| former.home == *home)?;
    Some(former.left_at)
}

fn is_of_org(held: &Reservation) -> bool {
    held.draws.iter().any(|draw| draw.scope == Scope::Org)
}

/// The reservation, in a home that has to know that it was committed late.
fn end(desk: &mut Desk<'_>, held: &Reservation, by: uuid::Uuid) {
    let ended = Reservation {
        late_commit: Some(by),
        ..held.clone()
    };
    desk.home.changes.reservations.insert(held.id);
    desk.home.reservations.insert(held.id, ended);
}

/// Takes what was used: the entries of the present home and those of the former one.
fn take_late(
    (now, then): (&mut Desk<'_>, &mut Desk<'_>),
    account: &Account,
    held: &Reservation,
    amount: Amount,
) -> Result<(Vec<Entry>, Vec<Entry>), Rejection> {
    let org = if is_of_org(held) {
        let found = then.home.accounts.get(&then.home.id);
        Some(found.ok_or(Rejection::UnknownOrg)?.as_ref().clone())
    } else {
        None
    };
    let is_known = |token: &&TokenId| account.terms.tokens.contains_key(*token);
    let token = held.token.as_ref().filter(is_known);
    let question = Question {
        now: now.context.now,
        catalog: now.context.catalog,
        grace: now.context.grace,
        user: Some(account.view()),
        org: org.as_ref().map(Account::view),
        token,
        feature: &held.feature,
        amount,
        mode: Mode::Force,
    };
    let Ok(drawn) = draw(&question) else {
        let own = [token.map(|_| Scope::Token), Some(Scope::User)];
        let of_org = [org.map(|_| Scope::Org)];
        let of_org = take_of_gone(then, held, &of_org, amount)?;
        return Ok((take_of_gone(now, held, &own, amount)?, of_org));
    };
    let part = |is_of: fn(&Draw) -> bool| Drawn {
        draws: drawn
            .draws
            .iter()
            .filter(|draw| is_of(draw))
            .cloned()
            .collect(),
        ..drawn.clone()
    };
    // The move gave the org back what the user occupied there (O8): what is only told now is not charged any more.
    let of_org = if is_capacity(now, &held.feature) {
        part(|draw| draw.scope == Scope::Org && draw.source == Source::Credits)
    } else {
        part(|draw| draw.scope == Scope::Org)
    };
    if !of_org.draws.is_empty() {
        share::expect_late(then, &held.account, left_at(account, &then.home.id));
    }
    let of_org = take(then, &held.feature, &of_org, Drawing::Spend)?;
    let own = part(|draw| draw.scope != Scope::Org);
    Ok((take(now, &held.feature, &own, Drawing::Spend)?, of_org))
}
