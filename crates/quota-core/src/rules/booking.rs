//! Booking: how a change reaches balances and the ledger together, so that each balance is the sum of its entries.

use uuid::Uuid;

use super::allowance::Allowance;
use super::opening::{current_grant, opened};
use crate::amount::COUNT_MAX;
use crate::answer::{Answer, Rejection};
use crate::balance::Bucket;
use crate::command::Request;
use crate::draw::{Draw, Scope, Source};
use crate::event::{Event, EventKind};
use crate::home::{ClosedBalance, Home};
use crate::ids::{AccountId, FeatureCode};
use crate::operation::{Entry, Operation, OperationKind, id_at};
use crate::origin::Origin;
use crate::rules::context::Context;

/// A change of one balance of one account.
#[derive(Debug, Clone)]
pub(crate) struct Posting {
    pub(crate) scope: Scope,
    pub(crate) bucket: Bucket,
    pub(crate) feature: Option<FeatureCode>,
    pub(crate) source: Source,
    pub(crate) unit_cost: u64,
    pub(crate) used: i64,
    pub(crate) held: i64,
    pub(crate) overage: i64,
}

/// Whether a draw is spent or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drawing {
    /// Spent for good.
    Spend,
    /// Held until it is settled; overage is not held, it is booked when the hold is settled.
    Hold,
}

impl Posting {
    /// A posting that changes nothing yet.
    pub(crate) fn of(draw: &Draw, feature: &FeatureCode) -> Self {
        Self {
            scope: draw.scope,
            bucket: draw.bucket.clone(),
            feature: Some(feature.clone()),
            source: draw.source,
            unit_cost: draw.unit_cost,
            used: 0,
            held: 0,
            overage: 0,
        }
    }

    /// What a draw takes.
    pub(crate) fn drawn(draw: &Draw, feature: &FeatureCode, drawing: Drawing) -> Self {
        let mut posting = Self::of(draw, feature);
        match (drawing, draw.source) {
            (Drawing::Spend, Source::Overage) => posting.overage = signed(draw.amount),
            (Drawing::Spend, _) => posting.used = signed(draw.amount),
            (Drawing::Hold, Source::Overage) => {}
            (Drawing::Hold, _) => posting.held = signed(draw.amount),
        }
        posting
    }
}

/// Counters stay below [`COUNT_MAX`], so their changes fit a signed number.
pub(crate) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// The opposite of a change.
pub(crate) fn taken_back(amount: u64) -> i64 {
    signed(amount).saturating_neg()
}

fn changed(counter: u64, by: i64) -> Result<u64, Rejection> {
    let next = counter.checked_add_signed(by);
    next.filter(|next| *next <= COUNT_MAX)
        .ok_or(Rejection::CounterFull)
}

/// The account that a scope's balances belong to: the org is the home itself.
pub(crate) fn scope_account<'a>(
    home: &'a Home,
    user: &'a AccountId,
    scope: Scope,
) -> &'a AccountId {
    match scope {
        Scope::Token | Scope::User => user,
        Scope::Org => &home.id,
    }
}

/// Applies a posting and gives back its ledger entry. A balance that is touched for the first time is opened.
///
/// Nothing is changed when a counter would leave its range.
pub(crate) fn post(
    home: &mut Home,
    context: &Context<'_>,
    id: &AccountId,
    posting: Posting,
) -> Result<Entry, Rejection> {
    post_by(home, context, (id, None), posting)
}

