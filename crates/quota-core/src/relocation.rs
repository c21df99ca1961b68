//! The move of a user from one home to another, decided and not yet written.

use chrono::{DateTime, Utc};

use crate::event::Event;
use crate::home::{Account, ClosedBalance};
use crate::ids::AccountId;
use crate::operation::Operation;

/// A user that joins, leaves or changes its org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocation {
    /// The account of the user that moves.
    pub user: AccountId,
    /// The user as it is afterwards.
    pub account: Account,
    /// See [`Account::due_at`].
    pub due_at: Option<DateTime<Utc>>,
    /// Where it lived, and that home's version before the move.
    pub from: (AccountId, u64),
    /// Where it lives from now on, and that home's version before the move; 0 when the user itself becomes a home.
    pub to: (AccountId, u64),
    /// The org that it leaves, if it leaves one, as it is afterwards; its [`Account::due_at`] stays.
    pub left_org: Option<Account>,
    /// Closed balances of that org that the user held something of, as they are afterwards.
    pub closed: Vec<ClosedBalance>,
    /// The org that it joins, if it joins one, as it is afterwards; its [`Account::due_at`] stays.
    pub joined_org: Option<Account>,
    /// The operation booked in the home that it leaves; when the user itself was that home, the home ceases.
    pub left: Operation,
    /// The operation booked in the home that it enters.
    pub joined: Operation,
    /// The event for the home that it enters.
    pub event: Event,
    /// Those of the orgs that it leaves and joins, each for the home of that org (Y3).
    pub org_events: Vec<Event>,
}
