//! The numbers of a capacity's units (X3, X4): drawn, released and refunded as the ledger says.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::counters::{Counters, Sums};
use super::finding::Finding;
use super::numbered::{Back, Numbered, Side, drawn_at, numbers_of};
use super::replay::{Known, Replay};
use super::window_ends::{WindowEnds, is_window};
use crate::answer::Answer;
use crate::balance::Bucket;
use crate::draw::Scope;
use crate::home::Books;
use crate::ids::{AccountId, FeatureCode};
use crate::item::Item;
use crate::operation::{Entry, Operation, OperationKind};
use crate::ports::AuditHome;

/// The units of every capacity of a home, numbered anew while its ledger is read.
///
/// What is counted of a capacity when something is drawn or refunded says what was released before. Which of its windows count then is
/// not in the ledger: where it does not follow ([`WindowEnds`]), only the number of the next unit is known.
#[derive(Debug)]
pub(super) struct Numbers {
    home: AccountId,
    /// Those of which the books have numbers, and those of which units are numbered while the ledger is read: who left the home took its
    /// books along.
    capacities: BTreeSet<FeatureCode>,
    /// What the org was charged of while it was not known to be a capacity.
    overlooked: BTreeSet<FeatureCode>,
    ends: WindowEnds,
    accounts: BTreeMap<AccountId, OfAccount>,
    refunded: BTreeMap<Uuid, Numbered>,
    /// Capacities that the org changed itself, or that were overlooked: what it was charged for each member is not known any more.
    disturbed: BTreeSet<FeatureCode>,
}

#[derive(Debug, Default)]
struct OfAccount {
    /// Whether its own numbers came from another home.
    is_carried: bool,
    replays: BTreeMap<(Side, FeatureCode), Replay>,
    /// What its org was charged for it of capacities, by bucket.
    shares: BTreeMap<Bucket, i128>,
}

impl OfAccount {
    /// What is known of a capacity of which it has drawn nothing here.
    fn known_at(&self, side: Side) -> Known {
        match side {
            Side::Own if self.is_carried => Known::Nothing,
            Side::Own | Side::AtOrg => Known::All,
        }
    }
}

impl Numbers {
    pub(super) fn of(home: &AuditHome, refunded: &[Uuid]) -> Self {
        let mut capacities = BTreeSet::new();
        for (_, account) in &home.accounts {
            let books = &account.books;
            let codes = books.occupancy.keys().chain(books.org_occupancy.keys());
            capacities.extend(codes.cloned());
        }
        let refunded = refunded.iter().map(|id| (*id, Numbered::default()));
        Self {
            home: home.home.clone(),
            ends: WindowEnds::of(home, &capacities),
            capacities,
            overlooked: BTreeSet::new(),
            accounts: BTreeMap::new(),
            refunded: refunded.collect(),
            disturbed: BTreeSet::new(),
        }
    }

    /// Takes in what an operation numbered or refunded. `own` is what was booked for its account before it.
    pub(super) fn see(
        &mut self,
        operation: &Operation,
        own: Sums<'_>,
        findings: &mut Vec<Finding>,
    ) {
        self.learn(operation);
        match operation.kind {
            OperationKind::Change => self.change(operation),
            OperationKind::Refund => self.refund(operation, own),
            OperationKind::Consume | OperationKind::Track | OperationKind::Commit => {
                for side in Side::ALL {
                    self.draw(operation, (side, own), findings);
                }
            }
            OperationKind::Reserve
            | OperationKind::Release
            | OperationKind::Extend
            | OperationKind::Expire
            | OperationKind::ReleaseCapacity
            | OperationKind::Reset
            | OperationKind::Close => {}
        }
        self.charge(operation);
        self.ends.see(operation);
        if let Some(refunded) = self.refunded.get_mut(&operation.id) {
            *refunded = Numbered::of(operation);
        }
    }

    /// What has numbers is a capacity.
    fn learn(&mut self, operation: &Operation) {
        let entries = operation.entries.iter();
        let numbered = entries.filter(|entry| entry.first_unit.is_some());
        for code in numbered.filter_map(|entry| entry.feature.as_ref()) {
            if self.overlooked.remove(code) {
                self.disturbed.insert(code.clone());
            }
            if !self.capacities.contains(code) {
                self.capacities.insert(code.clone());
            }
        }
    }

