//! Bookings: an operation before it has its place in the ledger.

use uuid::Uuid;

use super::context::Context;
use crate::answer::Answer;
use crate::change::{Change, Effect};
use crate::command::Request;
use crate::home::Home;
use crate::operation::{Entry, Operation, OperationKind, id_at};

/// What an operation did, before it is booked.
#[derive(Debug)]
pub(crate) struct Booking {
    pub(crate) kind: OperationKind,
    pub(crate) refers_to: Option<Uuid>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) answer: Answer,
}

impl Booking {
    /// The booking of a request that changed no balance, or none yet; its kind is that of its command.
    pub(crate) fn of(request: &Request, answer: Answer) -> Self {
        Self {
            kind: request.command.traits().kind,
            refers_to: None,
            entries: Vec::new(),
            answer,
        }
    }

    /// A change of terms.
    pub(crate) fn change(request: &Request, change: Change, detail: Option<String>) -> Self {
        Self::changed(request, change, (detail, None))
    }

    /// A change of terms, with what it came to.
    pub(crate) fn changed(
        request: &Request,
        change: Change,
        (detail, effect): (Option<String>, Option<Effect>),
    ) -> Self {
        let answer = Answer::Changed {
            change,
            detail,
            effect,
        };
        Self::of(request, answer)
    }
}

/// The id that the operation of this request has when it is booked next.
pub(crate) fn next_id(home: &Home, request: &Request) -> Uuid {
    id_at(request.id, home.version.saturating_add(1))
}

/// The id of the other operation where two belong together, always the same beside the same id: of the end of a hold whose time is over
/// beside the reservation, and of what is booked in a home that the account left beside what is booked where it lives.
pub(crate) fn id_beside(id: Uuid) -> Uuid {
    // Not one of the bits that hold an operation's place.
    Uuid::from_u128(id.as_u128() ^ (1 << 48))
}

/// The operation as it would be booked next.
pub(crate) fn operation(
    home: &Home,
    context: &Context<'_>,
    request: &Request,
    booking: Booking,
) -> Operation {
    Operation {
        id: next_id(home, request),
        account: request.account.clone(),
        sequence: home.version.saturating_add(1),
        at: context.now,
        kind: booking.kind,
        key: request.key.clone(),
        body_hash: request.body_hash,
        refers_to: booking.refers_to,
        entries: booking.entries,
        answer: booking.answer,
        origin: request.origin.clone(),
    }
}
