//! Release of capacity: what is deleted is occupied no more (X4).

use super::allowance::allowance;
use super::context::Context;
use super::desk::Desk;
use super::funding::bought_room;
use super::outcome::Outcome;
use super::posting::{Posting, count_units, negated, post, scope_account, signed};
use super::scope_balances::standing_of;
use super::share::share_of;
use crate::answer::{Answer, Rejection, Released};
use crate::balance::{Balance, Bucket};
use crate::catalog::{Feature, Kind};
use crate::command::ReleaseCapacity;
use crate::draw::{Scope, Source};
use crate::home::Account;
use crate::ids::AccountId;
use crate::operation::Entry;
use crate::terms::{Status, Subscription, Terms};

/// Gives occupied capacity back, not below 0 (X4): the user what it occupies, and its org what that was charged for this
/// user and no more (O8), whatever the user's own windows did meanwhile. What credits or a trial paid for comes back as room.
pub(crate) fn release_capacity(
    desk: &mut Desk<'_>,
    asked: &ReleaseCapacity,
) -> Result<Outcome, Rejection> {
    let is_member = desk.account()?.terms.org.is_some();
    let feature = desk.context.drawn(&asked.feature)?;
    if feature.kind != Kind::Capacity {
        return Err(Rejection::NotCapacity(asked.feature.clone()));
    }
    let mut scopes = vec![Scope::User];
    scopes.extend(is_member.then_some(Scope::Org));
    let (mut entries, mut released) = (Vec::new(), Vec::with_capacity(scopes.len()));
    for scope in scopes {
        let lowered = lower(desk, scope, feature, asked.amount.get())?;
        released.push(Released {
            scope,
            amount: lowered.amount,
        });
        entries.extend(lowered.entries);
    }
    let balances = standing_of(desk, None, &asked.feature);
    let mut booking = desk.booking(Answer::Released { released, balances });
    booking.entries = entries;
    Ok(desk.book(booking))
}

/// How much of a capacity was given back at a scope, and how.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    pub(super) amount: u64,
    pub(super) entries: Vec<Entry>,
}

/// What of one balance goes back.
struct Part {
    bucket: Bucket,
    /// How much of what it has used may go back.
    held: u64,
    used: u64,
    overage: u64,
}

/// Lowers what is occupied of a capacity at a scope by at most `most`; at the org by at most what was charged for the user.
pub(super) fn lower(
    desk: &mut Desk<'_>,
    scope: Scope,
    feature: &Feature,
    most: u64,
) -> Result<Lowered, Rejection> {
    let parts = parts(desk, scope, feature, most)?;
    let lowered = give_out(desk, scope, feature, parts)?;
    if lowered.amount != 0 {
        let id = scope_account(desk.home, &desk.request.account, scope).clone();
        // What was used once was used: giving room back does not lower the lifetime total.
        count_units(desk, &id, &feature.code, signed(lowered.amount))?;
    }
    Ok(lowered)
}

/// The same for what is taken to have never been used: the lifetime total is lowered too.
pub(super) fn lower_refunded(
    desk: &mut Desk<'_>,
    scope: Scope,
    feature: &Feature,
    most: u64,
) -> Result<Vec<Entry>, Rejection> {
    let parts = parts(desk, scope, feature, most)?;
    Ok(give_out(desk, scope, feature, parts)?.entries)
}

/// Counts in bought room what was counted in windows, as far as there is so much.
pub(super) fn count_in_room(
    desk: &mut Desk<'_>,
    scope: Scope,
    feature: &Feature,
    most: u64,
) -> Result<Vec<Entry>, Rejection> {
    let id = scope_account(desk.home, &desk.request.account, scope).clone();
    let parts = with_used(overage_of_windows(desk, (scope, &id), feature, most)?, most);
    let mut moved = give_out(desk, scope, feature, parts)?;
    if moved.amount != 0 {
        let room = Bucket::Room(feature.code.clone());
        let posting = Posting {
            used: signed(moved.amount),
            ..unchanged(scope, room, feature)
        };
        moved.entries.push(post(desk, &id, posting)?);
    }
    Ok(moved.entries)
}

/// A posting that changes nothing yet.
fn unchanged(scope: Scope, bucket: Bucket, feature: &Feature) -> Posting {
    Posting {
        scope,
        source: Source::of(&bucket),
        bucket,
        feature: Some(feature.code.clone()),
        unit_cost: 1,
        used: 0,
        held: 0,
        overage: 0,
    }
}

