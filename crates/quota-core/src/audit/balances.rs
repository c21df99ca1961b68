//! What is kept of a home's balances, against itself and against the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::counters::{Counters, Late, STEP_BACK_SECONDS_MAX, add};
use super::finding::Finding;
use crate::amount::{COUNT_MAX, Limit};
use crate::balance::{Balance, Bucket};
use crate::catalog::{Anchor, Per};
use crate::ids::AccountId;
use crate::ports::AuditHome;
use crate::sale::Sale;
use crate::window::cadence_window;

/// The balances of a home, by account.
#[derive(Debug)]
pub(super) struct Balances<'a>(BTreeMap<&'a AccountId, Of<'a>>);

#[derive(Debug, Default)]
struct Of<'a> {
    live: Vec<&'a Balance>,
    closed: Vec<&'a Balance>,
}

impl<'a> Balances<'a> {
    pub(super) fn of(home: &'a AuditHome) -> Self {
        let mut accounts: BTreeMap<&AccountId, Of<'a>> = BTreeMap::new();
        for (id, account) in &home.accounts {
            let of = accounts.entry(id).or_default();
            of.live.extend(account.books.all());
        }
        for closed in &home.closed {
            let of = accounts.entry(&closed.account).or_default();
            of.closed.push(&closed.balance);
        }
        Self(accounts)
    }

    pub(super) fn live(&self, id: &AccountId) -> &[&'a Balance] {
        self.0.get(id).map_or(&[], |of| &of.live)
    }

    pub(super) fn closed(&self, id: &AccountId) -> &[&'a Balance] {
        self.0.get(id).map_or(&[], |of| &of.closed)
    }

