//! What is read beside the hot path: who lives where, the catalog, lists, the ledger, and sums for the auditor.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::StoreError;
use crate::catalog::Catalog;
use crate::event::Event;
use crate::home::{Account, ClosedBalance};
use crate::ids::{AccountId, AccountKind, OrgId};
use crate::operation::Operation;
use crate::reservation::Reservation;

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

/// The catalog in force.
#[async_trait]
pub trait CatalogStore: Send + Sync {
    /// The catalog; the empty one, version 0, before the first `apply`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn catalog(&self) -> Result<Catalog, StoreError>;

    /// The version of the catalog, cheaply.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn catalog_version(&self) -> Result<u64, StoreError>;

    /// Stores `next` if the stored version is the one before it; `false` when it is not. Earlier ones are kept.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_catalog(
        &self,
        next: &Catalog,
        actor: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
}

/// An account and where it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its home.
    pub home: AccountId,
    /// Its id.
    pub id: AccountId,
    /// As it is.
    pub account: Account,
}

/// Which accounts are listed, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPage {
    /// Only users or only orgs.
    pub kind: Option<AccountKind>,
    /// Only members of this org.
    pub org: Option<OrgId>,
    /// Only those with a `due_at` not later than this.
    pub due_before: Option<DateTime<Utc>>,
    /// Only ids after this one.
    pub after: Option<AccountId>,
    /// At most so many.
    pub limit: u32,
}

/// Which operations are listed, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// The home.
    pub home: AccountId,
    /// Only operations of this account; for the home's own account when it is an org, those of all members too
    /// when `members` is set.
    pub account: AccountId,
    /// Whether operations of every account in the home count.
    pub members: bool,
    /// Only operations with a smaller sequence; it goes on counting from one life of a home to the next.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// Lists.
#[async_trait]
pub trait Records: Send + Sync {
    /// A page of accounts.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, StoreError>;

    /// A page of the ledger.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn ledger(&self, page: &LedgerPage) -> Result<Vec<Operation>, StoreError>;

    /// Homes with an open reservation whose deadline is not later than `now`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn homes_with_due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError>;

    /// Whether the store can answer, for `/readyz`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The store's time, to set the engine's clock by; `None` when it shares this machine's clock.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Removes what nobody needs any more: published events, ended reservations and job records from before
    /// `before`, at most `limit` of each; makes room for the months to come. Gives back how many rows went.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn prune(
        &self,
        now: DateTime<Utc>,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError>;
}

/// Everything of one home, read in one snapshot for the auditor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHome {
    /// The home.
    pub home: AccountId,
    /// Its version.
    pub version: u64,
    /// See [`crate::home::Home::hold_before`].
    pub hold_before: Option<DateTime<Utc>>,
    /// All its accounts.
    pub accounts: Vec<(AccountId, Account)>,
    /// All its closed balances.
    pub closed: Vec<ClosedBalance>,
    /// All its reservations.
    pub reservations: Vec<Reservation>,
    /// All its operations, by sequence.
    pub operations: Vec<Operation>,
}

/// Takes in a home while it is read: however long its ledger is, only some operations are at hand at a time.
pub trait AuditReader: Send {
    /// All but the operations (of which there are none yet), and which operations were refunded.
    fn begin(&mut self, home: AuditHome, refunded: Vec<Uuid>);

    /// The next operations, by sequence.
    fn operations(&mut self, next: Vec<Operation>);
}

/// A part of a home on its way to a reader, for stores that read in a task of their own.
#[derive(Debug)]
pub enum AuditPiece {
    /// What [`AuditReader::begin`] takes.
    Begin(AuditHome, Vec<Uuid>),
    /// What [`AuditReader::operations`] takes.
    Next(Vec<Operation>),
}

impl AuditPiece {
    /// Shows it.
    pub fn show_to(self, reader: &mut dyn AuditReader) {
        match self {
            Self::Begin(home, refunded) => reader.begin(home, refunded),
            Self::Next(operations) => reader.operations(operations),
        }
    }
}

/// Keeps everything.
#[derive(Default)]
struct Whole(Option<AuditHome>);

impl AuditReader for Whole {
    fn begin(&mut self, home: AuditHome, _refunded: Vec<Uuid>) {
        self.0 = Some(home);
    }

    fn operations(&mut self, next: Vec<Operation>) {
        if let Some(home) = &mut self.0 {
            home.operations.extend(next);
        }
    }
}

/// What the auditor reads.
#[async_trait]
pub trait Audits: Send + Sync {
    /// Shows one home to a reader, all of it as it was at one moment. A reader to which nothing was shown asked for a
    /// home that is not there; after an error it has seen a part.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn read_home(
        &self,
        home: &AccountId,
        reader: &mut dyn AuditReader,
    ) -> Result<(), StoreError>;

    /// One home with all its operations in memory, for tests and for homes that are known to be small; `None` when
    /// there is no such home.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn audit_home(&self, home: &AccountId) -> Result<Option<AuditHome>, StoreError> {
        let mut whole = Whole::default();
        self.read_home(home, &mut whole).await?;
        Ok(whole.0)
    }

    /// Homes after `after` by id, at most `limit`; with `since`, only those with an operation at or after it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn homes(
        &self,
        after: Option<&AccountId>,
        since: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError>;
}

/// Events that wait to be told (the outbox).
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest events that are not published yet.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn pending_events(&self, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// Marks events as published; those that were marked already stay so.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn mark_published(&self, events: &[Event], at: DateTime<Utc>) -> Result<(), StoreError>;
}
