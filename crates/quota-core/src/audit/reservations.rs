//! Reservations against balances and ledger.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::balances::Balances;
use super::finding::Finding;
use crate::balance::Bucket;
use crate::draw::{Draw, Scope, Source};
use crate::home::Account;
use crate::ids::AccountId;
use crate::operation::{Operation, OperationKind};
use crate::ports::AuditHome;
use crate::reservation::{Reservation, ReservationState};

/// What the ledger says of one reservation.
#[derive(Debug, Default)]
struct End {
    late_commit: Option<Uuid>,
    /// What the operation that made it held.
    made: Option<i128>,
    /// The last operation that ended it: its kind, its id and what it held (less than 0: gave back).
    ended: Option<(OperationKind, Uuid, i128)>,
    ends: u64,
    has_late_commit: bool,
}

/// What the ledger says of each reservation of a home.
#[derive(Debug)]
pub(super) struct Ends(BTreeMap<Uuid, End>);

fn held(operation: &Operation) -> i128 {
    let entries = operation.entries.iter();
    entries.fold(0, |sum, entry| sum.saturating_add(entry.held.into()))
}

impl Ends {
    pub(super) fn of(reservations: &[Reservation]) -> Self {
        let ends = reservations.iter().map(|reservation| {
            let end = End {
                late_commit: reservation.late_commit,
                ..End::default()
            };
            (reservation.id, end)
        });
        Self(ends.collect())
    }

    pub(super) fn see(&mut self, operation: &Operation) {
        if let Some(end) = self.0.get_mut(&operation.id) {
            end.made = Some(held(operation));
        }
        let about = operation.refers_to.and_then(|about| self.0.get_mut(&about));
        let Some(end) = about else {
            return;
        };
        let is_late = end.late_commit == Some(operation.id);
        end.has_late_commit |= is_late;
        let ends = match operation.kind {
            OperationKind::Release | OperationKind::Expire => true,
            OperationKind::Commit => !is_late,
            OperationKind::Consume
            | OperationKind::Track
            | OperationKind::Reserve
            | OperationKind::Extend
            | OperationKind::Refund
            | OperationKind::ReleaseCapacity
            | OperationKind::Reset
            | OperationKind::Change
            | OperationKind::Close => false,
        };
        if ends {
            end.ended = Some((operation.kind, operation.id, held(operation)));
            end.ends = end.ends.saturating_add(1);
        }
    }

    /// I10: each has drawn what it is worth, and ended as it says. What ended before this life of the home began
    /// (`base` is not 0) has its operations there.
    pub(super) fn check(
        &self,
        reservations: &[Reservation],
        base: u64,
        findings: &mut Vec<Finding>,
    ) {
        for reservation in reservations {
            check_amount(reservation, findings);
            let Some(end) = self.0.get(&reservation.id) else {
                continue;
            };
            let is_open = reservation.state == ReservationState::Open;
            // So has what was committed late after a move: it is a copy of that of the former home.
            let is_copy = base != 0 || reservation.late_commit.is_some();
            if is_copy && !is_open && end.made.is_none() {
                continue;
            }
            end.check(reservation, findings);
        }
    }
}

impl End {
    /// I10: open has no end; a terminal state has exactly one, of its own kind, and it held as much as it gave back.
    fn check(&self, reservation: &Reservation, findings: &mut Vec<Finding>) {
        let mut wrong = |what: &str| {
            let what = format!("{}: {what}", reservation.id);
            findings.push(Finding::of("I10", &reservation.account, what));
        };
        let kind = match reservation.state {
            ReservationState::Open => None,
            ReservationState::Committed => Some(OperationKind::Commit),
            ReservationState::Released => Some(OperationKind::Release),
            ReservationState::Expired => Some(OperationKind::Expire),
        };
        match (kind, self.ended) {
            (None, None) if reservation.ended_by.is_none() => {}
            (None, _) => wrong("it is open and has an end"),
            (Some(kind), Some((of, id, given)))
                if self.ends == 1 && of == kind && reservation.ended_by == Some(id) =>
            {
                if self.made.and_then(|made| made.checked_add(given)) != Some(0) {
                    wrong("its end does not give back what it held");
                }
            }
            (Some(_), _) => wrong("its state and its end in the ledger differ"),
        }
        let is_expired = reservation.state == ReservationState::Expired;
        if reservation.late_commit.is_some() && !(is_expired && self.has_late_commit) {
            wrong("its late commit is not there");
        }
    }
}

