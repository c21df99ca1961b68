//! Credits are granted, and taken back.

use super::closing::why_empty;
use super::desk::Desk;
use super::outcome::Outcome;
use super::posting::{negated, signed, worth_entry};
use super::purchases::{recall_cover, reopen_grant};
use crate::amount::{Amount, Limit};
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::change::Change;
use crate::command::{GRANTS_MAX, GrantCredits, TakeBackCredits};
use crate::draw::Source;
use crate::emptied::Emptied;

/// Adds prepaid credits as a grant of its own.
pub(crate) fn grant_credits(
    desk: &mut Desk<'_>,
    asked: &GrantCredits,
) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    desk.context.must_be_later("expires_at", asked.expires_at)?;
    let (grant, credits) = (&asked.grant, asked.credits.get());
    let account = desk.account_mut()?;
    let bucket = Bucket::Grant(grant.clone());
    let waits = account.books.waiting.iter().any(|one| one.bucket == bucket);
    let is_known = waits || account.books.closed_grants.contains(grant);
    if is_known || account.books.balance(&bucket).is_some() {
        return Err(Rejection::GrantExists);
    }
    let is_live = |balance: &&Balance| {
        matches!(balance.bucket, Bucket::Grant(_)) && balance.remaining(now) != 0
    };
    if account.books.balances.iter().filter(is_live).count() >= GRANTS_MAX {
        return Err(Rejection::Full {
            field: "grant",
            most: GRANTS_MAX,
            next: "grant more at once, or use some up first",
        });
    }
    account.books.balances.push(Balance {
        ends_at: asked.expires_at,
        priority: asked.priority,
        ..Balance::new(bucket.clone(), Limit::Of(credits), now)
    });
    let entry = worth_entry(desk, bucket, Source::Credits, signed(credits));
    let detail = Some(format!("{grant}: {credits}"));
    Ok(desk.book_and_announce(Change::CreditsGranted, detail, vec![entry]))
}

/// Takes back what nobody has spent or reserved of a grant that was made by hand, or as much as is said of it; what was spent
/// of that is a debt that other grants pay first (P19, P10).
pub(crate) fn take_back_credits(
    desk: &mut Desk<'_>,
    asked: &TakeBackCredits,
) -> Result<Outcome, Rejection> {
    let now = desk.context.now;
    let grant = &asked.grant;
    let bucket = Bucket::Grant(grant.clone());
    let is_closed = desk.account()?.books.closed_grants.contains(grant);
    let why = why_empty(desk, |closed| *closed == bucket);
    let is_live = desk.account()?.books.balance(&bucket).is_some();
    if !is_live && (asked.credits.is_none() || !reopen_grant(desk, &bucket)?) {
        return Err(if is_closed {
            Rejection::GrantEmpty { why }
        } else {
            Rejection::UnknownGrant(grant.clone())
        });
    }
    let account = desk.account_mut()?;
    let balance = account.books.balance_mut(&bucket);
    let balance = balance.ok_or_else(|| Rejection::UnknownGrant(grant.clone()))?;
    let backing = balance.backing.as_ref();
    if backing.is_some_and(|backing| backing.purchase.is_some()) {
        return Err(Rejection::GrantBought(grant.clone()));
    }
    let left = balance.remaining(now);
    let credits = asked.credits.map_or(left, Amount::get);
    let worth = balance.worth();
    if credits == 0 || worth == 0 {
        let why = Emptied::of(balance, now);
        return Err(Rejection::GrantEmpty { why });
    }
    if worth < credits {
        return Err(Rejection::GrantTooSmall { left: worth });
    }
    let unspent = credits.min(balance.idle());
    balance.granted = Limit::Of(balance.granted.room(unspent));
    let spent = credits.saturating_sub(unspent);
    if spent != 0 {
        let backing = balance.backing.get_or_insert_default();
        backing.revoked = backing.revoked.saturating_add(spent);
        recall_cover(desk)?;
    }
    let entry = worth_entry(desk, bucket, Source::Credits, negated(credits));
    let detail = Some(format!("{grant}: {credits}"));
    Ok(desk.book_and_announce(Change::CreditsTakenBack, detail, vec![entry]))
}
