//! What the auditor reads: whole homes, and their names.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store_error::StoreError;
use crate::home::{Account, ClosedBalance};
use crate::ids::AccountId;
use crate::operation::Operation;
use crate::reservation::Reservation;

/// Everything of one home, read in one snapshot for the auditor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHome {
    /// The account that the home is named after.
    pub home: AccountId,
    /// Sequence number of its last operation.
    pub version: u64,
    /// See [`crate::home::Home::hold_before`].
    pub hold_before: Option<DateTime<Utc>>,
    /// Every account that lives in it.
    pub accounts: Vec<(AccountId, Account)>,
    /// All its closed balances.
    pub closed: Vec<ClosedBalance>,
    /// All its reservations, open or ended, as far as they are kept.
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
    /// Hands it to a reader.
    pub fn show_to(self, reader: &mut dyn AuditReader) {
        match self {
            Self::Begin(home, refunded) => reader.begin(home, refunded),
            Self::Next(operations) => reader.operations(operations),
        }
    }
}

/// A reader that keeps everything that it is shown.
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