/// As [`post`], with the allowance that counts now when it is known already.
pub(crate) fn post_by(
    home: &mut Home,
    context: &Context<'_>,
    (id, own): (&AccountId, Option<&Allowance>),
    posting: Posting,
) -> Result<Entry, Rejection> {
    let account = home.account_mut(id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    let bucket = account.books.resolved(&posting.bucket);
    if account.books.balance(&bucket).is_none() {
        let opened = opened(account, context, &bucket);
        account.books.balances.push(opened);
    }
    let granted = current_grant(account, context, &bucket, own);
    let lifetime = lifetime_change(&posting);
    let feature = posting.feature.clone();
    if let Some(feature) = &feature
        && lifetime != 0
    {
        let total = account.books.lifetime.get(feature).copied().unwrap_or(0);
        let next = changed(total, lifetime)?;
        account.books.lifetime.insert(feature.clone(), next);
    }
    let balance = account.books.balance_mut(&bucket);
    let balance = balance.ok_or(Rejection::UnknownAccount)?;
    let used = changed(balance.used, posting.used)?;
    let held = changed(balance.held, posting.held)?;
    let overage = changed(balance.overage, posting.overage)?;
    (balance.used, balance.held, balance.overage) = (used, held, overage);
    balance.brought = balance.brought.min(balance.spent());
    if let Some(granted) = granted {
        balance.granted = granted;
    }
    home.changes.accounts.insert(id.clone());
    Ok(Entry {
        scope: posting.scope,
        account: id.clone(),
        bucket,
        feature: posting.feature,
        source: posting.source,
        used: posting.used,
        held: posting.held,
        overage: posting.overage,
        granted: 0,
        unit_cost: posting.unit_cost,
    })
}

/// Units by which a posting changes the lifetime total; credits are counted by whoever books them, in units.
fn lifetime_change(posting: &Posting) -> i64 {
    match (posting.scope, posting.source) {
        (Scope::Token, _) | (_, Source::Credits) => 0,
        _ => posting.used.saturating_add(posting.overage),
    }
}

/// Changes a lifetime total alone: for units that credits paid.
pub(crate) fn count_units(
    home: &mut Home,
    id: &AccountId,
    feature: &FeatureCode,
    by: i64,
) -> Result<(), Rejection> {
    let account = home.account_mut(id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    let total = account.books.lifetime.get(feature).copied().unwrap_or(0);
    let next = changed(total, by)?;
    account.books.lifetime.insert(feature.clone(), next);
    Ok(())
}

/// What an operation did, before it is booked.
#[derive(Debug)]
pub(crate) struct Booking {
    pub(crate) kind: OperationKind,
    pub(crate) refers_to: Option<Uuid>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) answer: Answer,
}

impl Booking {
    /// A change of terms.
    pub(crate) fn change(what: &str, detail: Option<String>) -> Self {
        Self {
            kind: OperationKind::Change,
            refers_to: None,
            entries: Vec::new(),
            answer: Answer::Changed {
                what: what.to_owned(),
                detail,
            },
        }
    }
}

/// Appends the operation to the ledger.
pub(crate) fn book(
    home: &mut Home,
    context: &Context<'_>,
    request: &Request,
    booking: Booking,
) -> Operation {
    let operation = operation(home, context, request, booking);
    home.version = operation.sequence;
    home.changes.operations.push(operation.clone());
    operation
}

/// The id that the operation of this request has when it is booked next.
pub(crate) fn next_id(home: &Home, request: &Request) -> Uuid {
    id_at(request.id, home.version.saturating_add(1))
}

/// The operation as it would be booked next.
pub(crate) fn operation(
    home: &Home,
    context: &Context<'_>,
    request: &Request,
    booking: Booking,
) -> Operation {
    Operation {
        id: next_id(home, request),
        account: request.account.clone(),
        sequence: home.version.saturating_add(1),
        at: context.now,
        kind: booking.kind,
        key: request.key.clone(),
        body_hash: request.body_hash,
        refers_to: booking.refers_to,
        entries: booking.entries,
        answer: booking.answer,
        origin: request.origin.clone(),
    }
}

/// Appends an operation that nobody asked for, such as the end of a hold.
pub(crate) fn book_own(
    home: &mut Home,
    context: &Context<'_>,
    (id, account): (Uuid, AccountId),
    booking: Booking,
) -> Operation {
    let request = Request {
        id,
        account,
        key: None,
        body_hash: [0; 32],
        command: crate::command::Command::Sweep,
        origin: Origin {
            actor: Some("system".to_owned()),
            ..Origin::default()
        },
    };
    book(home, context, &request, booking)
}

/// Appends an event to the outbox, for the operation that was booked last.
pub(crate) fn announce(home: &mut Home, operation: &Operation, kind: EventKind) {
    debug_assert_eq!(
        home.version, operation.sequence,
        "an event follows its operation"
    );
    let whose = &operation.account;
    let Some(account) = home.account_mut(whose) else {
        debug_assert!(false, "an event is about an account that is there");
        return;
    };
    let number = account.terms.next_event();
    home.changes.accounts.insert(whose.clone());
    home.changes.terms.insert(whose.clone());
    home.changes.events.push(Event {
        number,
        id: operation.id,
        home: home.id.clone(),
        account: operation.account.clone(),
        sequence: operation.sequence,
        at: operation.at,
        kind,
    });
}

/// Takes a balance out of the live ones and keeps it for the books.
pub(crate) fn close(home: &mut Home, id: &AccountId, bucket: &Bucket) {
    let Some(account) = home.account_mut(id) else {
        return;
    };
    let found = account
        .books
        .balances
        .iter()
        .position(|balance| balance.bucket == *bucket);
    let Some(at) = found else {
        return;
    };
    let balance = account.books.balances.swap_remove(at);
    debug_assert_eq!(balance.held, 0, "what is held is not closed");
    if let Bucket::Grant(grant) = &balance.bucket {
        account.books.closed_grants.insert(grant.clone());
    }
    home.changes.accounts.insert(id.clone());
    home.changes.closed.push(ClosedBalance {
        account: id.clone(),
        balance,
    });
}
