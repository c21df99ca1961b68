//! A user joins, leaves or changes its org: it moves from one home to another with everything that is its own.

use super::booking::{Booking, operation};
use super::context::Context;
use super::expire::expiry_id;
use super::posting::{signed, taken_back};
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::change::Change;
use crate::command::Request;
use crate::draw::{Scope, Source};
use crate::event::{Event, EventKind};
use crate::home::{Account, Home};
use crate::ids::{AccountId, OrgId};
use crate::operation::{Entry, OperationKind};
use crate::relocation::Relocation;
use crate::terms::FormerHome;

/// Former homes that are remembered beside the latest; each is one more place where keys are looked for.
const FORMER_HOMES_MAX: usize = 15;

/// The move of the user that `request` names from one home to another. Its balances go along: the books of the home
/// that it leaves end with what it takes, those of the other begin with it. What the org was charged stays there, and
/// another is not charged for what the user brings.
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
    if org.is_some() && !to.accounts.contains_key(&to.id) {
        return Err(Rejection::UnknownOrg);
    }
    if account
        .books
        .balances
        .iter()
        .any(|balance| balance.held != 0)
    {
        return Err(Rejection::OpenReservations);
    }
    let mut terms = account.terms.clone();
    terms.org = org.cloned();
    terms
        .former_homes
        .retain(|former| former.home != from.id && former.home != to.id);
    let extra = terms.former_homes.len().saturating_sub(FORMER_HOMES_MAX);
    terms.former_homes.drain(..extra);
    terms.former_homes.push(FormerHome {
        home: from.id.clone(),
        left_at: context.now,
    });
    let mut books = account.books.clone();
    let carried = |leaves: bool| {
        let entry = |balance: &Balance| carry(user, balance, leaves);
        books.balances.iter().map(entry).collect()
    };
    let detail = format!("{} to {}", from.id, to.id);
    let booking = |change, leaves| Booking {
        kind: OperationKind::Change,
        entries: carried(leaves),
        ..Booking::change(request, change, Some(detail.clone()))
    };
    let mut left = operation(from, context, request, booking(Change::MovedOut, true));
    // The key belongs to what is found where the user lives now; the two operations are two rows.
    left.key = None;
    left.id = expiry_id(left.id);
    let joined = operation(to, context, request, booking(Change::MovedIn, false));
    // Sequences of one home mean nothing in another: what was consumed before the move is not given back here.
    for balance in &mut books.balances {
        balance.reset_sequence = joined.sequence;
        balance.brought = if org.is_some() { balance.spent() } else { 0 };
    }
    let event = Event {
        number: terms.next_event(),
        id: joined.id,
        home: to.id.clone(),
        account: user.clone(),
        sequence: joined.sequence,
        at: joined.at,
        kind: EventKind::QuotaUpdated {
            reason: Change::Moved,
        },
    };
    let account = Account { terms, books };
    Ok(Relocation {
        user: user.clone(),
        due_at: account.due_at(),
        account,
        from: (from.id.clone(), from.version),
        to: (to.id.clone(), to.version),
        left,
        joined,
        event,
    })
}

fn carry(user: &AccountId, balance: &Balance, leaves: bool) -> Entry {
    let change = |amount| {
        if leaves {
            taken_back(amount)
        } else {
            signed(amount)
        }
    };
    let mut granted = 0;
    let (scope, source) = match &balance.bucket {
        Bucket::Token(_) => (Scope::Token, Source::Allowance),
        Bucket::Grant(_) => {
            if let Limit::Of(credits) = balance.granted {
                granted = change(credits);
            }
            (Scope::User, Source::Credits)
        }
        Bucket::Trial(_) => (Scope::User, Source::Trial),
        Bucket::Window(..) | Bucket::Standing(_) | Bucket::Tracked(..) => {
            (Scope::User, Source::Allowance)
        }
    };
    Entry {
        scope,
        account: user.clone(),
        bucket: balance.bucket.clone(),
        feature: None,
        source,
        used: change(balance.used),
        held: 0,
        overage: change(balance.overage),
        granted,
        unit_cost: 1,
    }
}
