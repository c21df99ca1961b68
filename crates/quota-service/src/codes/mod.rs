//! Codes: made by the batch, listed and revoked by an operator, redeemed once by an account (P15).

mod make;
mod redeem;

use std::sync::Arc;

use quota_core::answer::Rejection;
use quota_core::code::{Code, CodeBatch, CodeUse};
use quota_core::code_misfit::CodeMisfit;
use quota_core::ids::AccountId;
use quota_core::ports::{CodeBatchPage, CodePage, CodeStore, CodeUsePage};
use uuid::Uuid;

pub use make::{MadeCodes, NewCode, NewCodes};
pub use redeem::{Redeem, Redeemed};

use crate::{Engine, EngineError};

/// Codes beside an engine, kept in a store of codes. A clone is the same.
#[derive(Clone)]
pub struct Codes {
    engine: Engine,
    store: Arc<dyn CodeStore>,
}

impl Codes {
    /// Codes that give what the engine books; mostly the store is the engine's own database.
    pub fn new(engine: Engine, store: Arc<dyn CodeStore>) -> Self {
        Self { engine, store }
    }

    /// A page of batches, the one that was made last first.
    ///
    /// # Errors
    /// [`EngineError::Store`] when they cannot be read.
    pub async fn batches(&self, page: &CodeBatchPage) -> Result<Vec<CodeBatch>, EngineError> {
        let read = async { Ok(self.store.code_batches(page).await?) };
        self.engine.in_time(read).await
    }

    /// A batch, and how many uses its codes have together.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is none, [`EngineError::Store`] when it cannot be read.
    pub async fn batch(&self, id: Uuid) -> Result<(CodeBatch, u64), EngineError> {
        let read = async {
            let batch = self.store.code_batch(id).await?;
            let batch = batch.ok_or_else(|| Rejection::from(CodeMisfit::UnknownBatch))?;
            Ok((batch, self.store.code_batch_uses(id).await?))
        };
        self.engine.in_time(read).await
    }

    /// A page of codes, by id.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when their batch is none, [`EngineError::Store`] when they cannot be read.
    pub async fn codes(&self, page: &CodePage) -> Result<Vec<Code>, EngineError> {
        if let Some(batch) = page.batch {
            self.batch(batch).await?;
        }
        let read = async { Ok(self.store.codes(page).await?) };
        self.engine.in_time(read).await
    }

    /// A code, by its id; not by its secret.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is none, [`EngineError::Store`] when it cannot be read.
    pub async fn code(&self, id: Uuid) -> Result<Code, EngineError> {
        let read = async {
            let code = self.store.code(id).await?;
            Ok(code.ok_or_else(|| Rejection::from(CodeMisfit::Unknown))?)
        };
        self.engine.in_time(read).await
    }

    /// A page of the uses of a code, by account.
    ///
    /// # Errors
    /// Those of [`Codes::code`].
    pub async fn uses(
        &self,
        id: Uuid,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<CodeUse>, EngineError> {
        let hash = self.code(id).await?.hash;
        let page = CodeUsePage { hash, after, limit };
        let read = async { Ok(self.store.code_uses(&page).await?) };
        self.engine.in_time(read).await
    }

    /// Revokes a code: nobody can redeem it any more. What it has given stays.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when there is none, [`EngineError::Store`] when it cannot be written.
    pub async fn revoke(&self, id: Uuid) -> Result<Code, EngineError> {
        let revoke = async { Ok(self.store.revoke_code(id, self.engine.now()).await?) };
        self.engine.in_time(revoke).await?;
        self.code(id).await
    }

    /// Revokes a batch with all its codes.
    ///
    /// # Errors
    /// Those of [`Codes::revoke`].
    pub async fn revoke_batch(&self, id: Uuid) -> Result<(CodeBatch, u64), EngineError> {
        let revoke = async { Ok(self.store.revoke_code_batch(id, self.engine.now()).await?) };
        self.engine.in_time(revoke).await?;
        self.batch(id).await
    }
}

impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codes").finish_non_exhaustive()
    }
}