    /// The balances of an account, live and closed.
    pub(super) fn of_account(&self, id: &AccountId) -> impl Iterator<Item = &'a Balance> {
        self.live(id).iter().chain(self.closed(id)).copied()
    }

    /// I2: each balance is the sum of its entries, and no entry is without a balance. What was closed may be of an
    /// earlier stay of a user that moved in: that is left out.
    pub(super) fn check_sums(
        &self,
        id: &AccountId,
        (sums, has_moved_in): (Option<&BTreeMap<Bucket, Counters>>, bool),
        findings: &mut Vec<Finding>,
    ) {
        let closed = self.closed(id).iter().filter(|_| has_moved_in);
        let left_out: BTreeSet<&Bucket> = closed.map(|balance| &balance.bucket).collect();
        let mut kept: BTreeMap<&Bucket, Counters> = BTreeMap::new();
        for balance in self.of_account(id) {
            if left_out.contains(&balance.bucket) {
                continue;
            }
            let granted = match (&balance.bucket, balance.granted) {
                (bucket, Limit::Of(_)) if bucket.has_own_worth() => balance.worth().into(),
                _ => 0,
            };
            let by = (balance.used, balance.held, balance.overage);
            let sum = kept.entry(&balance.bucket).or_insert((0, 0, 0, 0));
            add(sum, (by.0.into(), by.1.into(), by.2.into(), granted));
        }
        let booked = sums.into_iter().flatten();
        let booked = booked.filter(|(bucket, _)| !left_out.contains(bucket) && !bucket.is_member());
        let mut booked: BTreeMap<&Bucket, Counters> =
            booked.map(|(bucket, sum)| (bucket, *sum)).collect();
        for (bucket, kept) in kept {
            let booked = booked.remove(bucket).unwrap_or((0, 0, 0, 0));
            if kept != booked {
                let what = format!(
                    "(used, held, overage, granted) is {kept:?}, its entries sum up to {booked:?}"
                );
                findings.push(Finding::of("I2", id, what).at(bucket));
            }
        }
        for (bucket, sum) in booked {
            if sum != (0, 0, 0, 0) {
                let what = format!("there is no balance, and its entries sum up to {sum:?}");
                findings.push(Finding::of("I2", id, what).at(bucket));
            }
        }
    }

    /// O6, O8: what an org was charged for its members, those who left included, is within what it counts.
    pub(super) fn check_shares(&self, home: &AuditHome, findings: &mut Vec<Finding>) {
        let members = home.accounts.iter().filter(|(id, _)| *id != home.home);
        let shares = members.map(|(_, member)| &member.books.shares);
        let own = home.accounts.iter().filter(|(id, _)| *id == home.home);
        let left = own.flat_map(|(_, org)| org.terms.left_members.values());
        let shares: Vec<_> = shares.chain(left.map(|left| &left.shares)).collect();
        for balance in self.live(&home.home) {
            if balance.moved_to.is_some() {
                continue;
            }
            let held = shares.iter().fold(0_u64, |sum, shares| {
                let share = shares.get(balance.first_bucket());
                let share = share.filter(|share| share.reset_sequence == balance.reset_sequence);
                sum.saturating_add(share.map_or(0, |share| share.units))
            });
            let spent = balance.spent();
            if spent < held {
                let what = format!("it was charged {held} for members, and counts {spent}");
                findings.push(Finding::of("O8", &home.home, what).at(&balance.bucket));
            }
        }
    }

    /// I14: no grant and no boost is overdrawn. I22: no counter leaves its range.
    pub(super) fn check_ranges(&self, id: &AccountId, findings: &mut Vec<Finding>) {
        for balance in self.of_account(id) {
            let most = balance.used.max(balance.held).max(balance.overage);
            if most > COUNT_MAX {
                let what = format!("a counter is at {most}");
                findings.push(Finding::of("I22", id, what).at(&balance.bucket));
            }
            let is_sold = matches!(balance.bucket, Bucket::OnDemand(..));
            if !balance.bucket.is_given() && !is_sold {
                continue;
            }
            let taken = balance.used.saturating_add(balance.held);
            let fits = matches!(balance.granted, Limit::Of(granted) if taken <= granted);
            if !fits || balance.overage != 0 {
                let (granted, over) = (balance.granted, balance.overage);
                let what = format!("{taken} of {granted:?} taken, overage {over}");
                let invariant = if is_sold { "C11" } else { "I14" };
                findings.push(Finding::of(invariant, id, what).at(&balance.bucket));
            }
        }
    }

    /// P9, P11: what is revoked and frozen of a grant that was bought is what came back of its payment says.
    pub(super) fn check_backing(&self, id: &AccountId, findings: &mut Vec<Finding>) {
        for balance in self.of_account(id) {
            let Some(backing) = &balance.backing else {
                continue;
            };
            let granted = balance.granted.ceiling().unwrap_or(0);
            let kept = (backing.revoked, backing.frozen);
            let by_facts = backing.purchase.as_ref();
            let by_facts = by_facts.map(|purchase| purchase.claims_on(granted));
            if by_facts.is_some_and(|by_facts| kept != by_facts) || granted < backing.claimed() {
                let what = format!(
                    "(revoked, frozen) is {kept:?} of {granted}, its payment says {by_facts:?}"
                );
                findings.push(Finding::of("P9", id, what).at(&balance.bucket));
            }
        }
    }

    /// C11: what is sold on demand has the price at which the ledger says it was sold.
    pub(super) fn check_prices(
        &self,
        id: &AccountId,
        sold: Option<&BTreeMap<Bucket, Sale>>,
        findings: &mut Vec<Finding>,
    ) {
        for balance in self.of_account(id) {
            let is_sold = matches!(balance.bucket, Bucket::OnDemand(..));
            let told = sold.and_then(|sold| sold.get(&balance.bucket));
            let is_as_told = told.is_none_or(|told| balance.sale.as_deref() == Some(told));
            if is_sold != balance.sale.is_some() || !is_as_told {
                let what = format!("its price is {:?}, it was sold at {told:?}", balance.sale);
                findings.push(Finding::of("C11", id, what).at(&balance.bucket));
            }
        }
    }

    /// X5: what was told late was used within the window that it is booked in. One that another was moved to has its use too.
    pub(super) fn check_late(
        &self,
        id: &AccountId,
        late: Option<&Late>,
        findings: &mut Vec<Finding>,
    ) {
        let targets = self.of_account(id).filter_map(|one| one.moved_to.as_ref());
        let targets: BTreeSet<&Bucket> = targets.collect();
        for balance in self.of_account(id) {
            let bucket = &balance.bucket;
            if !matches!(bucket, Bucket::Window(..) | Bucket::Further(..))
                || targets.contains(bucket)
            {
                continue;
            }
            let told = late.and_then(|late| late.get(bucket));
            let Some((first, last)) = told.filter(|_| balance.began_as.is_none()) else {
                continue;
            };
            if self.counts_again(id, balance) {
                continue;
            }
            let soon = TimeDelta::seconds(STEP_BACK_SECONDS_MAX);
            let is_early = balance.starts_at.signed_duration_since(*first) > soon;
            let is_after = balance.ends_at.is_some_and(|ends_at| ends_at <= *last);
            if is_early || is_after {
                let what = format!(
                    "use of {first} to {last} is booked in it, and it runs from {} to {:?}",
                    balance.starts_at, balance.ends_at
                );
                findings.push(Finding::of("X5", id, what).at(bucket));
            }
        }
    }

    /// Whether it was closed and is live again: what is left of it among the closed ones says nothing any more.
    pub(super) fn counts_again(&self, id: &AccountId, balance: &Balance) -> bool {
        let mut live = self.live(id).iter();
        let known = live.find(|live| live.bucket == balance.bucket);
        known.is_some_and(|live| !std::ptr::eq(*live, balance))
    }

    /// I13: a window begins where its name says and ends later; no bucket is live twice; windows of a limit overlap
    /// only where the terms changed (last at `changed_at`) since the earlier one began.
    pub(super) fn check_windows(
        &self,
        id: &AccountId,
        changed_at: Option<DateTime<Utc>>,
        findings: &mut Vec<Finding>,
    ) {
        let mut by_limit: BTreeMap<_, Vec<&Balance>> = BTreeMap::new();
        for balance in self.of_account(id) {
            if !is_as_named(balance) {
                let what = format!("runs from {} to {:?}", balance.starts_at, balance.ends_at);
                findings.push(Finding::of("I13", id, what).at(&balance.bucket));
            }
            let (Bucket::Window(code, _)
            | Bucket::Further(code, ..)
            | Bucket::OnDemand(code, _)
            | Bucket::Tracked(code, _)) = &balance.bucket
            else {
                continue;
            };
            let per = match &balance.bucket {
                Bucket::Further(_, per, _) => Some(*per),
                Bucket::Window(..)
                | Bucket::Standing(_)
                | Bucket::Tracked(..)
                | Bucket::Trial(_)
                | Bucket::Grant(_)
                | Bucket::Boost(..)
                | Bucket::Room(_)
                | Bucket::Member(..)
                | Bucket::OnDemand(..)
                | Bucket::Token(_)
                | Bucket::TokenWindow(..) => None,
            };
            if per.is_some_and(|per| is_longer(balance, per)) {
                let what = format!("runs from {} to {:?}", balance.starts_at, balance.ends_at);
                findings.push(Finding::of("W7", id, what).at(&balance.bucket));
            }
            let is_granted = !matches!(balance.bucket, Bucket::Tracked(..) | Bucket::OnDemand(..));
            if is_granted && balance.moved_to.is_none() {
                by_limit.entry((code, per)).or_default().push(balance);
            }
        }
        for mut windows in by_limit.into_values() {
            windows.sort_by_key(|balance| balance.starts_at);
            for (earlier, later) in windows.iter().zip(windows.iter().skip(1)) {
                let overlaps = earlier
                    .ends_at
                    .is_some_and(|ends_at| later.starts_at < ends_at);
                let has_changed = changed_at.is_some_and(|at| earlier.starts_at <= at);
                if overlaps && !has_changed {
                    let what = format!("begins before {} ends", earlier.bucket);
                    findings.push(Finding::of("I13", id, what).at(&later.bucket));
                }
            }
        }
        let mut live: Vec<&Bucket> = self.live(id).iter().map(|live| &live.bucket).collect();
        live.sort();
        for (bucket, next) in live.iter().zip(live.iter().skip(1)) {
            if bucket == next {
                let what = "it is live twice".to_owned();
                findings.push(Finding::of("I13", id, what).at(bucket));
            }
        }
    }
}

/// Whether a window begins where its name says and ends later; what has no window always is.
fn is_as_named(balance: &Balance) -> bool {
    let (start, ends_at) = (balance.bucket.starts_at_micros(), balance.ends_at);
    if start == i64::MAX {
        return true;
    }
    balance.starts_at.timestamp_micros() == start
        && ends_at.is_none_or(|ends_at| balance.starts_at < ends_at)
}

/// Whether a window that a first use began is longer than its limit says.
fn is_longer(balance: &Balance, per: Per) -> bool {
    if per.anchor != Anchor::FirstUse {
        return false;
    }
    let (zone, starts_at) = (chrono_tz::Tz::UTC, balance.starts_at);
    let whole = cadence_window(per.cadence, per.anchor, starts_at, zone, starts_at);
    match (balance.ends_at, whole.ends_at) {
        (Some(ends_at), Some(whole)) => whole < ends_at,
        (None, Some(_)) => true,
        (_, None) => false,
    }
}
