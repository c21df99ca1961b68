//! A user joins, leaves or changes its org: it moves from one home to another with everything that is its own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::booking::{Booking, id_beside, operation};
use super::closed::closed_in;
use super::context::Context;
use super::member_shares::carried_counts;
use super::members::{join, leave, must_have_place};
use super::posting::{negated, signed};
use super::share::{Parted, part};
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::change::{Change, Effect};
use crate::command::Request;
use crate::draw::{Scope, Source};
use crate::event::{Event, EventKind};
use crate::home::{Account, Home};
use crate::ids::{AccountId, FeatureCode, OrgId};
use crate::operation::{Entry, Operation, OperationKind};
use crate::ports::{ClosedKind, ClosedQuery};
use crate::relocation::Relocation;
use crate::share::Share;
use crate::terms::{FormerHome, Terms};

/// Former homes that are remembered beside the latest; each is one more place where keys are looked for.
const FORMER_HOMES_MAX: usize = 15;

/// The move of the user that `request` names from one home to another. Its balances go along: the books of the home
/// that it leaves end with what it takes, those of the other begin with it. What the org was charged stays there, but for
/// capacity that the user holds (O8), and another is not charged for what the user brings.
///
/// # Errors
/// [`Rejection`] when the user or the org does not exist, or something is held: a hold lies on the org too.
pub fn relocate(
    (from, to): (&Home, &Home),
    org: Option<&OrgId>,
    request: &Request,
    context: &Context<'_>,
) -> Result<Relocation, Rejection> {
    let user = &request.account;
    let account = from.accounts.get(user).ok_or(Rejection::UnknownAccount)?;
    let entered = entered_org(to, org)?;
    if account.books.balances.iter().any(|one| one.held != 0) {
        return Err(Rejection::OpenReservations);
    }
    let (mut joined_org, kept) = match entered {
        Some(entered) => {
            let (joined, kept) = org_joined(entered, user, context)?;
            (Some(joined), kept)
        }
        None => (None, BTreeMap::new()),
    };
    let (mut terms, effect) = moved_terms((from, to), account, org, context.now);
    let mut books = account.books.clone();
    let shares = std::mem::replace(&mut books.shares, kept);
    books.org_occupancy.clear();
    let mut left_org = org_left(from, user);
    let charged = left_org.as_mut().filter(|_| !shares.is_empty());
    let parted = charged.map_or_else(Parted::default, |org| {
        let is_capacity = |code: &FeatureCode| !context.is_consumable(code);
        let closed = closed_in(from, &from.id).cloned();
        let how = (is_capacity, context.now);
        part((&from.id, org), (user, &shares), closed, how)
    });
    let carried = |leaves: bool| -> Vec<Entry> {
        let entry = |balance: &Balance| carry(user, balance, leaves);
        books.all().map(entry).collect()
    };
    let way = format!("{} to {}", from.id, to.id);
    let detail = match effect {
        Some(effect) => format!("{way}; {}", effect.in_words()),
        None => way,
    };
    let booking = |change, leaves| Booking {
        kind: OperationKind::Change,
        entries: carried(leaves),
        ..Booking::changed(request, change, (Some(detail.clone()), effect))
    };
    let mut left = operation(from, context, request, booking(Change::MovedOut, true));
    // The key belongs to what is found where the user lives now; the two operations are two rows.
    left.key = None;
    left.entries.extend(parted.entries);
    left.id = id_beside(left.id);
    let mut joined = operation(to, context, request, booking(Change::MovedIn, false));
    joined
        .entries
        .extend(carried_counts(user, &books.shares, signed));
    // Sequences of one home mean nothing in another: what was consumed before the move is not given back here.
    for balance in &mut books.balances {
        balance.reset_sequence = joined.sequence;
    }
    let event = moved_event(&joined, (&to.id, terms.next_event()));
    let (org_left, org_joined) = (left_org.as_mut(), joined_org.as_mut());
    let org_left = org_left.map(|org| org_event((&from.id, org), &left, Change::MemberLeft));
    let org_joined = org_joined.map(|org| org_event((&to.id, org), &joined, Change::MemberJoined));
    let account = Account { terms, books };
    Ok(Relocation {
        user: user.clone(),
        due_at: account.due_at(),
        account,
        from: (from.id.clone(), from.version),
        to: (to.id.clone(), to.version),
        left_org,
        closed: parted.closed,
        joined_org,
        left,
        joined,
        event,
        org_events: org_left.into_iter().chain(org_joined).collect(),
    })
}

