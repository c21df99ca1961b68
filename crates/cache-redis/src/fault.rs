//! What can go wrong with one command.

use deadpool_redis::PoolError;
use deadpool_redis::redis::RedisError;
use quota_core::ports::{CacheError, PublishError};

/// A command without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("Redis is away; it is asked again in the background")]
    Away,
    #[error("Redis did not answer in time")]
    TimedOut,
    #[error("Redis answered with an error")]
    Refused(#[source] RedisError),
    #[error("no connection to Redis")]
    Pool(#[source] PoolError),
    #[error("what Redis holds is not an answer to what was asked")]
    Garbled,
    #[error("an event cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
}

impl Fault {
    /// Whether the next command would most likely fare no better.
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Self::Away | Self::TimedOut | Self::Pool(_) => true,
            Self::Refused(error) => {
                error.is_io_error()
                    || error.is_timeout()
                    || error.is_connection_dropped()
                    || error.is_unrecoverable_error()
                    || error.is_cluster_error()
            }
            Self::Garbled | Self::Unwritable(_) => false,
        }
    }
}

impl From<Fault> for PublishError {
    fn from(fault: Fault) -> Self {
        Self(Box::new(fault))
    }
}

impl From<Fault> for CacheError {
    fn from(fault: Fault) -> Self {
        Self(Box::new(fault))
    }
}
