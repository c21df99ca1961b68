//! Reservations against balances and ledger.

use std::collections::BTreeMap;

use super::{Finding, balances};
use crate::balance::Bucket;
use crate::ids::AccountId;
use crate::operation::{Operation, OperationKind};
use crate::ports::AuditHome;
use crate::reservation::{Reservation, ReservationState};
use crate::rules::decide::{Draw, Scope};
use crate::rules::funding::Source;

pub(super) fn check(home: &AuditHome, findings: &mut Vec<Finding>) {
    check_held(home, findings);
    for reservation in &home.reservations {
        check_amount(reservation, findings);
        if !is_of_earlier_life(home, reservation) {
            check_end(home, reservation, findings);
        }
    }
    let open = home
        .reservations
        .iter()
        .filter(|held| held.state == ReservationState::Open);
    if let Some(first) = open.map(|held| held.expires_at).min()
        && home.hold_before.is_none_or(|before| first < before)
    {
        let what = format!(
            "a hold ends at {first}, hold_before is {:?}",
            home.hold_before
        );
        findings.push(Finding::of("I11", &home.home, what));
    }
}

/// Whether a reservation ended before this life of the home began: what made and ended it is not there.
fn is_of_earlier_life(home: &AuditHome, reservation: &Reservation) -> bool {
    let mut operations = home.operations.iter();
    super::base(home) != 0
        && reservation.state != ReservationState::Open
        && operations.all(|made| made.id != reservation.id)
}

/// I3: what a balance holds is what open reservations hold in it, wherever they were moved.
fn check_held(home: &AuditHome, findings: &mut Vec<Finding>) {
    let mut held: BTreeMap<(&AccountId, Bucket), u128> = BTreeMap::new();
    let open = home
        .reservations
        .iter()
        .filter(|reservation| reservation.state == ReservationState::Open);
    for reservation in open {
        let draws = reservation.draws.iter();
        for draw in draws.filter(|draw| draw.source != Source::Overage) {
            let id = match draw.scope {
                Scope::Org => &home.home,
                Scope::Token | Scope::User => &reservation.account,
            };
            let account = home.accounts.iter().find(|(of, _)| of == id);
            let bucket = account.map_or(draw.bucket.clone(), |(_, account)| {
                account.books.resolved(&draw.bucket)
            });
            let sum = held.entry((id, bucket)).or_insert(0);
            *sum = sum.saturating_add(draw.amount.into());
        }
    }
    for (id, _) in &home.accounts {
        for balance in balances(home, id) {
            let wanted = held
                .remove(&(id, balance.bucket.clone()))
                .unwrap_or_default();
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
    for scope in [Scope::Token, Scope::User, Scope::Org] {
        let draws = reservation.draws.iter().filter(|draw| draw.scope == scope);
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

fn is_end(operation: &Operation, is_late: bool) -> bool {
    match operation.kind {
        OperationKind::Release | OperationKind::Expire => true,
        OperationKind::Commit => !is_late,
        _ => false,
    }
}

/// I10: open has no end; a terminal state has exactly one, of its own kind, and it held as much as it gave back.
fn check_end(home: &AuditHome, reservation: &Reservation, findings: &mut Vec<Finding>) {
    let mut wrong = |what: &str| {
        let what = format!("{}: {what}", reservation.id);
        findings.push(Finding::of("I10", &reservation.account, what));
    };
    let about = |operation: &&Operation| operation.refers_to == Some(reservation.id);
    let ends: Vec<&Operation> = home
        .operations
        .iter()
        .filter(about)
        .filter(|operation| is_end(operation, reservation.late_commit == Some(operation.id)))
        .collect();
    let kind = match reservation.state {
        ReservationState::Open => None,
        ReservationState::Committed => Some(OperationKind::Commit),
        ReservationState::Released => Some(OperationKind::Release),
        ReservationState::Expired => Some(OperationKind::Expire),
    };
    match (kind, ends.as_slice()) {
        (None, []) if reservation.ended_by.is_none() => {}
        (None, _) => wrong("it is open and has an end"),
        (Some(kind), [end]) if end.kind == kind && reservation.ended_by == Some(end.id) => {
            let made = home
                .operations
                .iter()
                .find(|operation| operation.id == reservation.id);
            let held = made
                .into_iter()
                .chain([*end])
                .flat_map(|operation| &operation.entries)
                .fold(0_i128, |sum, entry| sum.saturating_add(entry.held.into()));
            if made.is_none() || held != 0 {
                wrong("its end does not give back what it held");
            }
        }
        (Some(_), _) => wrong("its state and its end in the ledger differ"),
    }
    if let Some(late) = reservation.late_commit {
        let is_there = home
            .operations
            .iter()
            .filter(about)
            .any(|operation| operation.id == late);
        if reservation.state != ReservationState::Expired || !is_there {
            wrong("its late commit is not there");
        }
    }
}
