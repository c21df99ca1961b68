//! What an org was charged for a member, counted with the member: it explains what the org has used (O6), and of a capacity
//! nothing that a member gives back is another's (O8).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::charged::{charged_in, is_boost, is_sold};
use super::context::Context;
use super::desk::Desk;
use super::member_shares::{carried_counts, live_counts};
use super::signs::negated;
use crate::balance::{Balance, Bucket};
use crate::catalog::Feature;
use crate::draw::{Scope, Source};
use crate::home::{Account, Books, ClosedBalance, Home};
use crate::ids::{AccountId, FeatureCode};
use crate::operation::Entry;
use crate::share::{SHARES_MAX, Share};
use crate::terms::LeftMember;

/// Members that left and are remembered; those that left first are forgotten.
const LEFT_MEMBERS_MAX: usize = 200;

type Shares = BTreeMap<Bucket, Share>;

/// What an org was charged for a member with these shares, in what counts a feature now: its window, the boosts that run,
/// of a capacity the room that the org's credits bought, and what is sold on demand in the running period.
pub fn charged(context: &Context<'_>, org: &Account, feature: &Feature, shares: &Shares) -> u64 {
    let bucket = context.allowance(org, feature).bucket;
    let window = org.books.balance(&org.books.resolved(&bucket));
    let about = (feature, context.now);
    charged_in(&org.books.balances, window, about, shares)
}

/// What the member that asks holds of a balance of its org, or what is remembered of it when it is no member any more.
pub(super) fn share_of(desk: &Desk<'_>, balance: &Balance) -> u64 {
    let user = &desk.request.account;
    let account = |id: &AccountId| desk.home.accounts.get(id);
    let left = || account(&desk.home.id)?.terms.left_members.get(user);
    let shares = match account(user) {
        Some(member) => Some(&member.books.shares),
        None => left().map(|left| &left.shares),
    };
    shares.map_or(0, |shares| Share::of(shares, balance))
}

/// Counts with the user that asks by how many units of a feature its org was charged for it, in the bucket that took them.
pub(super) fn count_share(
    desk: &mut Desk<'_>,
    (org, bucket): (&AccountId, &Bucket),
    code: &FeatureCode,
    by: i64,
) {
    let user = &desk.request.account;
    let account = desk.home.accounts.get(org);
    let Some(balance) = account.and_then(|account| account.books.balance(bucket)) else {
        return;
    };
    if user == org {
        return;
    }
    let place = (balance.first_bucket().clone(), balance.reset_sequence);
    let boosts = |home: &Home| {
        let account = home.accounts.get(org);
        account.map_or_else(Vec::new, |account| boosts_of(&account.books, code))
    };
    let is_first = |member: &Account| !member.books.shares.contains_key(&place.0);
    let member = desk.home.accounts.get(user);
    let is_new = member.is_some_and(|member| is_first(member));
    let live = is_new.then(|| boosts(desk.home));
    let mut rest = by;
    if let Some(member) = desk.home.account_mut(user) {
        rest = add(&mut member.books.shares, &place, by);
        if let Some(live) = live {
            forget_old(&mut member.books.shares, code, &live);
        }
        desk.home.changes.accounts.insert(user.clone());
    }
    if rest == 0 {
        return;
    }
    // What is left concerns an earlier stay, or a user that is no member any more.
    let boosts = boosts(desk.home);
    let Some(account) = desk.home.account_mut(org) else {
        return;
    };
    if let Some(left) = account.terms.left_members.get_mut(user) {
        add(&mut left.shares, &place, rest);
        forget_old(&mut left.shares, code, &boosts);
        desk.home.changes.accounts.insert(org.clone());
        desk.home.changes.terms.insert(org.clone());
    }
}

/// Changes a share; gives back by how much it could not be lowered.
fn add(shares: &mut Shares, (bucket, reset_sequence): &(Bucket, u64), by: i64) -> i64 {
    let before = shares.get(bucket).map_or(0, |share| {
        let is_reset = share.reset_sequence != *reset_sequence;
        if is_reset { 0 } else { share.units }
    });
    let units = before.saturating_add_signed(by);
    if units == 0 {
        shares.remove(bucket);
    } else {
        let share = Share {
            units,
            reset_sequence: *reset_sequence,
            held: 0,
        };
        match shares.get_mut(bucket) {
            Some(known) => *known = share,
            None => drop(shares.insert(bucket.clone(), share)),
        }
    }
    let lowered = before.saturating_sub(units);
    if by < 0 {
        by.saturating_add_unsigned(lowered)
    } else {
        0
    }
}

/// The live boosts of a feature.
fn boosts_of(books: &Books, code: &FeatureCode) -> Vec<Bucket> {
    let buckets = books.balances.iter().map(|balance| &balance.bucket);
    let of_feature = buckets.filter(|bucket| is_boost(bucket, code));
    of_feature.cloned().collect()
}

/// Forgets windows and sales that are long over, but no room, and boosts that are not among those that are live.
fn forget_old(shares: &mut Shares, code: &FeatureCode, boosts: &[Bucket]) {
    shares.retain(|bucket, _| !is_boost(bucket, code) || boosts.contains(bucket));
    let is_window = |bucket: &Bucket, _: &Share| {
        let is_room = matches!(bucket, Bucket::Room(_));
        let is_other = is_room || is_boost(bucket, code) || is_sold(bucket, code);
        bucket.feature() == Some(code) && !is_other && !bucket.is_member()
    };
    forget_oldest(shares, is_window);
    forget_oldest(shares, |bucket, _| is_sold(bucket, code));
}

