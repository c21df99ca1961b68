//! Refund: a consumption is reversed to its sources (X3, R6).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::closing::close;
use super::desk::Desk;
use super::outcome::Outcome;
use super::posting::{Posting, post, scope_account, taken_back};
use super::scope_balances::standing_of;
use super::settle::{settle, units};
use super::share::share_of;
use super::spend::count_credits;
use crate::amount::{Amount, Limit};
use crate::answer::{Answer, Rejection};
use crate::balance::{Balance, Bucket};
use crate::catalog::Kind;
use crate::command::Refund;
use crate::draw::{Draw, Scope, Source};
use crate::home::{Account, Books, ClosedBalance, Home, Referred};
use crate::ids::{AccountId, FeatureCode};
use crate::item::Item;
use crate::operation::{Entry, Operation, OperationKind};

/// Draws of an operation with the features that they paid for, in the order of drawing.
type FeatureDraws = [(FeatureCode, Draw)];

/// A refund as it is decided: of what, and how much of it.
#[derive(Debug)]
pub(super) struct Refunding {
    referred: Referred,
    draws: Vec<(FeatureCode, Draw)>,
    /// What was refunded before, by feature.
    before: BTreeMap<FeatureCode, u64>,
    /// Whether it is of another home than the one that the account lives in.
    is_elsewhere: bool,
    /// What is refunded now.
    pub(super) items: Vec<Item>,
}

impl Refunding {
    /// The refund that `asked` comes to, of an operation in `home`, by the account with these books.
    pub(super) fn of(
        (home, books): (&Home, &Books),
        account: &AccountId,
        asked: &Refund,
    ) -> Result<Self, Rejection> {
        let id = asked.operation;
        let referred = referred(home, id).ok_or(Rejection::UnknownOperation)?;
        let original = &referred.operation;
        if original.account != *account {
            return Err(Rejection::UnknownOperation);
        }
        let draws = drawn(original);
        if !original.kind.traits().is_use || draws.is_empty() {
            return Err(Rejection::NotRefundable);
        }
        let features = features(&draws, asked)?;
        let mut refunding = Self {
            before: refunded(&referred, books.refunded.get(&id)),
            is_elsewhere: !home.accounts.contains_key(account),
            referred,
            draws,
            items: Vec::new(),
        };
        let own = home.accounts.get(account);
        let is_since_arrival = own.is_some_and(|own| refunding.is_since_arrival(own));
        if !is_since_arrival && books.has_forgotten(id) {
            return Err(Rejection::NotRefundable);
        }
        refunding.items = refunding.left(&features, asked.amount)?;
        Ok(refunding)
    }

    /// Whether the operation was booked after the account came to the home that it lies in.
    fn is_since_arrival(&self, account: &Account) -> bool {
        let moved = account.terms.former_homes.last();
        moved.is_none_or(|moved| moved.arrived < self.referred.operation.sequence)
    }

    /// Whether the operation drew at a scope.
    pub(super) fn drew_at(&self, scope: Scope) -> bool {
        self.draws.iter().any(|(_, draw)| draw.scope == scope)
    }

    /// Gives everything back at these scopes, as far as they are in the home of the desk.
    pub(super) fn give_back(
        &self,
        desk: &mut Desk<'_>,
        scopes: &[Scope],
    ) -> Result<Vec<Entry>, Rejection> {
        let mut entries = Vec::new();
        for item in &self.items {
            entries.extend(give_back(desk, self, item, scopes)?);
        }
        Ok(entries)
    }
}

/// Reverses a consumption to its sources, last drawn first.
pub(crate) fn refund(desk: &mut Desk<'_>, asked: &Refund) -> Result<Outcome, Rejection> {
    let id = asked.operation;
    let account = desk.home.accounts.get(&desk.request.account);
    let account = account.ok_or(Rejection::UnknownOperation)?;
    let refunding = Refunding::of((desk.home, &account.books), &desk.request.account, asked)?;
    let entries = refunding.give_back(desk, &Scope::ALL)?;
    let items = refunding.items;
    let balances = items
        .iter()
        .flat_map(|item| standing_of(desk, None, &item.feature))
        .collect();
    let mut booking = desk.booking(Answer::Refunded { items, balances });
    (booking.refers_to, booking.entries) = (Some(id), entries);
    Ok(desk.book(booking))
}

/// Which features of the operation are refunded.
fn features(draws: &FeatureDraws, asked: &Refund) -> Result<Vec<FeatureCode>, Rejection> {
    let of_operation: BTreeSet<FeatureCode> =
        draws.iter().map(|(feature, _)| feature.clone()).collect();
    match &asked.feature {
        Some(one) if of_operation.contains(one) => Ok(vec![one.clone()]),
        Some(other) => Err(Rejection::NotInOperation {
            feature: other.clone(),
            used: of_operation.into_iter().collect(),
        }),
        None if asked.amount.is_some() && of_operation.len() > 1 => Err(Rejection::FeatureRequired),
        None => Ok(of_operation.into_iter().collect()),
    }
}

