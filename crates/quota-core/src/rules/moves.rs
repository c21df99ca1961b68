//! Moving usage: when the plan or the zone changes, the windows change, and what must count on is moved along.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::allowance::{Allowance, allowance};
use super::context::Context;
use super::counting::is_window_of;
use super::desk::Desk;
use super::opening::current_grant;
use super::posting::{Posting, count_units, negated, own_scope, post, signed};
use super::reopening::reopen_what_counts;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Anchor, Feature, Per};
use crate::draw::{Scope, Source};
use crate::home::Account;
use crate::ids::FeatureCode;
use crate::operation::Entry;
use crate::terms::{Subscription, Terms};

/// Gives an account new terms. Where that changes the window in which a feature counts and `counts_on` says so,
/// what is used and held there is moved to the new window, and the old one points to it.
pub(crate) fn move_usage(
    desk: &mut Desk<'_>,
    terms: Terms,
    counts_on: impl Fn(&Feature) -> bool,
) -> Result<Vec<Entry>, Rejection> {
    move_usage_where(desk, terms, |feature, per, (old, new)| {
        counts_on(feature) || reaches_back(old, new, per)
    })
}

/// The same, where `counts_on` says so of a limit and its windows, that which counted and that which counts.
pub(super) fn move_usage_where(
    desk: &mut Desk<'_>,
    terms: Terms,
    counts_on: impl Fn(&Feature, Per, (&Bucket, &Bucket)) -> bool,
) -> Result<Vec<Entry>, Rejection> {
    let context = desk.context;
    let account = desk.account_mut()?;
    let features: Vec<&Feature> = context.catalog.features.values().collect();
    let buckets = |account: &Account| -> Vec<Windows> {
        let of_feature = |feature: &&Feature| windows(&context.allowance(account, feature));
        features.iter().map(of_feature).collect()
    };
    let old = buckets(account);
    let ended = current(account, &context).and_then(|held| held.fell_back_at);
    account.terms = terms;
    let goes_on = ended.is_some_and(|ended_at| {
        let held = current(account, &context);
        held.is_some_and(|held| held.fell_back_at.is_none() && held.starts_at <= ended_at)
    });
    desk.mark_terms();
    reopen_what_counts(desk, goes_on)?;
    if goes_on {
        roll_over_anew(desk)?;
    }
    let new = buckets(desk.account()?);
    let mut entries = Vec::new();
    let features = features.iter().zip(old).zip(new);
    let changed = features.flat_map(|((feature, old), new)| {
        let of_limit = move |(per, new): (Option<Per>, Bucket)| {
            let old = old.iter().find(|(of, _)| *of == per);
            let old = old.map(|(_, old)| old.clone())?;
            (old != new).then_some((*feature, per, old, new))
        };
        new.into_iter().filter_map(of_limit)
    });
    for (feature, per, old, new) in changed.collect::<Vec<_>>() {
        // A window that was left before and is come back to has its use and its holds elsewhere; since then the
        // account may have counted in another window still.
        let resolved = |bucket: &Bucket| {
            let account = desk.account();
            account.map_or_else(|_| bucket.clone(), |found| found.books.resolved(bucket))
        };
        let mut from = vec![resolved(&new)];
        let per = per.unwrap_or(Per::of(feature));
        if counts_on(feature, per, (&old, &new)) {
            from.push(resolved(&old));
        }
        from.dedup();
        from.retain(|bucket| *bucket != new);
        for bucket in &from {
            entries.extend(move_bucket(desk, feature, bucket, &new)?);
        }
    }
    correct_ends(desk)?;
    Ok(entries)
}

/// Whether a window of the calendar is the same one, and only begins earlier: the account had a subscription for longer than was
/// known (W4).
fn reaches_back(old: &Bucket, new: &Bucket, per: Per) -> bool {
    let begins_earlier = new.starts_at_micros() < old.starts_at_micros();
    per.is_calendar() && is_window_of(old, new) && begins_earlier
}

/// The buckets that count a feature, each with the limit beside the feature's own that it is of.
type Windows = Vec<(Option<Per>, Bucket)>;