fn open(home: &AuditHome) -> impl Iterator<Item = &Reservation> {
    let all = home.reservations.iter();
    all.filter(|reservation| reservation.state == ReservationState::Open)
}

/// I11: the home knows of the first deadline of its holds.
pub(super) fn check_deadline(home: &AuditHome, findings: &mut Vec<Finding>) {
    if let Some(first) = open(home).map(|held| held.expires_at).min()
        && home.hold_before.is_none_or(|before| first < before)
    {
        let before = home.hold_before;
        let what = format!("a hold ends at {first}, hold_before is {before:?}");
        findings.push(Finding::of("I11", &home.home, what));
    }
}

/// I3: what a balance holds is what open reservations hold in it, wherever they were moved.
pub(super) fn check_held(home: &AuditHome, balances: &Balances<'_>, findings: &mut Vec<Finding>) {
    let accounts = home.accounts.iter().map(|(id, account)| (id, account));
    let accounts: BTreeMap<&AccountId, &Account> = accounts.collect();
    let mut held: BTreeMap<(&AccountId, Bucket), u128> = BTreeMap::new();
    for reservation in open(home) {
        let draws = reservation.draws.iter();
        let is_of_balance =
            |draw: &&Draw| draw.source != Source::Overage && !draw.bucket.is_member();
        for draw in draws.filter(is_of_balance) {
            let id = match draw.scope {
                Scope::Org => &home.home,
                Scope::Token | Scope::User => &reservation.account,
            };
            let account = accounts.get(id);
            for bucket in std::iter::once(&draw.bucket).chain(&draw.further) {
                let bucket = account
                    .map_or_else(|| bucket.clone(), |account| account.books.resolved(bucket));
                let sum = held.entry((id, bucket)).or_insert(0);
                *sum = sum.saturating_add(draw.amount.into());
            }
        }
    }
    for (id, _) in &home.accounts {
        for balance in balances.of_account(id) {
            let wanted = held.remove(&(id, balance.bucket.clone()));
            let wanted = wanted.unwrap_or_default();
            if u128::from(balance.held) != wanted {
                let what = format!("{} is held, open reservations hold {wanted}", balance.held);
                findings.push(Finding::of("I3", id, what).at(&balance.bucket));
            }
        }
    }
    for ((id, bucket), wanted) in held {
        if wanted != 0 {
            let what = format!("open reservations hold {wanted}, and there is no balance");
            findings.push(Finding::of("I3", id, what).at(&bucket));
        }
    }
}

/// I10: at every scope the draws are worth what was reserved.
fn check_amount(reservation: &Reservation, findings: &mut Vec<Finding>) {
    for scope in Scope::ALL {
        let draws = reservation.draws.iter();
        let draws = draws.filter(|draw| draw.scope == scope && !draw.bucket.is_member());
        let mut units = 0_u128;
        let mut credits = (0_u128, 1_u64);
        let mut is_drawn = false;
        for draw in draws {
            is_drawn = true;
            let Draw {
                amount, unit_cost, ..
            } = *draw;
            if draw.source == Source::Credits {
                credits = (credits.0.saturating_add(amount.into()), unit_cost);
            } else {
                units = units.saturating_add(amount.into());
            }
        }
        let paid = credits.0.checked_div(credits.1.into()).unwrap_or(0);
        let units = units.saturating_add(paid);
        if units != reservation.amount.into() && (is_drawn || scope == Scope::User) {
            let (id, amount) = (reservation.id, reservation.amount);
            let what = format!("{id}: {amount} reserved, {units} drawn at scope {scope:?}");
            findings.push(Finding::of("I10", &reservation.account, what));
        }
    }
}