    /// With a life in the home the numbers at its org begin anew.
    fn change(&mut self, operation: &Operation) {
        let Answer::Changed { change, .. } = &operation.answer else {
            return;
        };
        let id = &operation.account;
        if let Some(is_carried) = change.begins_life() {
            let begun = OfAccount {
                is_carried,
                ..OfAccount::default()
            };
            self.accounts.insert(id.clone(), begun);
            for refunded in self.refunded.values_mut() {
                refunded.leave_org(id);
            }
        }
    }

    /// Numbers what was drawn; what was released before is noted with it.
    fn draw(
        &mut self,
        operation: &Operation,
        (side, own): (Side, Sums<'_>),
        findings: &mut Vec<Finding>,
    ) {
        let mut drawn: BTreeMap<&FeatureCode, Vec<&Entry>> = BTreeMap::new();
        for entry in drawn_at(operation, side) {
            if let Some(code) = &entry.feature {
                drawn.entry(code).or_default().push(entry);
            }
        }
        for (code, entries) in drawn {
            let key = (side, code.clone());
            let numbers = numbers_of(entries.iter().copied());
            let account = self.accounts.get(&operation.account);
            let is_known = account.is_some_and(|account| account.replays.contains_key(&key));
            if numbers.is_empty() && !is_known {
                continue;
            }
            let counted = self.counted((side, code), operation, own);
            let account = self.accounts.entry(operation.account.clone()).or_default();
            let unknown = Replay::new(account.known_at(side));
            let replay = account.replays.entry(key).or_insert(unknown);
            if let Some((first, _)) = numbers.first() {
                replay.begin(*first);
                replay.keep(counted);
            } else {
                // Late use of a window that is over has no number, and what was released is noted all the same.
                let is_late = entries.iter().all(|entry| entry.used_at.is_some());
                replay.keep(counted.filter(|_| is_late));
            }
            for (first, units) in numbers {
                let next = replay.next_number();
                if !replay.draw(first, units) {
                    let id = operation.id;
                    let what =
                        format!("{id}: units of `{code}` are numbered from {first}, not {next}");
                    findings.push(Finding::of("X4", &operation.account, what));
                }
            }
        }
    }

    /// Takes refunded units out. Of what was drawn in another home, or in part without numbers, they are not known.
    fn refund(&mut self, operation: &Operation, own: Sums<'_>) {
        let Answer::Refunded {
            items,
            balances,
            elsewhere,
        } = &operation.answer
        else {
            return;
        };
        for item in items {
            let mut known = balances.iter().filter_map(|one| one.feature.as_ref());
            let is_in_catalog = known.any(|code| *code == item.feature);
            let is_whole = is_in_catalog && elsewhere.is_none();
            for side in Side::ALL {
                self.refund_at(operation, (side, item), own.filter(|_| is_whole));
            }
            let of = operation.refers_to;
            if let Some(refunded) = of.and_then(|of| self.refunded.get_mut(&of)) {
                refunded.give_back(&item.feature, item.amount.get());
            }
        }
    }

    fn refund_at(&mut self, operation: &Operation, (side, item): (Side, &Item), own: Sums<'_>) {
        let code = &item.feature;
        let counted = self.counted((side, code), operation, own);
        let of = operation.refers_to.filter(|_| own.is_some());
        let of = of.and_then(|of| self.refunded.get(&of));
        let back = of.map_or(Back::Unknown, |of| of.back(side, code, item.amount.get()));
        let account = self.accounts.get_mut(&operation.account);
        let replay = account.and_then(|account| account.replays.get_mut(&(side, code.clone())));
        let Some(replay) = replay else {
            return;
        };
        match back {
            Back::Nothing => {}
            Back::Unknown => replay.forget(),
            Back::Units(first, units) => {
                replay.keep(counted);
                replay.refund(first, units);
            }
        }
    }

    /// What the account that asks occupies of a capacity before an operation, its own or what its org was charged for it; unknown where
    /// it does not follow which windows count.
    fn counted(
        &self,
        (side, code): (Side, &FeatureCode),
        operation: &Operation,
        own: Sums<'_>,
    ) -> Option<u64> {
        let account = self.accounts.get(&operation.account);
        let (id, all): (&AccountId, Vec<(&Bucket, i128)>) = match side {
            Side::Own => {
                let own = own.into_iter().flat_map(|own| of_capacity(own, code));
                let spent = |(used, _, overage, _): &Counters| used.saturating_add(*overage);
                let own = own.map(|(bucket, sum)| (bucket, spent(sum)));
                (&operation.account, own.collect())
            }
            Side::AtOrg => {
                let shares = account.map(|account| &account.shares).into_iter();
                let shares = shares.flat_map(|shares| of_capacity(shares, code));
                let shares = shares.map(|(bucket, units)| (bucket, *units));
                (&self.home, shares.collect())
            }
        };
        if side == Side::AtOrg && self.disturbed.contains(code) {
            return None;
        }
        let mut units = 0_i128;
        for (bucket, of_bucket) in all.into_iter().filter(|(_, of_bucket)| *of_bucket != 0) {
            if self.counts((id, bucket), operation, side)? {
                units = units.saturating_add(of_bucket);
            }
        }
        u64::try_from(units).ok()
    }

    /// Whether a bucket counts at the moment of an operation, as far as that follows: what has no window always does, and one that is
    /// charged now does.
    fn counts(
        &self,
        (id, bucket): (&AccountId, &Bucket),
        operation: &Operation,
        side: Side,
    ) -> Option<bool> {
        let mut drawn = drawn_at(operation, side);
        let is_charged = drawn.any(|entry| entry.bucket == *bucket && entry.first_unit.is_some());
        if is_charged || !is_window(bucket) {
            return Some(true);
        }
        self.ends.counts((id, bucket), operation.at)
    }

    /// Adds up what the org is charged for the member that asks.
    fn charge(&mut self, operation: &Operation) {
        let of_org = operation.account == self.home;
        let entries = operation.entries.iter();
        for entry in entries.filter(|entry| entry.scope == Scope::Org) {
            let code = entry
                .bucket
                .feature()
                .filter(|_| is_occupied(&entry.bucket));
            let Some(code) = code else {
                continue;
            };
            if !self.capacities.contains(code) {
                self.overlooked.insert(code.clone());
                continue;
            }
            if of_org {
                self.disturbed.insert(code.clone());
                continue;
            }
            let account = self.accounts.entry(operation.account.clone()).or_default();
            let share = account.shares.entry(entry.bucket.clone()).or_insert(0);
            let by = i128::from(entry.used).saturating_add(entry.overage.into());
            *share = share.saturating_add(by);
            if *share == 0 {
                account.shares.remove(&entry.bucket);
            }
        }
    }

    /// X4: what is kept of the numbers is what the ledger comes to, as far as that follows, and nothing else.
    pub(super) fn check(&self, id: &AccountId, books: &Books, findings: &mut Vec<Finding>) {
        let none = OfAccount::default();
        let account = self.accounts.get(id).unwrap_or(&none);
        for side in Side::ALL {
            let kept = match side {
                Side::Own => &books.occupancy,
                Side::AtOrg => &books.org_occupancy,
            };
            let replayed = account.replays.keys().filter(|(of, _)| *of == side);
            let replayed = replayed.map(|(_, code)| code);
            let codes: BTreeSet<&FeatureCode> = kept.keys().chain(replayed).collect();
            for code in codes {
                let found = kept.get(code).cloned().unwrap_or_default();
                let unknown = Replay::new(account.known_at(side));
                let replay = account.replays.get(&(side, code.clone()));
                let replay = replay.unwrap_or(&unknown);
                if !found.is_sound() || !replay.agrees_with(&found) {
                    let what =
                        format!("units of `{code}` are {found:?}, the ledger says {replay:?}");
                    findings.push(Finding::of("X4", id, what));
                }
            }
        }
    }
}

/// What is kept of a capacity where it is occupied.
fn of_capacity<'m, V>(
    all: &'m BTreeMap<Bucket, V>,
    code: &FeatureCode,
) -> impl Iterator<Item = (&'m Bucket, &'m V)> + use<'m, V> {
    let window = |start| Bucket::Window(code.clone(), start);
    let tracked = |start| Bucket::Tracked(code.clone(), start);
    let windows = all.range(window(i64::MIN)..=window(i64::MAX));
    let tracked = all.range(tracked(i64::MIN)..=tracked(i64::MAX));
    let others = [Bucket::Standing(code.clone()), Bucket::Room(code.clone())];
    let others = others.into_iter();
    let others = others.filter_map(move |bucket| all.get_key_value(&bucket));
    windows.chain(tracked).chain(others)
}

/// Whether units of a capacity are occupied in it.
fn is_occupied(bucket: &Bucket) -> bool {
    is_window(bucket) || matches!(bucket, Bucket::Standing(_) | Bucket::Room(_))
}
