//! Release of capacity: what is deleted is occupied no more (X4).

use super::desk::Desk;
use super::outcome::Outcome;
use super::posting::{Posting, count_units, post, scope_account, signed, taken_back};
use super::standing::standing_of;
use crate::answer::{Answer, Rejection};
use crate::balance::{Balance, Bucket};
use crate::catalog::{Feature, Kind};
use crate::command::ReleaseCapacity;
use crate::draw::{Scope, Source};
use crate::ids::AccountId;

/// Gives occupied capacity back at user and org, not below 0 (X4). What was taken last goes first: an org that the user
/// joined with something gets back what it was charged, and no more.
pub(crate) fn release_capacity(
    desk: &mut Desk<'_>,
    asked: &ReleaseCapacity,
) -> Result<Outcome, Rejection> {
    let feature = desk.context.feature(&asked.feature)?;
    if feature.kind != Kind::Capacity {
        return Err(Rejection::NotCapacity(asked.feature.clone()));
    }
    let mut scopes = vec![Scope::User];
    scopes.extend(desk.account()?.terms.org.as_ref().map(|_| Scope::Org));
    let mut entries = Vec::new();
    let mut amount = asked.amount.get();
    for scope in scopes {
        let id = scope_account(desk.home, &desk.request.account, scope).clone();
        let (mut lowered, mut charged) = (0_u64, 0_u64);
        for bucket in occupied(desk, &id, feature)? {
            let account = desk.home.accounts.get(&id).ok_or(Rejection::UnknownOrg)?;
            let Some(balance) = account.books.balance(&bucket) else {
                continue;
            };
            charged = charged.saturating_add(balance.spent().saturating_sub(balance.brought));
            // The overage first, then what the allowance paid.
            let wanted = amount.saturating_sub(lowered);
            let from_overage = balance.overage.min(wanted);
            let from_used = balance.used.min(wanted.saturating_sub(from_overage));
            let from_both = from_overage.saturating_add(from_used);
            if from_both == 0 {
                continue;
            }
            let posting = Posting {
                scope,
                bucket,
                feature: Some(asked.feature.clone()),
                source: Source::Allowance,
                unit_cost: 1,
                used: taken_back(from_used),
                held: 0,
                overage: taken_back(from_overage),
            };
            entries.push(post(desk, &id, posting)?);
            lowered = lowered.saturating_add(from_both);
        }
        if lowered != 0 {
            // What was used once was used: giving room back does not lower the lifetime total.
            count_units(desk, &id, &asked.feature, signed(lowered))?;
        }
        amount = lowered.min(charged);
    }
    let balances = standing_of(desk, None, &asked.feature);
    let mut booking = desk.booking(Answer::Allowed { balances });
    booking.entries = entries;
    Ok(desk.book(booking))
}

/// Where a capacity is counted now; and while nothing is in force, the window of the period too, if that is not over:
/// it may come back.
fn occupied(desk: &Desk<'_>, id: &AccountId, feature: &Feature) -> Result<Vec<Bucket>, Rejection> {
    let context = &desk.context;
    let account = desk.home.accounts.get(id).ok_or(Rejection::UnknownOrg)?;
    let current = context.allowance(account, feature).bucket;
    let current = account.books.resolved(&current);
    let waits = |balance: &&Balance| {
        let is_window = matches!(&balance.bucket, Bucket::Window(code, _) if *code == feature.code);
        let is_over = balance
            .ends_at
            .is_some_and(|ends_at| ends_at <= context.now);
        is_window && !is_over && balance.bucket != current && balance.moved_to.is_none()
    };
    let waiting = account.books.balances.iter().filter(waits);
    let waiting = waiting.map(|balance| balance.bucket.clone());
    Ok(std::iter::once(current.clone()).chain(waiting).collect())
}
