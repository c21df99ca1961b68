//! Settings that cannot be used. A server that does not answer is no error: it may come later.

use deadpool_redis::{BuildError, redis::RedisError};

/// Why a cache cannot be made of its settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The prefix would break the hash tags.
    #[error(
        "the Redis prefix must be 1 to 64 characters without braces, white space and control characters"
    )]
    Prefix,
    /// The URL is none; it is not repeated here, for it may hold a password.
    #[error("the Redis URL cannot be used")]
    Url(#[source] RedisError),
    /// The pool cannot be built.
    #[error("the Redis connections cannot be set up")]
    Pool(#[source] BuildError),
}