/// What has to be read of the closed balances of the org that a user leaves: those in which the user may have a share.
pub fn closed_at_org(from: &Home, user: &AccountId) -> Vec<ClosedQuery> {
    let (Some(account), Some(org)) = (from.accounts.get(user), from.accounts.get(&from.id)) else {
        return Vec::new();
    };
    let is_live = |bucket: &Bucket| {
        let mut live = org.books.balances.iter();
        live.any(|live| live.first_bucket() == bucket && live.moved_to.is_none())
    };
    let shares = account.books.shares.keys();
    let closed = shares.filter(|bucket| !is_live(bucket));
    let kinds: BTreeSet<ClosedKind> = closed.filter_map(ClosedKind::of).collect();
    let query = |what| ClosedQuery {
        account: from.id.clone(),
        what,
    };
    kinds.into_iter().map(query).collect()
}

/// The terms of a user that moves, and what becomes of `unlimited`.
fn moved_terms(
    (from, to): (&Home, &Home),
    account: &Account,
    org: Option<&OrgId>,
    now: DateTime<Utc>,
) -> (Terms, Option<Effect>) {
    let mut terms = account.terms.clone();
    let effect = terms.leave_org();
    terms.org = org.cloned();
    terms
        .former_homes
        .retain(|former| former.home != from.id && former.home != to.id);
    let extra = terms.former_homes.len().saturating_sub(FORMER_HOMES_MAX);
    terms.former_homes.drain(..extra);
    terms.former_homes.push(FormerHome {
        home: from.id.clone(),
        left_at: now,
        arrived: to.version.saturating_add(1),
    });
    (terms, effect)
}

/// The org that a user leaves, with one member less.
fn org_left(from: &Home, user: &AccountId) -> Option<Account> {
    let org = from.accounts.get(&from.id).filter(|_| from.id != *user);
    let mut org = org?.as_ref().clone();
    leave(&mut org.terms);
    Some(org)
}

/// The org that a user joins, if it joins one.
fn entered_org<'a>(to: &'a Home, org: Option<&OrgId>) -> Result<Option<&'a Account>, Rejection> {
    if org.is_none() {
        return Ok(None);
    }
    let entered = to.accounts.get(&to.id).ok_or(Rejection::UnknownOrg)?;
    Ok(Some(entered))
}

/// The org that a user joins, with one member more, if it has a place; and what it was charged for the user in an earlier stay:
/// who leaves and comes back goes on where its limit was (O7).
fn org_joined(
    entered: &Account,
    user: &AccountId,
    context: &Context<'_>,
) -> Result<(Account, BTreeMap<Bucket, Share>), Rejection> {
    must_have_place(context, entered)?;
    let mut joined = entered.clone();
    join(&mut joined.terms);
    let kept = joined.terms.left_members.remove(user);
    Ok((joined, kept.map(|kept| kept.shares).unwrap_or_default()))
}

/// The event of a move.
fn moved_event(joined: &Operation, (home, number): (&AccountId, u64)) -> Event {
    Event {
        number,
        id: joined.id,
        home: home.clone(),
        account: joined.account.clone(),
        sequence: joined.sequence,
        at: joined.at,
        kind: EventKind::QuotaUpdated {
            reason: Change::Moved,
        },
    }
}

/// The event of an org that has one member more, or one less.
pub(super) fn org_event(
    (id, org): (&AccountId, &mut Account),
    operation: &Operation,
    reason: Change,
) -> Event {
    Event {
        number: org.terms.next_event(),
        id: operation.id,
        home: id.clone(),
        account: id.clone(),
        sequence: operation.sequence,
        at: operation.at,
        kind: EventKind::QuotaUpdated { reason },
    }
}

fn carry(user: &AccountId, balance: &Balance, leaves: bool) -> Entry {
    let change = |amount| {
        if leaves {
            negated(amount)
        } else {
            signed(amount)
        }
    };
    let granted = match balance.granted {
        Limit::Of(_) if balance.bucket.has_own_worth() => change(balance.worth()),
        Limit::Of(_) | Limit::Unlimited => 0,
    };
    let scope = match &balance.bucket {
        Bucket::Token(_) | Bucket::TokenWindow(..) => Scope::Token,
        Bucket::Window(..)
        | Bucket::Further(..)
        | Bucket::Standing(_)
        | Bucket::Tracked(..)
        | Bucket::Trial(_)
        | Bucket::Grant(_)
        | Bucket::Boost(..)
        | Bucket::OnDemand(..)
        | Bucket::Member(..)
        | Bucket::Room(_) => Scope::User,
    };
    Entry {
        scope,
        account: user.clone(),
        bucket: balance.bucket.clone(),
        feature: None,
        source: Source::of(&balance.bucket),
        used: change(balance.used),
        held: 0,
        overage: change(balance.overage),
        granted,
        unit_cost: 1,
        used_at: None,
        first_unit: None,
    }
}
