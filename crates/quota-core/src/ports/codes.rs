//! Codes that are redeemed, their uses, and who tried what is no code (P15).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store_error::StoreError;
use crate::code::{Code, CodeBatch, CodeFailures, CodeHash, CodeUse};
use crate::ids::{AccountId, IdempotencyKey};

/// Where a batch stands among all: behind those that were made later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeBatchPlace {
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its id, which tells apart what was made at one instant.
    pub id: Uuid,
}

/// Which batches are listed, the one that was made last first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeBatchPage {
    /// Only those behind this one.
    pub after: Option<CodeBatchPlace>,
    /// At most so many.
    pub limit: u32,
}

/// Which codes are listed, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePage {
    /// Only those of this batch.
    pub batch: Option<Uuid>,
    /// Only those behind this one.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
}

/// Which uses of a code are listed, by account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeUsePage {
    /// Of which code.
    pub hash: CodeHash,
    /// Only those behind this one's.
    pub after: Option<AccountId>,
    /// At most so many.
    pub limit: u32,
}

/// An account that wants to use a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeClaim {
    /// Which code.
    pub hash: CodeHash,
    /// Who.
    pub account: AccountId,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
    /// By which time it is decided.
    pub at: DateTime<Utc>,
}

/// Codes by the hash of their secret. Nothing of it is on the way of a request for quota, and a store need not carry it out.
#[async_trait]
pub trait CodeStore: Send + Sync {
    /// Stores a batch with its codes, all or nothing. When a batch with this id is stored already, it is given back, and nothing
    /// is written.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_codes(
        &self,
        batch: &CodeBatch,
        codes: &[Code],
    ) -> Result<Option<CodeBatch>, StoreError>;

    /// A batch.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn code_batch(&self, id: Uuid) -> Result<Option<CodeBatch>, StoreError>;

    /// A page of batches.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn code_batches(&self, page: &CodeBatchPage) -> Result<Vec<CodeBatch>, StoreError>;

    /// How many uses all codes of a batch have together.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn code_batch_uses(&self, id: Uuid) -> Result<u64, StoreError>;

    /// A page of codes.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn codes(&self, page: &CodePage) -> Result<Vec<Code>, StoreError>;

    /// A code, by its id.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn code(&self, id: Uuid) -> Result<Option<Code>, StoreError>;

    /// A code, by the hash of its secret.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn code_by_hash(&self, hash: &CodeHash) -> Result<Option<Code>, StoreError>;

    /// Revokes a code; `false` when there is none with this id. The first instant stays.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn revoke_code(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Revokes a batch and all codes of it; `false` when there is none with this id. The first instant stays, of a code too.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; the same call again ends what it began.
    async fn revoke_code_batch(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Claims a use of a code for an account: where the code is not revoked, its window holds the instant, fewer than `uses_max`
    /// accounts have a use of it, and this one has none. One that has a use gets that again, with one more try where it is not
    /// done, whatever has become of the code. `None` when there is no use to be had.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn claim_code(&self, claim: &CodeClaim) -> Result<Option<CodeUse>, StoreError>;

    /// A use of a code.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
    ) -> Result<Option<CodeUse>, StoreError>;

    /// Enters that an account has what the code gives; the first instant stays.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn end_code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Enters that one try was told for certain that the gift cannot be given. Once all tries that were begun have been told so,
    /// and the use is not done, the use is taken away and may be another's; says whether it was.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn refuse_code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
    ) -> Result<bool, StoreError>;

    /// A page of the uses of a code.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn code_uses(&self, page: &CodeUsePage) -> Result<Vec<CodeUse>, StoreError>;

    /// What an account has failed at lately, if it has ever.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn code_failures(&self, account: &AccountId) -> Result<Option<CodeFailures>, StoreError>;

    /// Counts a failure of an account at `now`: one more in the span that runs, or the first of a new one where that began at
    /// `over_before` or sooner. `false`, and nothing is counted, when the span that runs has `most` already.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn count_code_failure(
        &self,
        account: &AccountId,
        (now, over_before): (DateTime<Utc>, DateTime<Utc>),
        most: u32,
    ) -> Result<bool, StoreError>;
}
