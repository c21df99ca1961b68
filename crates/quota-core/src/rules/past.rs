//! The window of an instant that has passed: where use that is told late is counted (X5).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::allowance::{Allowance, FurtherLimit, Standing};
use super::context::Context;
use super::counting::is_window_of;
use super::desk::Desk;
use super::records::Records;
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Feature, Per};
use crate::draw::Scope;
use crate::home::Account;
use crate::ids::AccountId;
use crate::terms::{Status, Subscription, Terms};

/// The allowance of an account for a feature at an instant that has passed.
#[derive(Debug)]
pub(super) struct Past {
    /// The user, or the org that is charged with it.
    pub(super) account: AccountId,
    /// It names the balances that count now what was used then: that of the feature's own window, and those of further limits.
    pub(super) own: Allowance,
    /// Those of them that are not live: they are for the moment of a booking.
    pub(super) opened: Vec<Opened>,
}

/// A balance of a window that is not among the live ones; nor is it one that counts now, which is opened when it is used.
#[derive(Debug)]
pub(super) enum Opened {
    /// It was closed.
    Closed(Balance),
    /// There is none yet.
    New(Balance),
}

impl Opened {
    /// The balance as a live one.
    pub(super) fn live(&self) -> Balance {
        match self {
            Self::Closed(balance) => balance.reopened(),
            Self::New(balance) => balance.clone(),
        }
    }

    /// The name of the balance.
    pub(super) fn bucket(&self) -> &Bucket {
        match self {
            Self::Closed(balance) | Self::New(balance) => &balance.bucket,
        }
    }
}

/// The window of `feature` that held `at`: as the terms say, as far as they tell what was then; else as the books do;
/// else counted back from the anchor. Its limit is the one that it had when it was last used.
pub(super) fn past(
    desk: &Desk<'_>,
    id: AccountId,
    feature: &Feature,
    at: DateTime<Utc>,
) -> Result<Past, Rejection> {
    let account = desk.home.accounts.get(&id);
    let account = account.ok_or(Rejection::UnknownAccount)?;
    let context = &desk.context;
    let records = Records::of(desk.home, &id, account);
    let mut own = allowance_at(account, feature, context, at, &records);
    own.bucket = records.resolved(&own.bucket);
    let mut present = context.allowance(account, feature);
    let (further, mut opened) = further_then(&records, feature, (&present, &own), at);
    present.further.clone_from(&further);
    own.further = further;
    // What is told late is sold in the period that runs, if any: the bill of one that is over stays (C11).
    own.selling.clone_from(&present.selling);
    if own.bucket == account.books.resolved(&present.bucket) {
        return Ok(Past {
            account: id,
            own: present,
            opened,
        });
    }
    let balance = match (
        account.books.balance(&own.bucket),
        records.closed(&own.bucket),
    ) {
        (Some(live), _) => live.clone(),
        (None, Some(closed)) => {
            opened.push(Opened::Closed(closed.clone()));
            closed.clone()
        }
        (None, None) => {
            let new = new_window(&own);
            opened.push(Opened::New(new.clone()));
            new
        }
    };
    if own.standing == Standing::InForce {
        // Without a limit, and where a plan does not name the feature, books say the same: only use tells.
        let is_known = matches!(balance.granted, Limit::Of(_)) || balance.used != 0;
        let limit = if is_known {
            own.rolled_over = balance.rolled_over;
            Some(balance.granted.minus(balance.rolled_over))
        } else {
            own.limit()
        };
        own.override_value = None;
        (own.plan_value, own.added) = if own.is_by_addon {
            (None, limit)
        } else {
            (limit, None)
        };
    }
    Ok(Past {
        account: id,
        own,
        opened,
    })
}

/// The balance of a window in which nothing was used yet.
fn new_window(own: &Allowance) -> Balance {
    let granted = match own.standing {
        Standing::InForce => own.limit_at(Scope::User),
        Standing::Expired | Standing::Overdue | Standing::Never => own.limit(),
    };
    let granted = granted.unwrap_or(Limit::Unlimited);
    Balance {
        ends_at: own.window.ends_at,
        rolled_over: own.rolled_over,
        ..Balance::new(own.bucket.clone(), granted, own.window.starts_at)
    }
}