/// Forgets what member limits counted in windows of a feature that are long over, but for what is held still.
pub(super) fn forget_counts(shares: &mut Shares, code: &FeatureCode) {
    forget_oldest(shares, |bucket, share| {
        bucket.is_member() && bucket.feature() == Some(code) && share.held == 0
    });
}

/// Forgets the oldest of one kind, but for the last [`SHARES_MAX`].
fn forget_oldest(shares: &mut Shares, is_of: impl Fn(&Bucket, &Share) -> bool) {
    let extra = shares.iter().filter(|(bucket, share)| is_of(bucket, share));
    for _ in SHARES_MAX..extra.count() {
        let known = shares.iter().filter(|(bucket, share)| is_of(bucket, share));
        let oldest = known.min_by_key(|(bucket, _)| bucket.starts_at_micros());
        let oldest = oldest.map(|(bucket, _)| bucket.clone());
        oldest.and_then(|bucket| shares.remove(&bucket));
    }
}

/// What an org gets back of a member that leaves.
#[derive(Debug, Default)]
pub(super) struct Parted {
    pub(super) entries: Vec<Entry>,
    /// Closed balances of the org, as they are now.
    pub(super) closed: Vec<ClosedBalance>,
}

/// Settles an org with a member that leaves: of a capacity it gets back what the member holds, as the entries say, and the
/// rest is remembered. So it is with what was closed: it may count again. `is_capacity` says which features are one.
pub(super) fn part(
    (id, org): (&AccountId, &mut Account),
    (user, shares): (&AccountId, &Shares),
    closed: impl Iterator<Item = Balance>,
    (is_capacity, left_at): (impl Fn(&FeatureCode) -> bool, DateTime<Utc>),
) -> Parted {
    let mut parted = Parted::default();
    let mut kept = Shares::new();
    let mut settle = |balance: &mut Balance| {
        let held = Share::of(shares, balance);
        let code = balance.bucket.feature().filter(|_| held != 0)?;
        if is_capacity(code) {
            return Some(give_back(id, balance, held));
        }
        let share = Share {
            units: held,
            reset_sequence: balance.reset_sequence,
            held: 0,
        };
        kept.insert(balance.first_bucket().clone(), share);
        None
    };
    let live = org.books.balances.iter_mut();
    parted.entries.extend(live.filter_map(&mut settle));
    for mut balance in closed {
        if let Some(entry) = settle(&mut balance) {
            parted.entries.push(entry);
            let account = id.clone();
            parted.closed.push(ClosedBalance { account, balance });
        }
    }
    let counts = live_counts(&org.books.balances, shares);
    parted
        .entries
        .extend(carried_counts(user, &counts, negated));
    kept.extend(counts);
    remember(org, (user, kept), left_at);
    parted
}

/// Gives so much of a capacity back, the overage first.
fn give_back(org: &AccountId, balance: &mut Balance, held: u64) -> Entry {
    let overage = balance.overage.min(held);
    let from_used = balance.used.min(held.saturating_sub(overage));
    balance.overage = balance.overage.saturating_sub(overage);
    balance.used = balance.used.saturating_sub(from_used);
    Entry {
        scope: Scope::Org,
        account: org.clone(),
        bucket: balance.bucket.clone(),
        feature: balance.bucket.feature().cloned(),
        source: Source::of(&balance.bucket),
        used: 0_i64.saturating_sub_unsigned(from_used),
        held: 0,
        overage: 0_i64.saturating_sub_unsigned(overage),
        granted: 0,
        unit_cost: 1,
        used_at: None,
        first_unit: None,
    }
}

/// What is charged late for a user that left is counted with it (O6), also where nothing else was.
pub(super) fn expect_late(desk: &mut Desk<'_>, user: &AccountId, left_at: Option<DateTime<Utc>>) {
    let org = desk.home.id.clone();
    let (Some(account), Some(left_at)) = (desk.home.account_mut(&org), left_at) else {
        return;
    };
    let known = &mut account.terms.left_members;
    known.entry(user.clone()).or_insert(LeftMember {
        left_at,
        shares: Shares::new(),
    });
    forget_first(known);
}

fn remember(org: &mut Account, (user, kept): (&AccountId, Shares), left_at: DateTime<Utc>) {
    if kept.is_empty() {
        return;
    }
    let (books, known) = (&org.books, &mut org.terms.left_members);
    let is_live = |left: &LeftMember| {
        let mut balances = books.balances.iter();
        balances.any(|balance| Share::of(&left.shares, balance) != 0)
            || !live_counts(&books.balances, &left.shares).is_empty()
    };
    known.retain(|id, left| id == user || is_live(left));
    let left = known.entry(user.clone()).or_insert(LeftMember {
        left_at,
        shares: Shares::new(),
    });
    left.left_at = left_at;
    for (bucket, share) in kept {
        let units = i64::try_from(share.units).unwrap_or(i64::MAX);
        let code = bucket.feature().cloned();
        add(&mut left.shares, &(bucket, share.reset_sequence), units);
        if let Some(code) = code {
            forget_old(&mut left.shares, &code, &boosts_of(books, &code));
            forget_counts(&mut left.shares, &code);
        }
    }
    forget_first(known);
}

fn forget_first(known: &mut BTreeMap<AccountId, LeftMember>) {
    while LEFT_MEMBERS_MAX < known.len() {
        let first = known.iter().min_by_key(|(_, left)| left.left_at);
        let first = first.map(|(id, _)| id.clone());
        first.and_then(|id| known.remove(&id));
    }
}