/// Books that these parts go back.
fn give_out(
    desk: &mut Desk<'_>,
    scope: Scope,
    feature: &Feature,
    parts: Vec<Part>,
) -> Result<Lowered, Rejection> {
    let id = scope_account(desk.home, &desk.request.account, scope).clone();
    let mut lowered = Lowered::default();
    for part in parts {
        let amount = part.used.saturating_add(part.overage);
        if amount == 0 {
            continue;
        }
        let posting = Posting {
            used: negated(part.used),
            overage: negated(part.overage),
            ..unchanged(scope, part.bucket, feature)
        };
        lowered.entries.push(post(desk, &id, posting)?);
        lowered.amount = lowered.amount.saturating_add(amount);
    }
    Ok(lowered)
}

/// What goes back of each balance, last drawn first: the overage, then the room that was bought, then what the allowance
/// paid.
fn parts(
    desk: &Desk<'_>,
    scope: Scope,
    feature: &Feature,
    most: u64,
) -> Result<Vec<Part>, Rejection> {
    let id = scope_account(desk.home, &desk.request.account, scope);
    let account = desk.home.accounts.get(id).ok_or(Rejection::UnknownOrg)?;
    let mut parts = overage_of_windows(desk, (scope, id), feature, most)?;
    if let Some(room) = bought_room(&account.books.balances, feature) {
        let part = Part {
            bucket: room.bucket.clone(),
            held: occupied_of(desk, scope, room).min(room.used),
            used: 0,
            overage: 0,
        };
        parts.insert(0, part);
    }
    Ok(with_used(parts, most))
}

/// What goes back of the overage of each window, and how much of its `used` may go back.
fn overage_of_windows(
    desk: &Desk<'_>,
    (scope, id): (Scope, &AccountId),
    feature: &Feature,
    most: u64,
) -> Result<Vec<Part>, Rejection> {
    let account = desk.home.accounts.get(id).ok_or(Rejection::UnknownOrg)?;
    let mut left = most;
    let mut parts = Vec::new();
    for bucket in occupied(desk, id, feature)? {
        let Some(balance) = account.books.balance(&bucket) else {
            continue;
        };
        let held = occupied_of(desk, scope, balance);
        let overage = balance.overage.min(held).min(left);
        left = left.saturating_sub(overage);
        parts.push(Part {
            bucket,
            held: balance.used.min(held.saturating_sub(overage)),
            used: 0,
            overage,
        });
    }
    Ok(parts)
}

/// These parts with what goes back of `used` after the overage, in their order, until it is `most` in all.
fn with_used(mut parts: Vec<Part>, most: u64) -> Vec<Part> {
    let overage = parts.iter().map(|part| part.overage);
    let mut left = most.saturating_sub(overage.fold(0, u64::saturating_add));
    for part in &mut parts {
        part.used = part.held.min(left);
        left = left.saturating_sub(part.used);
    }
    parts
}

/// What the account that asks occupies in a balance at a scope.
pub(super) fn occupied_of(desk: &Desk<'_>, scope: Scope, balance: &Balance) -> u64 {
    match scope {
        Scope::Token | Scope::User => balance.spent(),
        Scope::Org => share_of(desk, balance),
    }
}

/// Where a capacity is counted now; and while nothing is in force, the window of the period too, if that is not over:
/// it may come back. One of a subscription whose place another took does not, and occupies nothing (S5).
pub(super) fn occupied(
    desk: &Desk<'_>,
    id: &AccountId,
    feature: &Feature,
) -> Result<Vec<Bucket>, Rejection> {
    let context = &desk.context;
    let account = desk.home.accounts.get(id).ok_or(Rejection::UnknownOrg)?;
    let own = context.allowance(account, feature);
    let mut buckets = vec![account.books.resolved(&own.bucket)];
    let waiting = if own.in_force() {
        None
    } else {
        window_of_period(context, account, feature)
    };
    buckets.extend(waiting.filter(|waiting| !buckets.contains(waiting)));
    Ok(buckets)
}

/// The live window that would count if the subscription of the account were paid for.
fn window_of_period(context: &Context<'_>, account: &Account, feature: &Feature) -> Option<Bucket> {
    let held = account.terms.subscription.as_ref()?;
    let paid = Subscription {
        status: Status::Active,
        past_due_at: None,
        ..held.current(context.catalog, context.now).into_owned()
    };
    let terms = Terms {
        subscription: Some(paid),
        ..account.terms.clone()
    };
    let balances = account.books.balances.as_slice();
    let own = allowance((&terms, balances), feature, context.asked());
    let window = account.books.resolved(&own.bucket);
    let ends_at = account.books.balance(&window)?.ends_at;
    let is_over = ends_at.is_some_and(|ends_at| ends_at <= context.now);
    (!is_over && matches!(window, Bucket::Window(..))).then_some(window)
}
