//! The window of an instant that has passed: where use that is told late is counted (X5).

use chrono::{DateTime, Utc};

use super::allowance::{Allowance, FurtherLimit, Standing};
use super::closed::closed_in;
use super::context::Context;
use super::counting::is_window_of;
use super::desk::Desk;
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Anchor, Feature, Per};
use crate::draw::Scope;
use crate::home::{Account, Home, MOVES_MAX};
use crate::ids::AccountId;
use crate::terms::{Status, Subscription, Terms};
use crate::window::Window;

/// The allowance of an account for a feature at an instant that has passed.
#[derive(Debug)]
pub(super) struct Past {
    /// The user, or the org that is charged with it.
    pub(super) account: AccountId,
    /// It names the balance that counts now what was used then.
    pub(super) own: Allowance,
    /// Where that balance is.
    pub(super) place: Place,
}

/// Where the balance of a window is.
#[derive(Debug)]
pub(super) enum Place {
    /// Among the live ones; or it is the window that counts now, and is opened when it is used.
    Live,
    /// It was closed.
    Closed(Balance),
    /// There is none yet.
    New(Balance),
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
    let further = present.further.iter();
    let further = further.filter_map(|limit| further_at(account, limit, at));
    present.further = further.collect();
    own.further.clone_from(&present.further);
    // What is told late is sold in the period that runs, if any: the bill of one that is over stays (C11).
    own.selling.clone_from(&present.selling);
    if own.bucket == account.books.resolved(&present.bucket) {
        let place = Place::Live;
        return Ok(Past {
            account: id,
            own: present,
            place,
        });
    }
    let (balance, place) = match (
        account.books.balance(&own.bucket),
        records.closed(&own.bucket),
    ) {
        (Some(live), _) => (live.clone(), Place::Live),
        (None, Some(closed)) => (closed.clone(), Place::Closed(closed.clone())),
        (None, None) => {
            let granted = match own.standing {
                Standing::InForce => own.limit_at(Scope::User),
                Standing::Expired | Standing::Never => own.limit(),
            };
            let granted = granted.unwrap_or(Limit::Unlimited);
            let new = Balance {
                ends_at: own.window.ends_at,
                rolled_over: own.rolled_over,
                ..Balance::new(own.bucket.clone(), granted, own.window.starts_at)
            };
            (new.clone(), Place::New(new))
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
        place,
    })
}

/// A further limit in its window that held `at`: the one that counts now, or one that is still among the live balances. One
/// that was closed limits nothing any more.
fn further_at(account: &Account, limit: &FurtherLimit, at: DateTime<Utc>) -> Option<FurtherLimit> {
    if !limit.is_waiting && limit.window.contains(at) {
        return Some(limit.clone());
    }
    let balances = account.books.balances.iter();
    let mut live = balances.filter(|live| {
        let is_same = is_window_of(&live.bucket, &limit.bucket) && live.moved_to.is_none();
        is_same && live.window().contains(at)
    });
    let live = live.next()?;
    Some(FurtherLimit {
        bucket: live.bucket.clone(),
        window: live.window(),
        counts_until: live.ends_at,
        limit: live.granted,
        rolled_over: live.rolled_over,
        is_waiting: false,
        ..limit.clone()
    })
}

/// The balances of an account, live and closed.
struct Records<'a> {
    account: &'a Account,
    closed: Vec<&'a Balance>,
}

impl<'a> Records<'a> {
    fn of(home: &'a Home, id: &'a AccountId, account: &'a Account) -> Self {
        Self {
            account,
            closed: closed_in(home, id).collect(),
        }
    }

