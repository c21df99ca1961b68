//! Credits that will be lost soon: told before, once for each grant and bound of days (P22).

use chrono::{DateTime, TimeDelta, Utc};

use super::desk::Desk;
use super::outcome::Outcome;
use super::wallet::{GrantStanding, standings};
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::change::Change;
use crate::command::TellExpiry;
use crate::event::EventKind;
use crate::home::Books;
use crate::ids::GrantId;

/// What is to be told of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// The grant.
    pub grant: GrantId,
    /// Credits of it that can still be spent.
    pub credits: u64,
    /// When they are lost.
    pub expires_at: DateTime<Utc>,
    /// The bound that it is within.
    pub days: u32,
}

/// The grants of which it is to be told now that they end within one of these bounds, in days of 24 hours. Of several bounds it is
/// the least that counts; one as wide as that which was told before tells nothing new.
pub fn expiring(books: &Books, bounds: &[u32], now: DateTime<Utc>) -> Vec<Expiring> {
    let ends_within = |balance: &Balance| {
        let bound = least_bound(balance, bounds, now);
        let told = balance.told_days;
        bound.is_some_and(|days| told == 0 || days < told)
    };
    if !books.balances.iter().any(ends_within) {
        return Vec::new();
    }
    let standings = standings(&books.balances, now);
    let due = standings.iter().filter(|one| ends_within(&one.balance));
    let told = due.filter_map(|GrantStanding { balance, covers }| {
        let Bucket::Grant(grant) = &balance.bucket else {
            return None;
        };
        let credits = balance.remaining(now).saturating_sub(*covers);
        Some(Expiring {
            grant: grant.clone(),
            credits: (credits != 0).then_some(credits)?,
            expires_at: balance.ends_at?,
            days: least_bound(balance, bounds, now)?,
        })
    });
    told.collect()
}

/// The least bound within which a live grant ends.
fn least_bound(balance: &Balance, bounds: &[u32], now: DateTime<Utc>) -> Option<u32> {
    let ends_at = balance.ends_at?;
    let is_live = matches!(balance.bucket, Bucket::Grant(_)) && now < ends_at;
    let within = |days: &&u32| {
        let span = TimeDelta::try_days(i64::from(**days)).unwrap_or(TimeDelta::MAX);
        ends_at.signed_duration_since(now) <= span
    };
    bounds
        .iter()
        .filter(within)
        .min()
        .copied()
        .filter(|_| is_live)
}

/// Tells in an event each what of the account's credits will be lost soon.
pub(crate) fn tell_expiry(desk: &mut Desk<'_>, asked: &TellExpiry) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let account = desk.account_mut()?;
    let due = expiring(&account.books, &asked.days, now);
    if due.is_empty() {
        return Ok(desk.unchanged());
    }
    for one in &due {
        let bucket = Bucket::Grant(one.grant.clone());
        if let Some(balance) = account.books.balance_mut(&bucket) {
            balance.told_days = one.days;
        }
    }
    let grants: Vec<&str> = due.iter().map(|one| one.grant.as_str()).collect();
    let detail = Some(grants.join(", "));
    desk.mark_terms();
    let booking = desk.change_booking(Change::ExpiryTold, detail);
    let outcome = desk.book(booking);
    for one in due {
        let kind = EventKind::CreditsExpiring {
            grant: one.grant,
            credits: one.credits,
            expires_at: one.expires_at,
            days: one.days,
        };
        desk.announce(&outcome.operation, kind);
    }
    Ok(outcome)
}
