//! What came over into windows (C10): as answers said it, and no more than the window before left.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::balances::Balances;
use super::counters::Sums;
use super::finding::Finding;
use crate::amount::Limit;
use crate::answer::{Answer, ScopeBalance, WindowBalance};
use crate::balance::{Balance, Bucket};
use crate::catalog::Per;
use crate::change::Change;
use crate::ids::AccountId;
use crate::operation::{Entry, Operation, OperationKind};
use crate::ports::AuditHome;

/// What the ledger says of what came over into each window of a home.
///
/// A window keeps what came over into it. What a plan lets go over is not in the ledger: it may be less than the window before left, and
/// where the catalog has another plan by now, nothing is there any more.
#[derive(Debug)]
pub(super) struct Rollovers {
    /// The window before each that is kept, where that ended as this one began.
    before: BTreeMap<AccountId, BTreeMap<Bucket, Before>>,
    /// Windows to which others were moved: theirs came along.
    targets: BTreeMap<AccountId, BTreeSet<Bucket>>,
    told: BTreeMap<AccountId, Told>,
}

/// The window before another one.
#[derive(Debug)]
struct Before {
    bucket: Bucket,
    /// Its limit, without what came over into it.
    limit: i128,
    rolled_over: i128,
    ended_at: DateTime<Utc>,
}

/// What was told of one account.
#[derive(Debug, Default)]
struct Told {
    windows: BTreeMap<Bucket, ToldWindow>,
    /// When windows were last closed: what was closed is not asked any more.
    closed_at: Option<DateTime<Utc>>,
    /// The last operation that may have taken away what came over, whatever the window.
    doubted_in: u64,
}

#[derive(Debug, Clone, Copy)]
struct ToldWindow {
    rolled_over: u64,
    told_in: u64,
    /// The last operation that booked something in it.
    booked_in: u64,
}

/// Changes with which something may go on that had ended: what came over into the windows since is worked out anew.
const GOES_ON: [Change; 3] = [
    Change::SubscriptionRenewed,
    Change::SubscriptionStarted,
    Change::SubscriptionSynced,
];

impl Rollovers {
    pub(super) fn of(home: &AuditHome) -> Self {
        let mut all: BTreeMap<&AccountId, Vec<&Balance>> = BTreeMap::new();
        for (id, account) in &home.accounts {
            let live = all.entry(id).or_default();
            live.extend(&account.books.balances);
        }
        for closed in &home.closed {
            let of = all.entry(&closed.account).or_default();
            of.push(&closed.balance);
        }
        let mut rollovers = Self {
            before: BTreeMap::new(),
            targets: BTreeMap::new(),
            told: BTreeMap::new(),
        };
        for (id, balances) in all {
            let moved = balances.iter().filter_map(|one| one.moved_to.clone());
            rollovers.targets.insert(id.clone(), moved.collect());
            let before = before_each(balances);
            rollovers.before.insert(id.clone(), before);
        }
        rollovers
    }

