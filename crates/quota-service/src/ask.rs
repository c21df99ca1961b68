//! What the engine is asked.

use quota_core::command::Command;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::origin::Origin;

/// What a caller asks to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The account that it is about.
    pub account: AccountId,
    /// The caller's key; without one a repeated request is another request.
    pub key: Option<IdempotencyKey>,
    /// What is to be done.
    pub command: Command,
    /// Who asks, and about what.
    pub origin: Origin,
}
