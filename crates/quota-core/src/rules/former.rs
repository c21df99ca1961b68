//! What happened before a user moved, refunded or settled late: the user's part where it lives now, the org's part at the org
//! that was charged (X3).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::booking::id_beside;
use super::commit::take_of_gone;
use super::context::Context;
use super::decide::{Drawn, Mode, Question, draw};
use super::desk::Desk;
use super::ending::ending;
use super::expire_holds::expire_due;
use super::hold::again;
use super::outcome::Outcome;
use super::posting::Drawing;
use super::refund::{give_all_back, is_in_parts};
use super::refunding::Refunding;
use super::scope_balances::standing_of;
use super::share;
use super::spend::take;
use crate::amount::{AMOUNT_MAX, Amount};
use crate::answer::{Answer, Rejection};
use crate::command::{Command, Commit, Refund, Request};
use crate::draw::{Draw, Scope, Source};
use crate::home::{Account, ClosedBalance, Home, Referred};
use crate::ids::{AccountId, TokenId};
use crate::operation::{Elsewhere, Entry};
use crate::ports::{ClosedKind, ClosedQuery};
use crate::reservation::{Reservation, ReservationState};

/// Where the account lives now, and the other homes.
#[derive(Debug)]
pub struct Homes<'a> {
    /// The home in which the account and its books are now.
    pub present: &'a mut Home,
    /// Those in which something lies of what the request refers to: where that was booked, and where its org's part was.
    pub others: Vec<&'a mut Home>,
    /// What of [`Needs::closed`] lies in the homes that the account left, the latest first.
    pub left_closed: Vec<ClosedBalance>,
}

/// What has to be read for a refund, once the operation is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The home and the operation in which its org's part is, if that is booked elsewhere.
    pub part: Option<(AccountId, Uuid)>,
    /// Closed balances: an org's lie in its own home, the user's where it lives now or in any home that it left.
    pub closed: Vec<ClosedQuery>,
}

impl Needs {
    /// What a request needs beside the operation in `found`.
    pub fn of(found: &Home, request: &Request) -> Self {
        let Some(referred) = referred(found, request) else {
            return Self::default();
        };
        let operation = &referred.operation;
        let part = operation.answer.elsewhere();
        let closed = operation.all_entries().filter_map(|entry| {
            let what = ClosedKind::of(&entry.bucket)?;
            let account = entry.account.clone();
            Some(ClosedQuery { account, what })
        });
        let closed: BTreeSet<ClosedQuery> = closed.collect();
        Self {
            part: part.map(|part| (part.home.clone(), part.operation)),
            closed: closed.into_iter().collect(),
        }
    }
}

/// Whether what a request refers to lies in this home, but not all of it.
pub fn lies_in_parts(home: &Home, request: &Request) -> bool {
    referred(home, request).is_some_and(|referred| is_in_parts(home, referred))
}

/// The operation in this home that a request for a refund refers to.
fn referred<'a>(home: &'a Home, request: &Request) -> Option<&'a Referred> {
    let Command::Refund(asked) = &request.command else {
        return None;
    };
    home.referred.get(&asked.operation)
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
    let Homes {
        present,
        others,
        left_closed,
    } = homes;
    present.closed.extend(left_closed);
    expire_due(present, context);
    let account = present.accounts.get(&request.account);
    let account = account.ok_or(Rejection::UnknownAccount)?.as_ref().clone();
    // Where the operation lay: its key stays with the present home.
    let aside = Request {
        id: id_beside(request.id),
        key: None,
        ..request.clone()
    };
    let mut now = Desk {
        home: present,
        context: *context,
        request,
    };
    let mut then = Vec::with_capacity(others.len());
    for home in others {
        expire_due(home, context);
        then.push(Desk {
            home,
            context: *context,
            request: &aside,
        });
    }
    if let Command::Refund(asked) = &request.command {
        return refund((&mut now, &mut then), &account, asked);
    }
    if let Command::Commit(asked) = &request.command {
        let holds = |desk: &&mut Desk<'_>| desk.home.reservations.contains_key(&asked.reservation);
        let then = then.iter_mut().find(holds);
        let then = then.ok_or(Rejection::UnknownReservation)?;
        return commit((&mut now, then), &account, asked);
    }
    Err(Rejection::UnknownOperation)
}

