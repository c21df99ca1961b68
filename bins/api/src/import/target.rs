//! Where lines go: the engine, and what is kept of payment providers.

use std::sync::Arc;

use quota_core::answer::Rejection;
use quota_core::command::Command;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::ports::BillingStore;
use quota_service::{Engine, EngineError};

use super::outcome::{Outcome, other_line};
use super::work::digest;

/// Where lines go.
pub(crate) struct Target {
    pub(crate) engine: Engine,
    pub(crate) billing: Arc<dyn BillingStore>,
}

impl Target {
    /// What became of the same command under the same key, if the key is taken.
    pub(crate) async fn before(
        &self,
        account: &AccountId,
        (key, command): (&IdempotencyKey, &Command),
    ) -> Result<Option<Outcome>, EngineError> {
        let Some(first) = self.engine.operation_under(account, key).await? else {
            return Ok(None);
        };
        if first.origin.request_id == Some(request_id(&digest(account, command))) {
            return Ok(Some(Outcome::Unchanged));
        }
        let by = first
            .origin
            .reason
            .unwrap_or_else(|| "another request".to_owned());
        Ok(Some(Outcome::Refused(other_line(&by))))
    }

    /// Whether there is such an account.
    pub(crate) async fn has(&self, account: &AccountId) -> Result<bool, EngineError> {
        match self.engine.account(account).await {
            Ok(_) => Ok(true),
            Err(EngineError::Rejected(Rejection::UnknownAccount)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

/// The id of the request that a command came with: who asks the same has the same, wherever the line stands.
pub(crate) fn request_id(content: &str) -> String {
    format!("import:{content}")
}