/// The further limits of a feature in their windows that held `at` (C9), as they are now and as they were then; and the balances
/// of those that are not live.
fn further_then(
    records: &Records<'_>,
    feature: &Feature,
    (present, then): (&Allowance, &Allowance),
    at: DateTime<Utc>,
) -> (Vec<FurtherLimit>, Vec<Opened>) {
    let limits = present.further.iter().chain(&then.further);
    let mut pers: Vec<Per> = limits.map(|limit| limit.per).collect();
    pers.extend(records.further_pers(&feature.code, at));
    let mut seen = BTreeSet::new();
    pers.retain(|per| seen.insert(*per));
    let (mut further, mut opened) = (Vec::with_capacity(pers.len()), Vec::new());
    for per in pers {
        let of_per = |limit: &&FurtherLimit| limit.per == per;
        let now = present.further.iter().find(of_per);
        let then = then.further.iter().find(of_per);
        let known = records.further_at(&feature.code, per, at);
        if let Some(limit) = counts_now(now, known, at) {
            further.push(limit.clone());
        } else if let Some(known) = known {
            further.push(FurtherLimit {
                per,
                bucket: known.bucket.clone(),
                window: known.window(),
                counts_until: known.ends_at,
                limit: known.granted,
                plan_value: Some(own_of(known, now)),
                added: now.and_then(|now| now.added),
                rolled_over: known.rolled_over,
                is_waiting: false,
            });
            let is_closed = !records.is_live(&known.bucket);
            opened.extend(is_closed.then(|| Opened::Closed(known.clone())));
        } else if let Some(then) = then {
            let (limit, new) = begun(records, then, at);
            further.push(limit);
            opened.push(Opened::New(new));
        }
    }
    (further, opened)
}

/// What the plan said of a limit in a window that is known, as far as what add-ons add now tells.
fn own_of(known: &Balance, now: Option<&FurtherLimit>) -> Limit {
    let added = now.and_then(|now| now.added).and_then(Limit::ceiling);
    let whole = known.granted.minus(known.rolled_over);
    whole.minus(added.unwrap_or(0))
}

/// The limit in its window that counts now, where that held `at`, or what was used at `at` was moved to it.
fn counts_now<'a>(
    now: Option<&'a FurtherLimit>,
    known: Option<&Balance>,
    at: DateTime<Utc>,
) -> Option<&'a FurtherLimit> {
    let now = now?;
    let runs = !now.is_waiting && now.window.contains(at);
    let is_moved_to = known.is_some_and(|known| known.bucket == now.bucket);
    (runs || is_moved_to).then_some(now)
}

/// A further limit in a window in which nothing was used yet, and the balance of that.
fn begun(records: &Records<'_>, then: &FurtherLimit, at: DateTime<Utc>) -> (FurtherLimit, Balance) {
    let is_other = |other: &Bucket| is_window_of(other, &then.bucket);
    let window = records.between(then.window, at, is_other);
    let bucket = then.bucket.clone().beginning_at(window.starts_at);
    let new = Balance {
        ends_at: window.ends_at,
        rolled_over: then.rolled_over,
        ..Balance::new(bucket.clone(), then.limit, window.starts_at)
    };
    let limit = FurtherLimit {
        bucket,
        window,
        counts_until: window.ends_at,
        is_waiting: false,
        ..then.clone()
    };
    (limit, new)
}

