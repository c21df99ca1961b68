//! The desk: a request on a home in its context, which is what every rule works on.
//!
//! A rule books and announces only after the last thing that can fail: of one that is refused, `execute` undoes what it did
//! to accounts and closed balances, and neither operations, events and reservations nor the home's version.

use std::sync::Arc;

use uuid::Uuid;

use super::booking::{Booking, next_id, operation};
use super::context::Context;
use super::outcome::Outcome;
use crate::answer::{Answer, Rejection};
use crate::change::{Change, Effect};
use crate::command::Request;
use crate::event::{Event, EventKind};
use crate::home::{Account, Home};
use crate::ids::AccountId;
use crate::operation::{Entry, Operation, OperationKind};

/// A request on a home.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) home: &'a mut Home,
    pub(crate) context: Context<'a>,
    pub(crate) request: &'a Request,
}

impl Desk<'_> {
    /// The account that the request names.
    pub(crate) fn account(&self) -> Result<&Account, Rejection> {
        let account = self.home.accounts.get(&self.request.account);
        account.map(AsRef::as_ref).ok_or(Rejection::UnknownAccount)
    }

    /// The same, to be changed.
    pub(crate) fn account_mut(&mut self) -> Result<&mut Account, Rejection> {
        let account = self.home.account_mut(&self.request.account);
        account.ok_or(Rejection::UnknownAccount)
    }

    /// The id that the operation of this request has when it is booked next.
    pub(crate) fn next_id(&self) -> Uuid {
        next_id(self.home, self.request)
    }

    /// A booking of the command's kind.
    pub(crate) fn booking(&self, answer: Answer) -> Booking {
        Booking::of(self.request, answer)
    }

    /// The booking of a change.
    pub(crate) fn change_booking(&self, change: Change, detail: Option<String>) -> Booking {
        Booking::change(self.request, change, detail)
    }

    /// Appends the operation to the ledger.
    pub(crate) fn book(&mut self, booking: Booking) -> Outcome {
        let operation = Arc::new(operation(self.home, &self.context, self.request, booking));
        self.home.version = operation.sequence;
        self.home.changes.operations.push(Arc::clone(&operation));
        Outcome {
            operation,
            is_booked: true,
        }
    }

    /// The operation as it would be booked next, without booking it.
    pub(crate) fn leave_unbooked(&self, booking: Booking) -> Outcome {
        Outcome {
            operation: operation(self.home, &self.context, self.request, booking).into(),
            is_booked: false,
        }
    }

    /// Books a change of terms and announces it (Y5).
    pub(crate) fn book_and_announce(
        &mut self,
        reason: Change,
        detail: Option<String>,
        entries: Vec<Entry>,
    ) -> Outcome {
        self.book_and_announce_with(reason, (detail, None), entries)
    }

    /// The same, with what the change came to.
    pub(crate) fn book_and_announce_with(
        &mut self,
        reason: Change,
        what: (Option<String>, Option<Effect>),
        entries: Vec<Entry>,
    ) -> Outcome {
        let booking = Booking {
            entries,
            ..Booking::changed(self.request, reason, what)
        };
        self.mark_terms();
        let outcome = self.book(booking);
        self.announce(&outcome.operation, EventKind::QuotaUpdated { reason });
        outcome
    }

    /// Has the account's terms written.
    pub(crate) fn mark_terms(&mut self) {
        let account = &self.request.account;
        self.home.changes.accounts.insert(account.clone());
        self.home.changes.terms.insert(account.clone());
    }

    /// Nothing to do: booked only when a key asks for the same answer again.
    pub(crate) fn unchanged(&mut self) -> Outcome {
        let booking = Booking {
            kind: OperationKind::Change,
            ..self.booking(Answer::Unchanged)
        };
        if self.request.key.is_some() && self.home.version != 0 {
            self.book(booking)
        } else {
            self.leave_unbooked(booking)
        }
    }

    /// Appends an event to the outbox, for the operation that was booked last.
    pub(crate) fn announce(&mut self, operation: &Operation, kind: EventKind) {
        announce_to(self.home, &operation.account, operation, kind);
    }
}

/// Appends an event of an account of the home to the outbox, for the operation that was booked last.
pub(crate) fn announce_to(
    home: &mut Home,
    account: &AccountId,
    operation: &Operation,
    kind: EventKind,
) {
    debug_assert_eq!(
        home.version, operation.sequence,
        "an event follows its operation"
    );
    let Some(known) = home.account_mut(account) else {
        debug_assert!(false, "an event is about an account that is there");
        return;
    };
    let number = known.terms.next_event();
    home.changes.accounts.insert(account.clone());
    home.changes.terms.insert(account.clone());
    home.changes.events.push(Event {
        number,
        id: operation.id,
        home: home.id.clone(),
        account: account.clone(),
        sequence: operation.sequence,
        at: operation.at,
        kind,
    });
}