/// The operation with all its refunds, those of this batch included.
fn referred(home: &Home, id: Uuid) -> Option<Referred> {
    let new = home.changes.operations.iter().find(|new| new.id == id);
    let mut referred = home.referred.get(&id).cloned().or_else(|| {
        Some(Referred {
            operation: new?.clone(),
            refunds: Vec::new(),
            closed: Vec::new(),
        })
    })?;
    let of_it = |new: &&Operation| new.kind == OperationKind::Refund && new.refers_to == Some(id);
    let refunds = home.changes.operations.iter().filter(of_it).cloned();
    referred.refunds.extend(refunds);
    Some(referred)
}

/// What an operation spent, as draws, in the order of drawing.
fn drawn(operation: &Operation) -> Vec<(FeatureCode, Draw)> {
    let draw = |entry: &Entry| {
        let draw = entry.drawn().filter(|draw| draw.amount != 0)?;
        Some((entry.feature.clone()?, draw))
    };
    operation.entries.iter().filter_map(draw).collect()
}

fn of_scope(draws: &FeatureDraws, feature: &FeatureCode, scope: Scope) -> Vec<Draw> {
    let fits = |(of, draw): &&(FeatureCode, Draw)| of == feature && draw.scope == scope;
    draws
        .iter()
        .filter(fits)
        .map(|(_, draw)| draw.clone())
        .collect()
}

/// What was refunded of an operation, where it was booked and since its account moved.
fn refunded(
    referred: &Referred,
    since: Option<&BTreeMap<FeatureCode, u64>>,
) -> BTreeMap<FeatureCode, u64> {
    let mut sums = since.cloned().unwrap_or_default();
    for refund in &referred.refunds {
        let Answer::Refunded { items, .. } = &refund.answer else {
            continue;
        };
        for item in items {
            let sum = sums.entry(item.feature.clone()).or_insert(0);
            *sum = sum.saturating_add(item.amount.get());
        }
    }
    sums
}

impl Refunding {
    fn before(&self, feature: &FeatureCode) -> u64 {
        self.before.get(feature).copied().unwrap_or(0)
    }

    /// What is to be refunded of each feature: what was asked for, or all that is left.
    fn left(
        &self,
        features: &[FeatureCode],
        amount: Option<Amount>,
    ) -> Result<Vec<Item>, Rejection> {
        let mut items = Vec::with_capacity(features.len());
        for feature in features {
            let total = units(&of_scope(&self.draws, feature, Scope::User));
            let left = total.saturating_sub(self.before(feature));
            let wanted = amount.map_or(left, Amount::get);
            if wanted > left {
                return Err(Rejection::RefundTooLarge { refundable: left });
            }
            if let Ok(amount) = Amount::new(wanted) {
                let feature = feature.clone();
                items.push(Item { feature, amount });
            }
        }
        if items.is_empty() {
            return Err(Rejection::AlreadyRefunded);
        }
        Ok(items)
    }
}

fn give_back(
    desk: &mut Desk<'_>,
    refunding: &Refunding,
    item: &Item,
    scopes: &[Scope],
) -> Result<Vec<Entry>, Rejection> {
    let mut entries = Vec::new();
    let before = refunding.before(&item.feature);
    for &scope in scopes {
        let original = of_scope(&refunding.draws, &item.feature, scope);
        let still = units(&original).saturating_sub(before);
        // Earlier refunds took the last draws; what is left of them is what the first ones cover.
        let left = settle(&original, still).spent;
        let back = settle(&left, still.saturating_sub(item.amount.get())).given_back;
        let id = scope_account(desk.home, &desk.request.account, scope).clone();
        for draw in &back {
            let entry = give_draw_back(desk, &id, refunding, (draw, &item.feature))?;
            entries.extend(entry);
        }
        count_credits(desk, &item.feature, &back, taken_back)?;
    }
    Ok(entries)
}

/// Whether what an operation drew from a balance was set to 0 since. Where the account moved after it, sequences say nothing
/// of that: times do.
fn was_reset(account: &Account, balance: &Balance, refunding: &Refunding) -> bool {
    let operation = &refunding.referred.operation;
    let has_moved = !account.terms.former_homes.is_empty();
    if has_moved && (refunding.is_elsewhere || !refunding.is_since_arrival(account)) {
        return balance.reset_at.is_some_and(|at| operation.at <= at);
    }
    operation.sequence < balance.reset_sequence
}