    fn closed(&self, bucket: &Bucket) -> Option<&'a Balance> {
        let mut closed = self.closed.iter();
        closed.find(|balance| balance.bucket == *bucket).copied()
    }

    /// The live balances, and the closed windows of a feature: what one that was closed left came over too (C10). With the
    /// first use nothing does (W7).
    fn of_windows(&self, feature: &Feature) -> Vec<Balance> {
        let tiles = Per::of(feature).anchor != Anchor::FirstUse;
        let is_own = |balance: &&Balance| matches!(&balance.bucket, Bucket::Window(code, _) if *code == feature.code);
        let closed = self.closed.iter().copied();
        let closed = closed.filter(|balance| tiles && is_own(balance));
        let live = self.account.books.balances.iter();
        live.chain(closed).cloned().collect()
    }

    fn balance(&self, bucket: &Bucket) -> Option<&'a Balance> {
        let live = self.account.books.balance(bucket);
        live.or_else(|| self.closed(bucket))
    }

    /// The bucket that counts now what was drawn from `bucket`, whether or not it was closed since.
    fn resolved(&self, bucket: &Bucket) -> Bucket {
        let mut found = bucket.clone();
        for _ in 0..MOVES_MAX {
            match self
                .balance(&found)
                .and_then(|balance| balance.moved_to.clone())
            {
                Some(next) => found = next,
                None => break,
            }
        }
        found
    }

    /// The part of `window` around `at` that no other window of the feature takes up.
    fn between_others(&self, feature: &Feature, window: Window, at: DateTime<Utc>) -> Window {
        let live = self.account.books.balances.iter();
        let all = live.chain(self.closed.iter().copied());
        let own = all.filter(|balance| {
            let code = match &balance.bucket {
                Bucket::Window(code, _) | Bucket::Tracked(code, _) => code,
                Bucket::Further(..)
                | Bucket::Standing(_)
                | Bucket::Trial(_)
                | Bucket::Grant(_)
                | Bucket::Boost(..)
                | Bucket::Room(_)
                | Bucket::Member(..)
                | Bucket::OnDemand(..)
                | Bucket::Token(_)
                | Bucket::TokenWindow(..) => return false,
            };
            *code == feature.code
        });
        let mut free = window;
        for balance in own {
            if let Some(over) = balance.ends_at.filter(|end| *end <= at) {
                free.starts_at = free.starts_at.max(over);
            }
            if at < balance.starts_at {
                free = free.cut(free.starts_at, Some(balance.starts_at));
            }
        }
        free
    }

    /// Whether the window of that name is in the books, and `at` in it or in what took its place.
    fn holds(&self, bucket: &Bucket, at: DateTime<Utc>) -> bool {
        self.balance(bucket)
            .is_some_and(|balance| balance.moved_to.is_some() || balance.window().contains(at))
    }

    /// Whether the window of that name is in the books, and is another one than that which held `at`.
    fn is_another(&self, bucket: &Bucket, at: DateTime<Utc>) -> bool {
        self.balance(bucket).is_some() && !self.holds(bucket, at)
    }

    /// The window under a subscription that held `at`; of several the one that began last.
    fn window_at(&self, feature: &Feature, at: DateTime<Utc>) -> Option<&'a Balance> {
        let live = self.account.books.balances.iter();
        let all = live.chain(self.closed.iter().copied());
        let holds = all.filter(|balance| {
            let is_own =
                matches!(&balance.bucket, Bucket::Window(code, _) if *code == feature.code);
            is_own && balance.window().contains(at)
        });
        holds.max_by_key(|balance| balance.starts_at)
    }
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
    let is_free = match basis {
        // Before all that is known it goes to the first window.
        Basis::Guess => own.window.contains(at) && !records.holds(&own.bucket, at),
        // What is told late begins a window that ends where the next one began (W7).
        Basis::Terms => own.is_waiting || records.is_another(&own.bucket, at),
    };
    if known.is_none() && is_window && is_free {
        own.window = records.between_others(feature, own.window, at);
        own.bucket = own.bucket.beginning_at(own.window.starts_at);
    }
    if let Some(known) = known.filter(|_| is_window) {
        own.standing = Standing::InForce;
        own.bucket = known.bucket.clone();
        own.window = known.window();
    }
    own
}

/// Where the window of an instant is known from.
#[derive(Debug, Clone, Copy)]
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