fn windows(own: &Allowance) -> Windows {
    let further = own.further.iter();
    let further = further.map(|limit| (Some(limit.per), limit.bucket.clone()));
    std::iter::once((None, own.bucket.clone()))
        .chain(further)
        .collect()
}

fn current<'a>(account: &'a Account, context: &Context<'_>) -> Option<Cow<'a, Subscription>> {
    let held = account.terms.subscription.as_ref()?;
    Some(held.current(context.catalog, context.now))
}

/// Windows that were begun by the default plan, to which the account had fallen back: there comes over into them what would have, had
/// the renewal not been late (C10, S9).
fn roll_over_anew(desk: &mut Desk<'_>) -> Result<(), Rejection> {
    let context = desk.context;
    let account = desk.account_mut()?;
    for feature in context.catalog.features.values() {
        for (_, bucket) in windows(&context.allowance(account, feature)) {
            let balances = &account.books.balances;
            if !balances.iter().any(|open| open.bucket == bucket) {
                continue;
            }
            let others = balances.iter().filter(|other| other.bucket != bucket);
            let others: Vec<Balance> = others.cloned().collect();
            let own = allowance((&account.terms, &others), feature, context.asked());
            let rolled_over = own.rolled_over_into(&bucket);
            if let (Some(rolled_over), Some(open)) =
                (rolled_over, account.books.balance_mut(&bucket))
            {
                open.rolled_over = rolled_over;
            }
        }
    }
    Ok(())
}

/// What counts under the new terms ends in the books where they end it, has what comes over under them, and the limit that they
/// give it: of that what is left goes over, whether something more is used of it or not (C10).
pub(super) fn correct_ends(desk: &mut Desk<'_>) -> Result<(), Rejection> {
    let context = desk.context;
    let scope = own_scope(&desk.request.account);
    let account = desk.account_mut()?;
    for feature in context.catalog.features.values() {
        let own = context.allowance(account, feature);
        grant_anew(account, &context, (&own, scope));
        if matches!(own.bucket, Bucket::Window(..))
            && let Some(balance) = account.books.balance_mut(&own.bucket)
        {
            (balance.ends_at, balance.rolled_over) = (own.counts_until, own.rolled_over);
        }
        if let Some(sold) = &own.selling
            && let Some(balance) = account.books.balance_mut(&sold.bucket)
        {
            balance.ends_at = sold.period.ends_at;
        }
        for limit in own.further {
            if let Some(balance) = account.books.balance_mut(&limit.bucket) {
                (balance.ends_at, balance.rolled_over) = (limit.counts_until, limit.rolled_over);
            }
        }
    }
    Ok(())
}

/// Gives the live windows of a feature the limits that count now. An override leaves them what they had: it is no limit of theirs.
fn grant_anew(account: &mut Account, context: &Context<'_>, (own, scope): (&Allowance, Scope)) {
    if !own.in_force() || own.override_value.is_some() {
        return;
    }
    let further = own.further.iter().map(|limit| &limit.bucket);
    for bucket in std::iter::once(&own.bucket).chain(further) {
        let granted = current_grant(account, context, bucket, (Some(own), scope));
        let is_window = matches!(bucket, Bucket::Window(..) | Bucket::Further(..));
        if let Some((granted, _)) = granted.filter(|_| is_window)
            && let Some(balance) = account.books.balance_mut(bucket)
        {
            balance.granted = granted;
        }
    }
}

