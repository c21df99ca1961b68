//! Moving usage: when the plan or the zone changes, the windows change, and what must count on is moved along.

use super::booking::{Context, Posting, post, signed, taken_back};
use super::decide::Scope;
use super::funding::Source;
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::catalog::Feature;
use crate::home::Home;
use crate::ids::{AccountId, AccountKind};
use crate::operation::Entry;
use crate::terms::Terms;

/// Gives an account new terms. Where that changes the window in which a feature counts and `counts_on` says so,
/// what is used and held there is moved to the new window, and the old one points to it.
pub(crate) fn move_usage(
    home: &mut Home,
    context: &Context<'_>,
    id: &AccountId,
    terms: Terms,
    counts_on: impl Fn(&Feature) -> bool,
) -> Result<Vec<Entry>, Rejection> {
    let account = home.accounts.get_mut(id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    let features: Vec<&Feature> = context.catalog.features.values().collect();
    let buckets = |account: &crate::home::Account| -> Vec<Bucket> {
        let bucket = |feature: &&Feature| context.allowance(account, feature).bucket;
        features.iter().map(bucket).collect()
    };
    let old = buckets(account);
    account.terms = terms;
    let new = buckets(account);
    home.changes.accounts.insert(id.clone());
    let mut entries = Vec::new();
    for ((feature, old), new) in features.iter().zip(old).zip(new) {
        if old != new && counts_on(feature) {
            entries.extend(move_bucket(home, context, id, feature, (&old, &new))?);
        }
    }
    Ok(entries)
}

fn move_bucket(
    home: &mut Home,
    context: &Context<'_>,
    id: &AccountId,
    feature: &Feature,
    (old, new): (&Bucket, &Bucket),
) -> Result<Vec<Entry>, Rejection> {
    let account = home.accounts.get_mut(id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    // The window may have been left before, and is come back to now.
    if let Some(back) = account.books.balance_mut(new) {
        back.moved_to = None;
    }
    let Some(balance) = account.books.balance(old) else {
        return Ok(Vec::new());
    };
    let (used, held) = (balance.used, balance.held);
    let scope = match id.kind() {
        AccountKind::User => Scope::User,
        AccountKind::Org => Scope::Org,
    };
    let posting = |bucket: &Bucket, used: i64, held: i64| Posting {
        scope,
        bucket: bucket.clone(),
        feature: Some(feature.code.clone()),
        source: Source::Allowance,
        unit_cost: 1,
        used,
        held,
        overage: 0,
    };
    let left = posting(old, taken_back(used), taken_back(held));
    let entered = posting(new, signed(used), signed(held));
    let entries = vec![
        post(home, context, id, left)?,
        post(home, context, id, entered)?,
    ];
    if let Some(account) = home.accounts.get_mut(id)
        && let Some(balance) = account.books.balance_mut(old)
    {
        balance.moved_to = Some(new.clone());
    }
    Ok(entries)
}
