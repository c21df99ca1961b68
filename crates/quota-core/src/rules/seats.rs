//! The seats of a subscription: how many of its plan the account bought (C12).

use super::cancel::ended_for_good;
use super::desk::Desk;
use super::outcome::Outcome;
use super::subscribe::{Next, current, put};
use crate::answer::Rejection;
use crate::change::Change;
use crate::command::SetSeats;

/// Sets the seats of the running period and of all that follow it, at once. Where more is used than fewer seats allow,
/// nothing is taken away (S6).
pub(crate) fn set_seats(desk: &mut Desk<'_>, asked: &SetSeats) -> Result<Outcome, Rejection> {
    let held = current(desk)?;
    if let Some(refused) = ended_for_good(&held, desk.context.now) {
        return Err(refused);
    }
    let next = held.with_seats(asked.seats);
    if next == held {
        return Ok(desk.unchanged());
    }
    put(desk, Next::new(Change::SeatsSet, next), |_| true)
}
