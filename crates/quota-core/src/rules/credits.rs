//! Credits are granted.

use super::desk::Desk;
use super::outcome::Outcome;
use super::posting::{own_scope, signed};
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::change::Change;
use crate::command::{GRANTS_MAX, GrantCredits};
use crate::draw::Source;
use crate::operation::Entry;

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
    let is_known = account.books.closed_grants.contains(grant);
    if is_known || account.books.balance(&bucket).is_some() {
        return Err(Rejection::GrantExists);
    }
    let is_live = |balance: &&Balance| {
        matches!(balance.bucket, Bucket::Grant(_)) && balance.remaining(now) != 0
    };
    if account.books.balances.iter().filter(is_live).count() >= GRANTS_MAX {
        return Err(Rejection::Full { field: "grant" });
    }
    account.books.balances.push(Balance {
        ends_at: asked.expires_at,
        priority: asked.priority,
        ..Balance::new(bucket.clone(), Limit::Of(credits), now)
    });
    let entry = Entry {
        scope: own_scope(&desk.request.account),
        account: desk.request.account.clone(),
        bucket,
        feature: None,
        source: Source::Credits,
        used: 0,
        held: 0,
        overage: 0,
        granted: signed(credits),
        unit_cost: 1,
    };
    let detail = Some(format!("{grant}: {credits}"));
    Ok(desk.changed(Change::CreditsGranted, detail, vec![entry]))
}