/// Moves what is used and held in a bucket to another one, to which it points from then on.
pub(super) fn move_bucket(
    desk: &mut Desk<'_>,
    feature: &Feature,
    old: &Bucket,
    new: &Bucket,
) -> Result<Vec<Entry>, Rejection> {
    let id = &desk.request.account;
    let account = desk.account_mut()?;
    // The window may have been left before, and is come back to now.
    if let Some(back) = account.books.balance_mut(new) {
        back.moved_to = None;
    }
    let Some(balance) = account.books.balance(old) else {
        return Ok(Vec::new());
    };
    let (used, held, overage) = (balance.used, balance.held, balance.overage);
    let (reset_sequence, reset_at) = (balance.reset_sequence, balance.reset_at);
    let rolled_over = balance.rolled_over;
    let first = balance.first_bucket().clone();
    let was_empty = account
        .books
        .balance(new)
        .is_none_or(|new| new.spent() == 0);
    let scope = own_scope(id);
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
    let left = posting(old, changes(negated));
    let entered = posting(new, changes(signed));
    let entries = vec![post(desk, id, left)?, post(desk, id, entered)?];
    if let Ok(account) = desk.account_mut() {
        if let Some(left) = account.books.balance_mut(old) {
            left.moved_to = Some(new.clone());
        }
        if let Some(entered) = account.books.balance_mut(new) {
            entered.reset_sequence = entered.reset_sequence.max(reset_sequence);
            entered.reset_at = entered.reset_at.max(reset_at);
            entered.rolled_over = entered.rolled_over.max(rolled_over);
            if was_empty {
                entered.began_as = Some(first).filter(|first| first != new);
            }
        }
    }
    Ok(entries)
}

/// Sets `used` and `overage` of balances to 0; what was used once stays in the lifetime total, and is not given back
/// later (X6). A token's cap is of no feature (T3).
pub(crate) fn zero(
    desk: &mut Desk<'_>,
    buckets: Vec<(Bucket, Option<FeatureCode>)>,
) -> Result<Vec<Entry>, Rejection> {
    let id = &desk.request.account;
    let (sequence, now) = (desk.home.version.saturating_add(1), desk.context.now);
    let mut entries = Vec::with_capacity(buckets.len());
    for (bucket, feature) in buckets {
        let account = desk.account_mut()?;
        let bucket = account.books.resolved(&bucket);
        let Some(balance) = account.books.balance_mut(&bucket) else {
            continue;
        };
        (balance.reset_sequence, balance.reset_at) = (sequence, Some(now));
        let (used, overage, spent) = (balance.used, balance.overage, balance.spent());
        if spent == 0 {
            continue;
        }
        let scope = if matches!(bucket, Bucket::Token(_) | Bucket::TokenWindow(..)) {
            Scope::Token
        } else {
            own_scope(id)
        };
        let is_further = bucket.is_further();
        let posting = Posting {
            scope,
            source: Source::of(&bucket),
            bucket,
            feature: feature.clone(),
            unit_cost: 1,
            used: negated(used),
            held: 0,
            overage: negated(overage),
        };
        entries.push(post(desk, id, posting)?);
        if let Some(feature) = feature.as_ref().filter(|_| !is_further) {
            count_units(desk, id, feature, signed(spent))?;
        }
    }
    Ok(entries)
}

/// Ends the windows that a first use began before `since`: a period that begins then restarts them, and the next request begins
/// others (S5, W7).
pub(super) fn end_first_use(desk: &mut Desk<'_>, since: DateTime<Utc>) -> Result<(), Rejection> {
    let (now, features) = (desk.context.now, &desk.context.catalog.features);
    let id = desk.request.account.clone();
    let account = desk.account_mut()?;
    for balance in &mut account.books.balances {
        let begun = match &balance.bucket {
            Bucket::Window(code, _) => {
                let feature = features.get(code);
                feature.is_some_and(|feature| feature.anchor == Anchor::FirstUse)
            }
            Bucket::Further(_, per, _) => per.anchor == Anchor::FirstUse,
            Bucket::Tracked(..)
            | Bucket::Standing(_)
            | Bucket::Trial(_)
            | Bucket::Grant(_)
            | Bucket::Boost(..)
            | Bucket::Room(_)
            | Bucket::Member(..)
            | Bucket::OnDemand(..)
            | Bucket::Token(_)
            | Bucket::TokenWindow(..) => false,
        };
        let runs = balance.ends_at.is_none_or(|ends_at| now < ends_at);
        if begun && runs && balance.starts_at < since {
            balance.ends_at = Some(now);
        }
    }
    desk.home.changes.accounts.insert(id);
    Ok(())
}
