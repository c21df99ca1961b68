//! How a hold ended, for whoever asks or comes too late (X8).

use uuid::Uuid;

use super::settle::units;
use crate::draw::{Draw, Scope};
use crate::home::Home;
use crate::operation::{Entry, Operation};
use crate::reservation::{Ending, Reservation, ReservationState};

/// How a hold ended, as far as the operations that ended it are loaded. One that expired did so at its deadline, whenever
/// that was booked (R4).
pub fn ending(home: &Home, held: &Reservation) -> Ending {
    let ended_by = loaded(home, held.ended_by);
    let committed = match held.state {
        ReservationState::Open | ReservationState::Released => None,
        ReservationState::Committed => ended_by,
        ReservationState::Expired => loaded(home, held.late_commit),
    };
    let at = match held.state {
        ReservationState::Expired => Some(held.expires_at),
        ReservationState::Open | ReservationState::Committed | ReservationState::Released => {
            ended_by.map(|operation| operation.at)
        }
    };
    Ending {
        state: held.state,
        at,
        used: committed.map(used_by),
    }
}

/// An operation that is new in this batch, or was loaded with the reservation.
pub(super) fn loaded(home: &Home, id: Option<Uuid>) -> Option<&Operation> {
    let id = id?;
    let new = home.changes.operations.iter().find(|new| new.id == id);
    new.map(AsRef::as_ref)
        .or_else(|| home.referred.get(&id).map(|referred| &referred.operation))
}

/// Units that a commit spent at the user, in whichever home that is booked.
fn used_by(operation: &Operation) -> u64 {
    // What is booked beside another entry is the same use (C9, X4).
    let spent = |entry: &&Entry| entry.scope == Scope::User && !entry.is_beside();
    let entries = operation.all_entries();
    let draws = entries.filter(spent).filter_map(Entry::drawn);
    let draws: Vec<Draw> = draws.collect();
    units(&draws)
}
