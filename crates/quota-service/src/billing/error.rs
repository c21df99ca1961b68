//! Why nothing could be said of a provider's facts.

use quota_core::ports::{ProviderError, ProviderFault, StoreError};

use crate::EngineError;

/// Why a sync came to nothing; it may be asked for again.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// The provider did not answer, or refused.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The store failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// The engine gave no answer, or refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The key is of another account of the provider than the one that was connected first.
    #[error(
        "the key is of the account `{asked}`, and `{known}` is connected: what was paid to one is not credited by another"
    )]
    OtherAccount {
        /// The account that is connected.
        known: String,
        /// The account that the key is of.
        asked: String,
    },
    /// Others synced the same account again and again meanwhile.
    #[error("the account is being synced by others")]
    Busy,
}

impl BillingError {
    /// Whether a person has to look after it before it can succeed.
    pub fn needs_someone(&self) -> bool {
        match self {
            Self::Provider(error) => error.fault == ProviderFault::Key,
            Self::OtherAccount { .. } => true,
            Self::Store(_) | Self::Engine(_) | Self::Busy => false,
        }
    }
}
