//! Release: a hold is given back (R3).

use std::sync::Arc;

use super::desk::Desk;
use super::ending::ending;
use super::hold::{again, book_end, reservation, settle_hold};
use super::outcome::Outcome;
use super::scope_balances::standing_of;
use crate::answer::{Answer, Rejection};
use crate::command::Release;
use crate::reservation::{Reservation, ReservationState};

/// Gives everything back. Asked again, the first answer stands; after the deadline there is nothing to give back.
pub(crate) fn release(desk: &mut Desk<'_>, asked: &Release) -> Result<Outcome, Rejection> {
    let held = reservation(desk, asked.reservation)?;
    match held.state {
        ReservationState::Open => {}
        // What was used is told by a late commit: who asks must not think that nothing was.
        ReservationState::Expired if held.late_commit.is_some() => {
            let ending = ending(desk.home, &held);
            return Err(Rejection::ReservationEnded { ending });
        }
        ReservationState::Released | ReservationState::Expired => {
            let mut booking = desk.booking(Answer::Settled {
                state: held.state,
                late: false,
                balances: Vec::new(),
                elsewhere: None,
            });
            booking.refers_to = Some(held.id);
            let pruned = desk.leave_unbooked(booking);
            let mut first = again(desk.home, held.ended_by).unwrap_or(pruned);
            if held.state == ReservationState::Expired {
                // The deadline gave it back (R4), and not this release.
                Arc::make_mut(&mut first.operation).entries.clear();
            }
            return Ok(first);
        }
        ReservationState::Committed => {
            let ending = ending(desk.home, &held);
            return Err(Rejection::ReservationEnded { ending });
        }
    }
    let (entries, _) = settle_hold(desk, &held, 0)?;
    let answer = Answer::Settled {
        state: ReservationState::Released,
        late: false,
        balances: standing_of(desk, held.token.as_ref(), &held.feature),
        elsewhere: None,
    };
    let ended = Reservation {
        state: ReservationState::Released,
        ended_by: Some(desk.next_id()),
        ..held
    };
    Ok(book_end(desk, ended, entries, answer))
}