/// Gives one draw back to its balance: a live one, or one that was closed since. What an operator set to 0
/// after the draw stays 0 (X6).
fn give_draw_back(
    desk: &mut Desk<'_>,
    id: &AccountId,
    refunding: &Refunding,
    (draw, feature): (&Draw, &FeatureCode),
) -> Result<Option<Entry>, Rejection> {
    let closed = &refunding.referred.closed;
    let account = desk
        .home
        .accounts
        .get(id)
        .ok_or(Rejection::UnknownAccount)?;
    let mut bucket = account.books.resolved(&draw.bucket);
    if account.books.balance(&bucket).is_none()
        && let Some(known) = closed_balance(desk.home, closed, id, &bucket)
        && let Some(next) = &known.balance.moved_to
    {
        bucket = account.books.resolved(next);
    }
    let mut posting = Posting::of(draw, feature);
    posting.bucket = bucket.clone();
    let live = account.books.balance(&bucket);
    let known = match live {
        Some(_) => None,
        None => closed_balance(desk.home, closed, id, &bucket).cloned(),
    };
    let Some(balance) = live.or(known.as_ref().map(|known| &known.balance)) else {
        return Ok(None);
    };
    let was_reset = was_reset(account, balance, refunding);
    // Capacity may have been given back already: there is not more to reverse than is still counted.
    let most = most_of(desk, (draw, feature), (balance, refunding));
    let back = give_back_of(draw, balance).min(most);
    if was_reset || back == 0 {
        return Ok(None);
    }
    (posting.used, posting.overage) = signed_back(draw, back);
    let entry = match &known {
        Some(known) => reopen(desk, known, posting),
        None => post(desk, id, posting),
    };
    entry.map(Some)
}

/// How much a balance may be lowered by at most: a capacity of the org by what it was charged for this member (O8), and for
/// an earlier stay by nothing, since the move gave it back. What has left the catalog may have been one.
fn most_of(
    desk: &Desk<'_>,
    (draw, feature): (&Draw, &FeatureCode),
    (balance, refunding): (&Balance, &Refunding),
) -> u64 {
    let features = &desk.context.catalog.features;
    let may_be_occupied = match features.get(feature).map(|feature| feature.kind) {
        Some(Kind::Capacity) | None => true,
        Some(Kind::Consumable) => false,
    };
    let is_shared = draw.scope == Scope::Org
        && draw.source != Source::Credits
        && may_be_occupied
        && desk.request.account != desk.home.id;
    if !is_shared {
        return u64::MAX;
    }
    let is_of_earlier_stay = desk
        .account()
        .is_ok_and(|member| !refunding.is_since_arrival(member));
    if is_of_earlier_stay {
        0
    } else {
        share_of(desk, balance)
    }
}

/// A balance that was closed: in this batch, or before it was loaded.
fn closed_balance<'a>(
    home: &'a Home,
    closed: &'a [ClosedBalance],
    id: &AccountId,
    bucket: &Bucket,
) -> Option<&'a ClosedBalance> {
    let new = home.changes.closed.iter().rev();
    new.chain(closed)
        .find(|known| known.account == *id && known.balance.bucket == *bucket)
}

/// How much of a draw its balance still counts.
fn give_back_of(draw: &Draw, balance: &Balance) -> u64 {
    match draw.source {
        Source::Overage => draw.amount.min(balance.overage),
        Source::Allowance | Source::Credits | Source::Trial | Source::Unlimited => {
            draw.amount.min(balance.used)
        }
    }
}

/// The change of `used` and of `overage` that gives `back` of a draw back.
fn signed_back(draw: &Draw, back: u64) -> (i64, i64) {
    match draw.source {
        Source::Overage => (0, taken_back(back)),
        Source::Allowance | Source::Credits | Source::Trial | Source::Unlimited => {
            (taken_back(back), 0)
        }
    }
}

/// Books a refund on a closed balance: it is live for that moment, and stays so when it can be spent again.
fn reopen(
    desk: &mut Desk<'_>,
    known: &ClosedBalance,
    posting: Posting,
) -> Result<Entry, Rejection> {
    let now = desk.context.now;
    let bucket = known.balance.bucket.clone();
    let account = desk.home.account_mut(&known.account);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    account.books.balances.push(known.balance.clone());
    let entry = post(desk, &known.account, posting)?;
    let is_over = known.balance.ends_at.is_some_and(|ends_at| ends_at <= now);
    if is_over || !matches!(bucket, Bucket::Grant(_)) {
        close(desk.home, &known.account, &bucket);
        return Ok(entry);
    }
    if let (Some(account), Bucket::Grant(grant)) = (desk.home.account_mut(&known.account), &bucket)
    {
        account.books.closed_grants.remove(grant);
    }
    let mut emptied = known.clone();
    (emptied.balance.used, emptied.balance.overage) = (0, 0);
    emptied.balance.granted = Limit::Of(0);
    desk.home.changes.closed.push(emptied);
    Ok(entry)
}
