//! Who lives where, and moves between homes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::event::Event;
use crate::home::Account;
use crate::ids::AccountId;
use crate::operation::Operation;

/// Who lives where: only users of an org have an entry; anyone else is a home of their own.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The home of an account, if it has an entry.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn home_of(&self, account: &AccountId) -> Result<Option<AccountId>, StoreError>;

    /// Enters `home` for an account that has no entry and no row of its own as a home; gives back where it lives
    /// now, `home` or where it lived already.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn claim(&self, account: &AccountId, home: &AccountId) -> Result<AccountId, StoreError>;

    /// Moves a user from one home to another in one transaction: its row, its entry, both versions, and the
    /// operations that say so. `false` when either home is no longer at the version given.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn relocate(&self, moved: &Relocation) -> Result<bool, StoreError>;
}

/// A user that joins, leaves or changes its org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocation {
    /// The user.
    pub user: AccountId,
    /// The user as it is afterwards.
    pub account: Account,
    /// See [`Account::due_at`].
    pub due_at: Option<DateTime<Utc>>,
    /// Where it lived, and that home's version before the move.
    pub from: (AccountId, u64),
    /// Where it lives from now on, and that home's version before the move; 0 when the user itself becomes a home.
    pub to: (AccountId, u64),
    /// The operation booked in the home that it leaves; when the user itself was that home, the home ceases.
    pub left: Operation,
    /// The operation booked in the home that it enters.
    pub joined: Operation,
    /// The event for the home that it enters.
    pub event: Event,
}
