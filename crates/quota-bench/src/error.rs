//! Why a measurement could not be taken.

use std::error::Error;

/// Any failure ends the run: a measurement with a hole in it is none.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A program or a server did not do its part.
    #[error("{0}")]
    Failed(String),
    /// Something below failed.
    #[error(transparent)]
    Other(#[from] Box<dyn Error + Send + Sync>),
}

/// Wraps any error.
pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> BenchError {
    BenchError::Other(error.into())
}
