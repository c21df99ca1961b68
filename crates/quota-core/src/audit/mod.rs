//! The auditor: whether everything that is kept of a home agrees with itself. It changes nothing.

mod ledger;
mod reservations;

use std::collections::BTreeMap;

use crate::amount::{COUNT_MAX, Limit};
use crate::answer::Answer;
use crate::balance::{Balance, Bucket};
use crate::ids::AccountId;
use crate::operation::{Operation, OperationKind};
use crate::ports::AuditHome;

/// Something that cannot be, if every rule was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The invariant that is broken, by its number.
    pub invariant: &'static str,
    /// Whose records do not agree.
    pub account: Option<AccountId>,
    /// Which balance.
    pub bucket: Option<Bucket>,
    /// What is wrong, in words and numbers.
    pub what: String,
}

impl Finding {
    fn of(invariant: &'static str, account: &AccountId, what: String) -> Self {
        Self {
            invariant,
            account: Some(account.clone()),
            bucket: None,
            what,
        }
    }

    fn at(mut self, bucket: &Bucket) -> Self {
        self.bucket = Some(bucket.clone());
        self
    }
}

/// Checks the complete records of one home. No finding means that balances, holds and ledger agree.
///
/// I2 balances and I6 lifetime totals are the sums of their entries; I3 what is held is what open reservations
/// hold; I7 a key acts once and a denial not at all; I10 and I11 reservations; I13 windows; I14 grants; I22
/// ranges; I23 sequences and times; O1 what a member uses its org is charged for; X3 refunds stay within what
/// was taken. A user that came from another home began there: its sums are checked from what it brought along, its
/// lifetime totals are not.
pub fn audit(home: &AuditHome) -> Vec<Finding> {
    let mut findings = Vec::new();
    ledger::check(home, &mut findings);
    reservations::check(home, &mut findings);
    let births = births(home);
    let sums = sums(home, &births);
    for (id, _) in &home.accounts {
        check_ranges(home, id, &mut findings);
        check_windows(home, id, &mut findings);
        let birth = births.get(id);
        if let Some(birth) = birth {
            check_sums(home, id, (&sums, birth.has_moved_in), &mut findings);
        }
        if birth.is_some_and(|birth| !birth.has_moved_in) {
            ledger::check_lifetime(home, id, &mut findings);
        }
    }
    findings
}

/// How the life of an account in this home began, the last time.
#[derive(Debug, Clone, Copy)]
struct Birth {
    /// The operation: creation, or arrival with all its balances.
    sequence: u64,
    has_moved_in: bool,
}

/// What a change was.
fn said(operation: &Operation) -> &str {
    match &operation.answer {
        Answer::Changed { what, .. } if operation.kind == OperationKind::Change => what,
        _ => "",
    }
}

/// The sequence before the first operation: a user that comes back to a home of its own goes on counting from the
/// life that this home had before. The operations of that life are not among the records.
fn base(home: &AuditHome) -> u64 {
    let first = home.operations.first();
    let first = first.filter(|first| said(first) == "moved_in");
    first.map_or(0, |first| first.sequence.saturating_sub(1))
}

fn births(home: &AuditHome) -> BTreeMap<&AccountId, Birth> {
    let birth = |operation: &Operation| match said(operation) {
        "account_created" => Some(false),
        "moved_in" => Some(true),
        _ => None,
    };
    let mut births = BTreeMap::new();
    for operation in &home.operations {
        if let Some(has_moved_in) = birth(operation) {
            let sequence = operation.sequence;
            let birth = Birth {
                sequence,
                has_moved_in,
            };
            births.insert(&operation.account, birth);
        }
    }
    births
}

/// The balances of an account, live and closed.
fn balances<'a>(home: &'a AuditHome, id: &'a AccountId) -> impl Iterator<Item = &'a Balance> {
    let of_id = home.accounts.iter().filter(move |(of, _)| of == id);
    let live = of_id.flat_map(|(_, account)| &account.books.balances);
    let closed = home
        .closed
        .iter()
        .filter(move |closed| closed.account == *id);
    live.chain(closed.map(|closed| &closed.balance))
}

/// Used, held, overage, granted.
type Counters = (i128, i128, i128, i128);

fn add(to: &mut Counters, by: Counters) {
    to.0 = to.0.saturating_add(by.0);
    to.1 = to.1.saturating_add(by.1);
    to.2 = to.2.saturating_add(by.2);
    to.3 = to.3.saturating_add(by.3);
}

/// What the entries of each bucket sum up to, from its account's arrival on.
fn sums<'a>(
    home: &'a AuditHome,
    births: &BTreeMap<&AccountId, Birth>,
) -> BTreeMap<(&'a AccountId, &'a Bucket), Counters> {
    let mut sums = BTreeMap::new();
    for operation in &home.operations {
        for entry in &operation.entries {
            let birth = births.get(&entry.account);
            if birth.is_some_and(|birth| operation.sequence < birth.sequence) {
                continue;
            }
            let sum = sums
                .entry((&entry.account, &entry.bucket))
                .or_insert((0, 0, 0, 0));
            let by = (entry.used, entry.held, entry.overage, entry.granted);
            add(sum, (by.0.into(), by.1.into(), by.2.into(), by.3.into()));
        }
    }
    sums
}

