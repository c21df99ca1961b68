//! Why the engine gave no answer.

use quota_core::answer::{Answer, Rejection};
use quota_core::catalog::InvalidCatalog;
use quota_core::instant;
use quota_core::operation::Operation;
use quota_core::ports::StoreError;

use crate::invalid_field::InvalidField;
use crate::{Entry, HeldEntry};

fn listed(held: &[HeldEntry]) -> String {
    let each: Vec<String> = held.iter().map(ToString::to_string).collect();
    each.join("; ")
}

/// Why the engine gave no answer. A denial is an answer and is not here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The request does not fit what there is; nothing changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A value that a field cannot have; nothing changed.
    #[error(transparent)]
    InvalidField(#[from] InvalidField),
    /// The page of a ledger is asked for by a place in that of another account.
    #[error("must be the `next` of a page of this account")]
    OtherLedger,
    /// The key was used for another request (X1); nothing changed.
    #[error("the idempotency key was used for another request: {used_for}")]
    KeyReused {
        /// What it stands for, and since when, in words.
        used_for: String,
    },
    /// The catalog file breaks a rule; nothing changed.
    #[error(transparent)]
    Catalog(#[from] InvalidCatalog),
    /// The catalog file leaves out what accounts hold, and the call does not name it as meant to go (C7); nothing
    /// changed.
    #[error("the file leaves out what accounts hold: {}", listed(.0))]
    StillHeld(Vec<HeldEntry>),
    /// The call names as meant to go what neither the catalog nor the file has; nothing changed.
    #[error("{0} cannot be removed: the catalog has none")]
    UnknownRemoval(Entry),
    /// Another catalog was applied meanwhile; nothing changed.
    #[error("another catalog was applied meanwhile")]
    CatalogChanged,
    /// The account tried too many texts that are no code: nothing it sends is looked at for a while (P15).
    #[error("too many texts were tried that are no code; try again in {seconds} seconds")]
    TooManyFailures {
        /// For how long.
        seconds: u32,
    },
    /// Too many requests wait; nothing changed. Try again soon.
    #[error("too many requests wait")]
    Busy,
    /// The engine is stopping; nothing changed.
    #[error("the engine is stopping")]
    Stopping,
    /// No answer in time. Whether it took effect is not known: ask again with the same key.
    #[error("no answer in time")]
    Deadline,
    /// The store failed. When transient, ask again with the same key.
    #[error("the database failed")]
    Store(#[from] StoreError),
}

impl EngineError {
    /// A key under which another operation stands.
    pub(crate) fn key_of(first: &Operation) -> Self {
        let what = match &first.answer {
            Answer::Changed { change, .. } => change.as_str(),
            Answer::Allowed { .. }
            | Answer::Reserved { .. }
            | Answer::Settled { .. }
            | Answer::Denied { .. }
            | Answer::Refunded { .. }
            | Answer::Released { .. }
            | Answer::Unchanged => first.kind.as_str(),
        };
        let at = instant::text(&first.at);
        Self::KeyReused {
            used_for: format!("a `{what}` at {at}; send this one with a key of its own"),
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy | Self::Stopping | Self::Deadline | Self::TooManyFailures { .. } => true,
            Self::Store(error) => error.is_transient(),
            Self::Rejected(_)
            | Self::InvalidField(_)
            | Self::OtherLedger
            | Self::KeyReused { .. }
            | Self::Catalog(_)
            | Self::StillHeld(_)
            | Self::UnknownRemoval(_)
            | Self::CatalogChanged => false,
        }
    }
}