    /// Takes in what an operation changed and told. `sums` says what was booked before it.
    pub(super) fn see<'a>(
        &mut self,
        operation: &Operation,
        sums: impl Fn(&AccountId) -> Sums<'a>,
        findings: &mut Vec<Finding>,
    ) {
        match operation.kind {
            OperationKind::Change => self.change(operation),
            OperationKind::Close => {
                let told = self.told.entry(operation.account.clone()).or_default();
                (told.closed_at, told.doubted_in) = (Some(operation.at), operation.sequence);
            }
            OperationKind::Consume
            | OperationKind::Track
            | OperationKind::Reserve
            | OperationKind::Commit
            | OperationKind::Release
            | OperationKind::Extend
            | OperationKind::Expire
            | OperationKind::Refund
            | OperationKind::ReleaseCapacity
            | OperationKind::Reset => {
                for entry in operation
                    .entries
                    .iter()
                    .filter(|entry| is_window(&entry.bucket))
                {
                    let sums = sums(&entry.account);
                    self.charge(operation, (entry, sums), findings);
                }
            }
        }
    }

    /// A change of terms may move windows, and with them what came over; else it may only take that away.
    fn change(&mut self, operation: &Operation) {
        let told = self.told.entry(operation.account.clone()).or_default();
        if let Answer::Changed { change, .. } = &operation.answer {
            if change.begins_life().is_some() {
                *told = Told::default();
            } else if GOES_ON.contains(change) {
                // A window that the default plan began may be one of what goes on.
                told.windows.clear();
            }
        }
        told.doubted_in = operation.sequence;
        for entry in &operation.entries {
            if let Some(told) = self.told.get_mut(&entry.account) {
                told.windows.remove(&entry.bucket);
            }
        }
    }

    /// What is told of a window that is charged is what was told before, or nothing any more; and of a new one no more than the one
    /// before left.
    fn charge(
        &mut self,
        operation: &Operation,
        (entry, sums): (&Entry, Sums<'_>),
        findings: &mut Vec<Finding>,
    ) {
        let (id, bucket) = (&entry.account, &entry.bucket);
        let targets = self.targets.get(id);
        if targets.is_some_and(|targets| targets.contains(bucket)) {
            return;
        }
        let is_first = sums.is_none_or(|sums| !sums.contains_key(bucket));
        let says = says_of_window(operation, entry, is_first);
        let told = self.told.entry(id.clone()).or_default();
        let Some(rolled_over) = says else {
            if let Some(known) = told.windows.get_mut(bucket) {
                known.booked_in = operation.sequence;
            }
            return;
        };
        let sequence = operation.sequence;
        let window = ToldWindow {
            rolled_over,
            told_in: sequence,
            booked_in: sequence,
        };
        let known = told.windows.insert(bucket.clone(), window);
        let known = known.map(|known| known.rolled_over);
        if let Some(known) = known.filter(|known| ![0, *known].contains(&rolled_over)) {
            let what = format!(
                "{} was told that {rolled_over} came over into it, and it was {known} before",
                operation.id
            );
            findings.push(Finding::of("C10", id, what).at(bucket));
        }
        let before = self.before.get(id).and_then(|before| before.get(bucket));
        let is_asked = |before: &&Before| {
            let is_closed = told.closed_at.is_some_and(|at| before.ended_at <= at);
            is_first && entry.used_at.is_none() && !is_closed
        };
        let left = before.filter(is_asked).and_then(|before| before.left(sums));
        if let Some(left) = left.filter(|left| *left < i128::from(rolled_over)) {
            let what = format!(
                "{} was told that {rolled_over} came over into it, and the window before left {left}",
                operation.id
            );
            findings.push(Finding::of("C10", id, what).at(bucket));
        }
    }

    /// C10: what came over into each window is what was told of it last. What was closed may be of an earlier stay of a user that moved
    /// in, and is emptied where it is live again.
    pub(super) fn check(
        &self,
        id: &AccountId,
        (balances, has_moved_in): (&Balances<'_>, bool),
        findings: &mut Vec<Finding>,
    ) {
        let Some(told) = self.told.get(id) else {
            return;
        };
        let closed = balances.closed(id).iter();
        let closed = closed.filter(|one| !has_moved_in && !balances.counts_again(id, one));
        for balance in balances.live(id).iter().chain(closed) {
            let (bucket, kept) = (&balance.bucket, balance.rolled_over);
            let Some(window) = told.windows.get(bucket) else {
                continue;
            };
            let is_taken_away = kept == 0 && !told.is_certain(*window);
            if kept != window.rolled_over && !is_taken_away {
                let told = window.rolled_over;
                let what = format!("{kept} came over into it, and the ledger says {told}");
                findings.push(Finding::of("C10", id, what).at(bucket));
            }
        }
    }
}

impl Told {
    /// Whether a window is as it was told: nothing was booked since that may have taken away what came over.
    fn is_certain(&self, window: ToldWindow) -> bool {
        window.booked_in == window.told_in && self.doubted_in < window.told_in
    }
}

impl Before {
    /// What it left of its limit by what was booked in it; unknown where nothing was.
    fn left(&self, sums: Sums<'_>) -> Option<i128> {
        let (used, held, overage, _) = *sums?.get(&self.bucket)?;
        let taken = used.saturating_add(held).saturating_add(overage);
        let of_own = taken.saturating_sub(self.rolled_over).max(0);
        Some(self.limit.saturating_sub(of_own).max(0))
    }
}

fn is_window(bucket: &Bucket) -> bool {
    bucket.limit().is_some()
}

/// Of each window the one before it, where both are as they were opened and the one ended as the other began.
fn before_each(mut balances: Vec<&Balance>) -> BTreeMap<Bucket, Before> {
    let is_plain = |balance: &&Balance| {
        let is_moved = balance.moved_to.is_some() || balance.began_as.is_some();
        is_window(&balance.bucket) && !is_moved && !balance.was_closed
    };
    balances.retain(is_plain);
    balances.sort_by_key(|balance| (balance.bucket.limit(), balance.starts_at));
    let pairs = balances.iter().zip(balances.iter().skip(1));
    let found = pairs.filter_map(|(before, after)| {
        let is_same = before.bucket.limit() == after.bucket.limit();
        let ended_at = before
            .ends_at
            .filter(|end| *end == after.starts_at && is_same)?;
        let Limit::Of(granted) = before.granted else {
            return None;
        };
        let rolled_over = i128::from(before.rolled_over);
        let before = Before {
            bucket: before.bucket.clone(),
            limit: i128::from(granted).saturating_sub(rolled_over),
            rolled_over,
            ended_at,
        };
        Some((after.bucket.clone(), before))
    });
    found.collect()
}

/// What the answer says that came over into the window of an entry; nothing is said under an override, or where there is no limit.
/// Use that is told late says it of a window that it begins.
fn says_of_window(operation: &Operation, entry: &Entry, is_first: bool) -> Option<u64> {
    let (Answer::Allowed { balances } | Answer::Reserved { balances, .. }) = &operation.answer
    else {
        return None;
    };
    let is_new = matches!(
        operation.kind,
        OperationKind::Consume | OperationKind::Track | OperationKind::Reserve
    );
    if !is_new || (entry.used_at.is_some() && !is_first) {
        return None;
    }
    let is_of =
        |balance: &&ScopeBalance| balance.scope == entry.scope && balance.feature == entry.feature;
    let balance = balances.iter().find(is_of)?;
    if balance.windows.is_empty() {
        let is_by_plan = balance.override_value.is_none() && !entry.bucket.is_further();
        return (is_by_plan && matches!(balance.granted, Some(Limit::Of(_)))).then_some(0);
    }
    let is_it = |window: &&WindowBalance| is_window_of(window, operation, entry);
    let window = balance.windows.iter().find(is_it)?;
    Some(window.rolled_over)
}

/// Whether it is the window of an entry that the answer shows. The feature's own has no name there: it is none of the further ones
/// that were charged with it.
fn is_window_of(window: &WindowBalance, operation: &Operation, entry: &Entry) -> bool {
    let per = Per {
        cadence: window.per,
        anchor: window.anchor,
    };
    let start = window.starts_at.map(|at| at.timestamp_micros());
    let is_then = start == Some(entry.bucket.starts_at_micros());
    let of_bucket = entry.bucket.limit().and_then(|(_, per)| per);
    if let Some(own) = of_bucket {
        return own == per && is_then;
    }
    let mut others = operation
        .entries
        .iter()
        .filter(|other| other.scope == entry.scope && other.feature == entry.feature);
    let is_further =
        others.any(|other| matches!(&other.bucket, Bucket::Further(_, of, _) if *of == per));
    is_then && !is_further
}
