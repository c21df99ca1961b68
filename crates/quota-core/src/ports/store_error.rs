//! Why a store did not do what it was asked.

use std::error::Error;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached or is overloaded. Whether a write took effect is not known.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It cannot be reached: nothing was sent to it, so nothing took effect.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// Its disk is full, or its size has reached a limit. Nothing was written; reads may go on.
    #[error("the database is full")]
    Full(#[source] Box<dyn Error + Send + Sync>),
    /// It takes no writes now: a file without the right to write, or a standby. Nothing was written; reads go on.
    #[error("the database is read-only")]
    ReadOnly(#[source] Box<dyn Error + Send + Sync>),
    /// It holds something that the rules cannot read.
    #[error("table `{table}`, row `{key}`: {what}")]
    Corrupt {
        /// The table that holds it.
        table: &'static str,
        /// The row's key, such as an account.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// It refused the statement: a constraint, or a mistake of ours. Nothing was written.
    #[error("the database refused: {what}")]
    Refused {
        /// In the store's words.
        what: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Unreachable(_) | Self::Full(_) | Self::ReadOnly(_) => true,
            Self::Corrupt { .. } | Self::Refused { .. } => false,
        }
    }

    /// The same failure for another caller; its cause is kept as text.
    #[must_use]
    pub fn repeated(&self) -> Self {
        match self {
            Self::Unavailable(cause) => Self::Unavailable(cause.to_string().into()),
            Self::Unreachable(cause) => Self::Unreachable(cause.to_string().into()),
            Self::Full(cause) => Self::Full(cause.to_string().into()),
            Self::ReadOnly(cause) => Self::ReadOnly(cause.to_string().into()),
            Self::Corrupt { table, key, what } => Self::Corrupt {
                table,
                key: key.clone(),
                what: what.clone(),
            },
            Self::Refused { what } => Self::Refused { what: what.clone() },
        }
    }
}
