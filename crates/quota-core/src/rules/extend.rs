//! Extend: the deadline of a hold is moved (R3).

use super::desk::Desk;
use super::ending::ending;
use super::hold::{book_end, deadline, note_deadline, reservation};
use super::outcome::Outcome;
use super::scope_balances::standing_of;
use crate::answer::{Answer, Rejection};
use crate::command::Extend;
use crate::reservation::Reservation;

/// Moves the deadline to `ttl_seconds` from now.
pub(crate) fn extend(desk: &mut Desk<'_>, asked: &Extend) -> Result<Outcome, Rejection> {
    let expires_at = deadline(&desk.context, asked.ttl_seconds)?;
    let held = reservation(desk, asked.reservation)?;
    if !held.is_live(desk.context.now) {
        let ending = ending(desk.home, &held);
        return Err(Rejection::ReservationEnded { ending });
    }
    note_deadline(desk.home, expires_at);
    let answer = Answer::Reserved {
        expires_at,
        balances: standing_of(desk, held.token.as_ref(), &held.feature),
    };
    let moved = Reservation { expires_at, ..held };
    Ok(book_end(desk, moved, Vec::new(), answer))
}
