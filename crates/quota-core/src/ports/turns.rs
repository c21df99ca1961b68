//! Turns that several processes share, so that all of them together stay below somebody else's bound.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;

/// Most turns within a second that are counted exactly.
pub const TURNS_MAX: u32 = 100;

/// Nobody can say now whose turn it is.
#[derive(Debug, thiserror::Error)]
#[error("the turns that are shared cannot be taken")]
pub struct TurnsError(#[source] pub Box<dyn Error + Send + Sync>);

/// Gives turns to whoever asks, in the order of asking.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Takes the next turn of a bucket, in which at most `bound` turns (1 to [`TURNS_MAX`]) lie within any second; says how long to wait
    /// for it. Instants are those of the bucket's own clock, so that clocks of processes may differ.
    ///
    /// # Errors
    /// [`TurnsError`] when none is given: it may have been taken.
    async fn take_turn(&self, bucket: &str, bound: u32) -> Result<Duration, TurnsError>;
}