fn allowance_at(
    account: &Account,
    feature: &Feature,
    context: &Context<'_>,
    at: DateTime<Utc>,
    records: &Records<'_>,
) -> Allowance {
    let then = Context {
        now: at,
        ..*context
    };
    let Some(held) = &account.terms.subscription else {
        return then.allowance(account, feature);
    };
    let balances = records.of_windows(feature);
    let with = |subscription: Option<Subscription>| {
        let terms = Terms {
            subscription,
            ..account.terms.clone()
        };
        super::allowance::allowance((&terms, &balances), feature, then.asked())
    };
    let (mut own, basis) = if held.starts_at <= at {
        let current = held.current(then.catalog, at);
        let mut own = with(Some(as_it_was(&current, at)));
        let is_doubtful = current.status == Status::Unpaid;
        if is_doubtful && records.balance(&own.bucket).is_none() {
            own = with(Some(current.into_owned()));
        }
        (own, Basis::Terms)
    } else {
        match earlier_period(held, feature, at) {
            Some(earlier) if held.anchor_at <= at => (with(Some(earlier)), Basis::Terms),
            Some(earlier) => (with(Some(earlier)), Basis::Guess),
            None => (with(None), Basis::Guess),
        }
    };
    let known = records.window_at(feature, at).filter(|known| match basis {
        Basis::Guess => true,
        Basis::Terms if own.is_waiting => true,
        // The plan or the zone may have been another.
        Basis::Terms => own.standing == Standing::InForce && own.window.starts_at < known.starts_at,
    });
    let is_window = matches!(own.bucket, Bucket::Window(..) | Bucket::Tracked(..));
    // Without a subscription the window is what it would be now: it counts again when none is in force again.
    let is_tracked = matches!(own.bucket, Bucket::Tracked(..)) && !own.is_waiting;
    let is_free = match basis {
        Basis::Guess | Basis::Terms if is_tracked => false,
        // Before all that is known it goes to the first window.
        Basis::Guess => own.window.contains(at) && !records.holds(&own.bucket, at),
        // What is told late begins a window that ends where the next one began (W7).
        Basis::Terms => own.is_waiting || records.is_another(&own.bucket, at),
    };
    if known.is_none() && is_window && is_free {
        let is_other = |other: &Bucket| is_own_window(other, feature);
        own.window = records.between(own.window, at, is_other);
        own.bucket = own.bucket.beginning_at(own.window.starts_at);
    }
    if let Some(known) = known.filter(|_| is_window) {
        own.standing = Standing::InForce;
        own.bucket = known.bucket.clone();
        own.window = known.window();
    }
    // Which further limits another plan had tell the books alone.
    let was_other = held.plan_since.is_some_and(|since| at < since);
    if basis == Basis::Guess || was_other {
        own.further.clear();
    }
    own
}

/// Whether it is one of the feature's own windows, under a subscription or without one.
fn is_own_window(bucket: &Bucket, feature: &Feature) -> bool {
    match bucket {
        Bucket::Window(code, _) | Bucket::Tracked(code, _) => *code == feature.code,
        Bucket::Further(..)
        | Bucket::Standing(_)
        | Bucket::Trial(_)
        | Bucket::Grant(_)
        | Bucket::Boost(..)
        | Bucket::Room(_)
        | Bucket::Member(..)
        | Bucket::OnDemand(..)
        | Bucket::Token(_)
        | Bucket::TokenWindow(..) => false,
    }
}

/// Where the window of an instant is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    /// What the account has now says what it had then.
    Terms,
    /// Counted back beyond that: what the books have is more certain.
    Guess,
}

/// A subscription before it was canceled or became unpaid: whether it was in force then is said by its period. Since
/// when it is unpaid is not known.
fn as_it_was(held: &Subscription, at: DateTime<Utc>) -> Subscription {
    let mut held = held.clone();
    let was_paid = match held.status {
        Status::Active | Status::Trialing | Status::Unpaid => true,
        Status::Canceled => held.cancel_at.is_some_and(|cancel_at| at < cancel_at),
        // It knows since when.
        Status::PastDue => false,
    };
    if was_paid {
        held.status = Status::Active;
    }
    held
}

/// The period before the stored one that held `at`, counted from the anchor; none when there was a gap in between, or
/// none before it.
fn earlier_period(
    held: &Subscription,
    feature: &Feature,
    at: DateTime<Utc>,
) -> Option<Subscription> {
    let since = held.runs_since();
    if at < since {
        return None;
    }
    let (starts_at, ends_at) = if Per::of(feature).is_calendar() {
        (since, held.starts_at)
    } else {
        held.period_of(at)
    };
    Some(Subscription {
        status: Status::Active,
        past_due_at: None,
        anchor_at: held.anchor_at.min(starts_at),
        starts_at: starts_at.max(since),
        ends_at: ends_at.min(held.starts_at),
        runs_since: Some(since),
        renews: false,
        renews_until: None,
        cancel_at: None,
        scheduled: None,
        upcoming: Some(Box::new(held.clone())),
        ..held.clone()
    })
}