fn refund<'a>(
    (now, then): (&mut Desk<'a>, &mut [Desk<'a>]),
    account: &Account,
    asked: &Refund,
) -> Result<Outcome, Rejection> {
    let id = asked.operation;
    let knows = |home: &&Home| home.referred.contains_key(&id);
    let mut homes = std::iter::once(&*now.home).chain(then.iter().map(|desk| &*desk.home));
    let origin = homes.find(knows).ok_or(Rejection::UnknownOperation)?;
    let refunding = Refunding::of((origin, &account.books), &now.request.account, asked)?;
    let origin = origin.id.clone();
    let (of_org, elsewhere) = refund_org((now, then), &origin, &refunding)?;
    let mut entries = give_all_back(now, &refunding, &[Scope::Token, Scope::User])?;
    entries.extend(of_org);
    let items = refunding.items;
    if origin != now.home.id {
        let sums = now.account_mut()?.books.settled(id);
        for item in &items {
            let sum = sums.entry(item.feature.clone()).or_insert(0);
            *sum = sum.saturating_add(item.amount.get());
        }
        let user = now.request.account.clone();
        now.home.changes.accounts.insert(user);
    }
    let balances = items
        .iter()
        .flat_map(|item| standing_of(now, None, &item.feature))
        .collect();
    let mut booking = now.booking(Answer::Refunded {
        items,
        balances,
        elsewhere,
    });
    (booking.refers_to, booking.entries) = (Some(id), entries);
    Ok(now.book(booking))
}

/// Gives the org's part back where the org was charged: the entries if that is the present home, else what was booked there.
fn refund_org<'a>(
    (now, then): (&mut Desk<'a>, &mut [Desk<'a>]),
    origin: &AccountId,
    refunding: &Refunding,
) -> Result<(Vec<Entry>, Option<Box<Elsewhere>>), Rejection> {
    let part = refunding.referred.operation.answer.elsewhere();
    let home = part.map_or(origin, |part| &part.home);
    let is_present = now.home.id == *home;
    let desk = if is_present {
        now
    } else {
        let desk = then.iter_mut().find(|desk| desk.home.id == *home);
        desk.ok_or(Rejection::UnknownOperation)?
    };
    let refunding = match part {
        Some(_) => &refunding.of_part(desk.home)?,
        None => refunding,
    };
    if !refunding.drew_at(Scope::Org) {
        return Ok((Vec::new(), None));
    }
    let entries = give_all_back(desk, refunding, &[Scope::Org])?;
    if is_present || entries.is_empty() {
        return Ok((entries, None));
    }
    let mut booking = desk.booking(Answer::Refunded {
        items: Vec::new(),
        balances: Vec::new(),
        elsewhere: None,
    });
    booking.refers_to = Some(refunding.referred.operation.id);
    booking.entries.clone_from(&entries);
    let booked = desk.book(booking).operation.id;
    Ok((Vec::new(), part_in(desk.home, booked, entries)))
}

/// What the answer in one home says of the part that is booked in another, if anything is.
fn part_in(home: &Home, operation: Uuid, entries: Vec<Entry>) -> Option<Box<Elsewhere>> {
    let part = Elsewhere {
        home: home.id.clone(),
        operation,
        entries,
    };
    (!part.entries.is_empty()).then(|| Box::new(part))
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
    let late = |balances, elsewhere| Answer::Settled {
        state: held.state,
        late: true,
        balances,
        elsewhere,
    };
    let (by, by_then) = (now.next_id(), then.next_id());
    let of_org_there = part_in(then.home, by_then, of_org.clone());
    if is_of_org(&held) {
        end(then, &held, by_then);
        let of_user = part_in(now.home, by, entries.clone());
        let mut booking = then.booking(late(Vec::new(), of_user));
        (booking.refers_to, booking.entries) = (Some(held.id), of_org);
        then.book(booking);
    }
    // Its row lies in several homes by now: the mark goes along with the account.
    now.account_mut()?.books.settled(held.id);
    let user = now.request.account.clone();
    now.home.changes.accounts.insert(user);
    end(now, &held, by);
    let balances = standing_of(now, held.token.as_ref(), &held.feature);
    let mut booking = now.booking(late(balances, of_org_there));
    (booking.refers_to, booking.entries) = (Some(held.id), entries);
    Ok(now.book(booking))
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
fn end(desk: &mut Desk<'_>, held: &Reservation, by: Uuid) {
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
    let of_org = if now.context.capacity(&held.feature).is_some() {
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