/// I2: each balance is the sum of its entries, and no entry is without a balance. What was closed may be of an
/// earlier stay of a user that moved in: that is left out.
fn check_sums(
    home: &AuditHome,
    id: &AccountId,
    (sums, has_moved_in): (&BTreeMap<(&AccountId, &Bucket), Counters>, bool),
    findings: &mut Vec<Finding>,
) {
    let closed = home.closed.iter().filter(|closed| closed.account == *id);
    let mut left_out: Vec<&Bucket> = closed.map(|closed| &closed.balance.bucket).collect();
    left_out.retain(|_| has_moved_in);
    let mut kept: BTreeMap<&Bucket, Counters> = BTreeMap::new();
    let counted = |balance: &&Balance| !left_out.contains(&&balance.bucket);
    for balance in balances(home, id).filter(counted) {
        let granted = match (&balance.bucket, balance.granted) {
            (Bucket::Grant(_), Limit::Of(granted)) => granted.into(),
            _ => 0,
        };
        let by = (balance.used, balance.held, balance.overage);
        let sum = kept.entry(&balance.bucket).or_insert((0, 0, 0, 0));
        add(sum, (by.0.into(), by.1.into(), by.2.into(), granted));
    }
    let booked = sums
        .iter()
        .filter(|((of, bucket), _)| *of == id && !left_out.contains(bucket));
    let mut booked: BTreeMap<&Bucket, Counters> =
        booked.map(|((_, bucket), sum)| (*bucket, *sum)).collect();
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

/// I14: no grant is overdrawn. I22: no counter leaves its range.
fn check_ranges(home: &AuditHome, id: &AccountId, findings: &mut Vec<Finding>) {
    for balance in balances(home, id) {
        let most = balance.used.max(balance.held).max(balance.overage);
        if most > COUNT_MAX {
            let what = format!("a counter is at {most}");
            findings.push(Finding::of("I22", id, what).at(&balance.bucket));
        }
        if !matches!(balance.bucket, Bucket::Grant(_)) {
            continue;
        }
        let taken = balance.used.saturating_add(balance.held);
        let fits = matches!(balance.granted, Limit::Of(granted) if taken <= granted);
        if !fits || balance.overage != 0 {
            let (granted, over) = (balance.granted, balance.overage);
            let what = format!("{taken} of {granted:?} taken, overage {over}");
            findings.push(Finding::of("I14", id, what).at(&balance.bucket));
        }
    }
}

/// I13: a window begins where its name says and ends later; no bucket is live twice; windows of a feature
/// overlap only where the terms changed since the earlier one began.
fn check_windows(home: &AuditHome, id: &AccountId, findings: &mut Vec<Finding>) {
    let mut by_feature: BTreeMap<_, Vec<&Balance>> = BTreeMap::new();
    for balance in balances(home, id) {
        let (Bucket::Window(code, start) | Bucket::Tracked(code, start)) = &balance.bucket else {
            continue;
        };
        let ends_later = balance
            .ends_at
            .is_none_or(|ends_at| balance.starts_at < ends_at);
        if balance.starts_at.timestamp_micros() != *start || !ends_later {
            let what = format!("runs from {} to {:?}", balance.starts_at, balance.ends_at);
            findings.push(Finding::of("I13", id, what).at(&balance.bucket));
        }
        if matches!(balance.bucket, Bucket::Window(..)) && balance.moved_to.is_none() {
            by_feature.entry(code).or_default().push(balance);
        }
    }
    for mut windows in by_feature.into_values() {
        windows.sort_by_key(|balance| balance.starts_at);
        for (earlier, later) in windows.iter().zip(windows.iter().skip(1)) {
            let overlaps = earlier
                .ends_at
                .is_some_and(|ends_at| later.starts_at < ends_at);
            let changed = home.operations.iter().any(|operation| {
                operation.kind == OperationKind::Change
                    && operation.account == *id
                    && earlier.starts_at <= operation.at
            });
            if overlaps && !changed {
                let what = format!("begins before {} ends", earlier.bucket);
                findings.push(Finding::of("I13", id, what).at(&later.bucket));
            }
        }
    }
    let mut live: Vec<&Bucket> = Vec::new();
    for (_, account) in home.accounts.iter().filter(|(of, _)| of == id) {
        live.extend(account.books.balances.iter().map(|balance| &balance.bucket));
    }
    live.sort();
    for (bucket, next) in live.iter().zip(live.iter().skip(1)) {
        if bucket == next {
            let what = "it is live twice".to_owned();
            findings.push(Finding::of("I13", id, what).at(bucket));
        }
    }
}
