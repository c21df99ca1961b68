//! Moving usage: when the plan or the zone changes, the windows change, and what must count on is moved along.

use super::booking::{Posting, count_units, post, signed, taken_back};
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::catalog::Feature;
use crate::draw::{Scope, Source};
use crate::home::Home;
use crate::ids::{AccountId, AccountKind, FeatureCode};
use crate::operation::Entry;
use crate::rules::context::Context;
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
    let account = home.account_mut(id);
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
    home.changes.terms.insert(id.clone());
    let mut entries = Vec::new();
    for ((feature, old), new) in features.iter().zip(old).zip(new) {
        if old == new {
            continue;
        }
        // A window that was left before and is come back to has its use and its holds elsewhere; since then the
        // account may have counted in another window still.
        let resolved = |bucket: &Bucket| {
            let account = home.accounts.get(id);
            account.map_or_else(|| bucket.clone(), |found| found.books.resolved(bucket))
        };
        let mut from = vec![resolved(&new)];
        if counts_on(feature) {
            from.push(resolved(&old));
        }
        from.dedup();
        from.retain(|bucket| *bucket != new);
        for bucket in &from {
            entries.extend(move_bucket(home, context, id, feature, (bucket, &new))?);
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
    let account = home.account_mut(id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    // The window may have been left before, and is come back to now.
    if let Some(back) = account.books.balance_mut(new) {
        back.moved_to = None;
    }
    let Some(balance) = account.books.balance(old) else {
        return Ok(Vec::new());
    };
    let (used, held, overage) = (balance.used, balance.held, balance.overage);
    let (reset_sequence, brought) = (balance.reset_sequence, balance.brought);
    let scope = scope_of(id);
    let posting = |bucket: &Bucket, (used, held, overage): (i64, i64, i64)| Posting {
        scope,
        bucket: bucket.clone(),
        feature: Some(feature.code.clone()),
        source: Source::Allowance,
        unit_cost: 1,
        used,
        held,
        overage,
    };
    let changes = |change: fn(u64) -> i64| (change(used), change(held), change(overage));
    let left = posting(old, changes(taken_back));
    let entered = posting(new, changes(signed));
    let entries = vec![
        post(home, context, id, left)?,
        post(home, context, id, entered)?,
    ];
    if let Some(account) = home.account_mut(id) {
        if let Some(left) = account.books.balance_mut(old) {
            left.moved_to = Some(new.clone());
        }
        if let Some(entered) = account.books.balance_mut(new) {
            entered.reset_sequence = entered.reset_sequence.max(reset_sequence);
            entered.brought = entered.brought.saturating_add(brought);
        }
    }
    Ok(entries)
}

/// Sets `used` of balances to 0; what was used once stays in the lifetime total, and is not given back later (X6).
/// Overage stays: it was beyond the quota and may be billed.
pub(crate) fn zero(
    home: &mut Home,
    context: &Context<'_>,
    id: &AccountId,
    buckets: Vec<(Bucket, FeatureCode)>,
) -> Result<Vec<Entry>, Rejection> {
    let sequence = home.version.saturating_add(1);
    let mut entries = Vec::with_capacity(buckets.len());
    for (bucket, code) in buckets {
        let account = home.account_mut(id);
        let account = account.ok_or(Rejection::UnknownAccount)?;
        let bucket = account.books.resolved(&bucket);
        let Some(balance) = account.books.balance_mut(&bucket) else {
            continue;
        };
        balance.reset_sequence = sequence;
        let used = balance.used;
        if used == 0 {
            continue;
        }
        let posting = Posting {
            scope: scope_of(id),
            bucket,
            feature: Some(code.clone()),
            source: Source::Allowance,
            unit_cost: 1,
            used: taken_back(used),
            held: 0,
            overage: 0,
        };
        entries.push(post(home, context, id, posting)?);
        count_units(home, id, &code, signed(used))?;
    }
    Ok(entries)
}

fn scope_of(id: &AccountId) -> Scope {
    match id.kind() {
        AccountKind::User => Scope::User,
        AccountKind::Org => Scope::Org,
    }
}
