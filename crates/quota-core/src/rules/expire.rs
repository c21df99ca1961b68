//! The end of holds whose deadline has come: nothing refuses it (R4).

use uuid::Uuid;

use super::booking::{Booking, book_own, post, scope_account};
use super::hold::settled;
use crate::answer::Answer;
use crate::draw::{Draw, Source};
use crate::home::Home;
use crate::operation::{Entry, OperationKind, id_at};
use crate::reservation::{Reservation, ReservationState};
use crate::rules::context::Context;

/// The id in whose name a hold whose time is over is ended: always the same for the same hold.
pub fn expiry_id(reservation: Uuid) -> Uuid {
    // Not one of the bits that hold an operation's place.
    Uuid::from_u128(reservation.as_u128() ^ (1 << 48))
}

/// Ends every loaded hold whose deadline has come (R4). Nothing refuses that: the home would refuse everything.
pub(crate) fn expire_due(home: &mut Home, context: &Context<'_>) {
    let is_due =
        |held: &&Reservation| held.state == ReservationState::Open && !held.is_live(context.now);
    let due: Vec<Reservation> = home.reservations.values().filter(is_due).cloned().collect();
    for held in due {
        let entries = give_back(home, context, &held);
        let id = expiry_id(held.id);
        let ended = Reservation {
            state: ReservationState::Expired,
            ended_by: Some(id_at(id, home.version.saturating_add(1))),
            ..held.clone()
        };
        let booking = Booking {
            kind: OperationKind::Expire,
            refers_to: Some(held.id),
            entries,
            answer: Answer::Settled {
                state: ReservationState::Expired,
                late: false,
                balances: Vec::new(),
            },
        };
        home.changes.reservations.insert(held.id);
        home.reservations.insert(held.id, ended);
        book_own(home, context, (id, held.account), booking);
    }
}

/// Gives back what a hold holds, of each draw at most what is held there: the auditor finds what is missing (I10).
fn give_back(home: &mut Home, context: &Context<'_>, held: &Reservation) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(held.draws.len());
    for draw in &held.draws {
        let id = scope_account(home, &held.account, draw.scope).clone();
        let found = home.accounts.get(&id).and_then(|account| {
            let bucket = account.books.resolved(&draw.bucket);
            account.books.balance(&bucket)
        });
        let amount = found.map_or(0, |balance| balance.held.min(draw.amount));
        let part = Draw {
            amount,
            ..draw.clone()
        };
        if found.is_some() || draw.source == Source::Overage {
            let posting = settled(&part, 0, &held.feature);
            entries.extend(post(home, context, &id, posting));
        }
    }
    entries
}
