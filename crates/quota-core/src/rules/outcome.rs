//! What a command came to.

use std::sync::Arc;

use crate::operation::Operation;

/// What an operation came to, and whether it was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The operation; when it was not booked, as it would have been.
    pub operation: Arc<Operation>,
    /// Whether it is in the ledger now.
    pub is_booked: bool,
}
