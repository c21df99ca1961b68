//! Cover: what is used of grants beyond their worth, and which other grants answer for it (P10). Nothing of it is booked.

use chrono::{DateTime, Utc};

use crate::balance::{Balance, Bucket};

/// The credit grants among balances.
pub(crate) fn grants(balances: &[Balance]) -> impl Iterator<Item = &Balance> {
    balances
        .iter()
        .filter(|balance| matches!(balance.bucket, Bucket::Grant(_)))
}

/// What live grants have to cover: all that is used beyond the worth of grants, less what grants that ended go on covering.
pub(crate) fn owed(balances: &[Balance], now: DateTime<Utc>) -> u64 {
    // Nearly no account has any: that is told by a look at each.
    if balances.iter().all(|balance| balance.short() == 0) {
        return 0;
    }
    let mut shorts = shorts_of(balances, Balance::short);
    cover_by_ended(&mut shorts, ended(balances, now));
    sum(shorts.iter().map(|short| short.credits))
}

/// What is used beyond a grant's worth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Short {
    /// When the grant began.
    began_at: DateTime<Utc>,
    /// Credits that nothing covers yet.
    pub(crate) credits: u64,
}

pub(crate) fn shorts_of(balances: &[Balance], short: fn(&Balance) -> u64) -> Vec<Short> {
    let shorts = grants(balances).map(|grant| Short {
        began_at: grant.starts_at,
        credits: short(grant),
    });
    shorts.filter(|short| short.credits != 0).collect()
}

/// A grant that ended with something left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    bucket: &'a Bucket,
    at: DateTime<Utc>,
    idle: u64,
}

pub(crate) fn ended(balances: &[Balance], now: DateTime<Utc>) -> Vec<Ended<'_>> {
    grants(balances)
        .filter_map(|grant| ended_with(grant, now))
        .collect()
}

fn ended_with(grant: &Balance, now: DateTime<Utc>) -> Option<Ended<'_>> {
    let idle = grant.idle();
    let at = grant.ends_at.filter(|at| *at <= now && idle != 0)?;
    Some(Ended {
        bucket: &grant.bucket,
        at,
        idle,
    })
}

/// Covers what is short with what grants had left at their end: each what of grants was short that had begun by then, whenever it
/// is told what came back of them. So a grant goes on covering what it covered, and the order of the facts says nothing. What a
/// grant may cover, one that ended later may too: so the earliest first leaves the least uncovered.
///
/// Gives what each of them covers.
pub(crate) fn cover_by_ended<'a>(
    shorts: &mut [Short],
    mut ended: Vec<Ended<'a>>,
) -> Vec<(&'a Bucket, u64)> {
    if shorts.is_empty() {
        return Vec::new();
    }
    ended.sort_by_key(|ended| (ended.at, ended.bucket));
    let cover = |ended: Ended<'a>| {
        let mut left = ended.idle;
        for short in shorts.iter_mut().filter(|short| short.began_at <= ended.at) {
            let part = short.credits.min(left);
            short.credits = short.credits.saturating_sub(part);
            left = left.saturating_sub(part);
        }
        (ended.bucket, ended.idle.saturating_sub(left))
    };
    ended.into_iter().map(cover).collect()
}

/// Whether a balance stays among the live ones though nothing of it can be spent: more is used of it than it is worth, or it
/// ended with something left that covers such use, or may come to.
pub(crate) fn is_needed(balances: &[Balance], balance: &Balance) -> bool {
    if balance.short() != 0 {
        return true;
    }
    let Some(ends_at) = balance.ends_at.filter(|_| balance.bucket.is_given()) else {
        return false;
    };
    let may_cover = |other: &Balance| other.may_be_short() != 0 && other.starts_at <= ends_at;
    matches!(balance.bucket, Bucket::Grant(_))
        && balance.idle() != 0
        && balances.iter().any(may_cover)
}

/// Which of the closed grants cover what is used beyond the worth of live ones, or may come to.
pub(crate) fn needed_of_closed<'a>(
    balances: &[Balance],
    closed: impl Iterator<Item = &'a Balance>,
    now: DateTime<Utc>,
) -> Vec<Bucket> {
    let mut shorts = shorts_of(balances, Balance::may_be_short);
    if shorts.is_empty() {
        return Vec::new();
    }
    let is_live = |bucket: &Bucket| balances.iter().any(|live| live.bucket == *bucket);
    let closed = closed.filter(|closed| matches!(closed.bucket, Bucket::Grant(_)));
    let closed = closed.filter(|closed| !is_live(&closed.bucket));
    let mut all = ended(balances, now);
    all.extend(closed.filter_map(|closed| ended_with(closed, now)));
    let covers = cover_by_ended(&mut shorts, all).into_iter();
    let needed = covers.filter(|(bucket, part)| *part != 0 && !is_live(bucket));
    needed.map(|(bucket, _)| bucket.clone()).collect()
}

/// All of them together.
pub(crate) fn sum(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0, u64::saturating_add)
}
