//! Reserve: decides like consume, and holds at every scope instead of spending (R1).

use super::context::Use;
use super::decide::{Mode, draw};
use super::desk::Desk;
use super::hold::{deadline, note_deadline};
use super::outcome::Outcome;
use super::posting::Drawing;
use super::scope_balances::scope_balances;
use super::spend::{denied, take};
use crate::answer::{Answer, Rejection};
use crate::command::Reserve;
use crate::draw::Draw;
use crate::item::Item;
use crate::operation::Entry;
use crate::reservation::{Reservation, ReservationState};

/// Holds what is asked for.
pub(crate) fn reserve(desk: &mut Desk<'_>, asked: &Reserve) -> Result<Outcome, Rejection> {
    let expires_at = deadline(&desk.context, asked.ttl_seconds)?;
    let token = asked.token.as_ref();
    let wanted = Use {
        user: &desk.request.account,
        token,
        feature: &asked.feature,
        amount: asked.amount,
    };
    let question = desk.context.question(desk.home, wanted, Mode::Ask)?;
    let drawn = match draw(&question) {
        Ok(drawn) => drawn,
        Err(denial) => {
            desk.context.must_be_drawn(&asked.feature)?;
            let item = Item {
                feature: asked.feature.clone(),
                amount: asked.amount,
            };
            return Ok(denied(desk, token, &item, denial));
        }
    };
    if drawn.draws.is_empty() {
        return Err(desk.context.not_drawn(&asked.feature));
    }
    let entries = take(desk, &asked.feature, &drawn, Drawing::Hold)?;
    let balances = scope_balances(desk, token, &asked.feature, &drawn);
    let reservation = Reservation {
        id: desk.next_id(),
        account: desk.request.account.clone(),
        token: asked.token.clone(),
        feature: asked.feature.clone(),
        amount: asked.amount.get(),
        draws: drawn.draws.into_iter().chain(counted(&entries)).collect(),
        expires_at,
        state: ReservationState::Open,
        ended_by: None,
        late_commit: None,
    };
    desk.home.changes.reservations.insert(reservation.id);
    desk.home.reservations.insert(reservation.id, reservation);
    note_deadline(desk.home, expires_at);
    let mut booking = desk.booking(Answer::Reserved {
        expires_at,
        balances,
    });
    booking.entries = entries;
    Ok(desk.book(booking))
}

/// What a member limit counts of the hold: its end counts it no more (O7).
fn counted(entries: &[Entry]) -> Option<Draw> {
    let entry = entries.iter().find(|entry| entry.bucket.is_member())?;
    Some(Draw {
        scope: entry.scope,
        bucket: entry.bucket.clone(),
        further: Vec::new(),
        source: entry.source,
        amount: entry.held.unsigned_abs(),
        unit_cost: 1,
    })
}
