//! What the books tell of the past: the balances of an account, live and closed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::closed::closed_in;
use crate::balance::{Balance, Bucket};
use crate::catalog::{Anchor, Feature, Per};
use crate::home::{Account, Home, MOVES_MAX};
use crate::ids::{AccountId, FeatureCode};
use crate::window::Window;

/// The balances of an account, live and closed.
pub(super) struct Records<'a> {
    account: &'a Account,
    closed: Vec<&'a Balance>,
}

impl<'a> Records<'a> {
    pub(super) fn of(home: &'a Home, id: &'a AccountId, account: &'a Account) -> Self {
        Self {
            account,
            closed: closed_in(home, id).collect(),
        }
    }

    pub(super) fn closed(&self, bucket: &Bucket) -> Option<&'a Balance> {
        let mut closed = self.closed.iter();
        closed.find(|balance| balance.bucket == *bucket).copied()
    }

    pub(super) fn is_live(&self, bucket: &Bucket) -> bool {
        self.account.books.balance(bucket).is_some()
    }

    /// The live balances, and the closed windows of a feature and of its further limits: what one that was closed left came over
    /// too (C10). With the first use nothing does (W7).
    pub(super) fn of_windows(&self, feature: &Feature) -> Vec<Balance> {
        let tiles = |balance: &&Balance| {
            balance.bucket.limit().is_some_and(|(code, per)| {
                let per = per.unwrap_or_else(|| Per::of(feature));
                *code == feature.code && per.anchor != Anchor::FirstUse
            })
        };
        let closed = self.closed.iter().copied().filter(tiles);
        let live = self.account.books.balances.iter();
        live.chain(closed).cloned().collect()
    }

    pub(super) fn balance(&self, bucket: &Bucket) -> Option<&'a Balance> {
        let live = self.account.books.balance(bucket);
        live.or_else(|| self.closed(bucket))
    }

    /// The bucket that counts now what was drawn from `bucket`, whether or not it was closed since.
    pub(super) fn resolved(&self, bucket: &Bucket) -> Bucket {
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

    /// The part of `window` around `at` that none of those which `is_other` names takes up.
    pub(super) fn between(
        &self,
        window: Window,
        at: DateTime<Utc>,
        is_other: impl Fn(&Bucket) -> bool,
    ) -> Window {
        let mut free = window;
        for balance in self.all().filter(|balance| is_other(&balance.bucket)) {
            if let Some(over) = balance.ends_at.filter(|end| *end <= at) {
                free.starts_at = free.starts_at.max(over);
            }
            if at < balance.starts_at {
                free = free.cut(free.starts_at, Some(balance.starts_at));
            }
        }
        free
    }

    fn all(&self) -> impl Iterator<Item = &'a Balance> {
        let live = self.account.books.balances.iter();
        live.chain(self.closed.iter().copied())
    }

    /// Whether the window of that name is in the books, and `at` in it or in what took its place.
    pub(super) fn holds(&self, bucket: &Bucket, at: DateTime<Utc>) -> bool {
        self.balance(bucket)
            .is_some_and(|balance| balance.moved_to.is_some() || balance.window().contains(at))
    }

    /// Whether the window of that name is in the books, and is another one than that which held `at`.
    pub(super) fn is_another(&self, bucket: &Bucket, at: DateTime<Utc>) -> bool {
        self.balance(bucket).is_some() && !self.holds(bucket, at)
    }

    /// The window under a subscription that held `at`; of several the one that began last.
    pub(super) fn window_at(&self, feature: &Feature, at: DateTime<Utc>) -> Option<&'a Balance> {
        let is_own =
            |bucket: &Bucket| matches!(bucket, Bucket::Window(code, _) if *code == feature.code);
        self.last_that_held(at, is_own)
    }

    /// The window of a further limit that held `at`, or what it was moved to; of several the one that began last.
    pub(super) fn further_at(
        &self,
        code: &FeatureCode,
        per: Per,
        at: DateTime<Utc>,
    ) -> Option<&'a Balance> {
        let is_own = |bucket: &Bucket| matches!(bucket, Bucket::Further(of, other, _) if of == code && *other == per);
        let held = self.last_that_held(at, is_own)?;
        self.balance(&self.resolved(&held.bucket))
    }

    /// By what the further limits of a feature are counted that had a window at `at`.
    pub(super) fn further_pers(&self, code: &FeatureCode, at: DateTime<Utc>) -> BTreeSet<Per> {
        let held = self.all().filter(|balance| balance.window().contains(at));
        let pers = held.filter_map(|balance| {
            let (of, per) = balance.bucket.limit()?;
            per.filter(|_| of == code)
        });
        pers.collect()
    }

    fn last_that_held(
        &self,
        at: DateTime<Utc>,
        is_own: impl Fn(&Bucket) -> bool,
    ) -> Option<&'a Balance> {
        let held = self.all().filter(|balance| {
            let is_own = is_own(&balance.bucket);
            is_own && balance.window().contains(at)
        });
        held.max_by_key(|balance| balance.starts_at)
    }
}
