//! A bound that several processes share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use quota_core::ports::{TURNS_MAX, Turns};

use super::pace::{CallSort, LocalPace, Pace};

/// How long whoever gives turns may take for it.
const ASKED_FOR: Duration = Duration::from_secs(1);
/// Which part of the bound a process takes for itself while nobody gives turns: how many others there are is not known.
const OWN_SHARE: u32 = 4;

/// Turns that are shared with other processes; while nobody gives them, a quarter of the bound for this process alone.
pub struct SharedPace {
    turns: Arc<dyn Turns>,
    bucket: String,
    bound: u32,
    own: LocalPace,
    is_alone: AtomicBool,
}

impl fmt::Debug for SharedPace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPace")
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

impl SharedPace {
    /// So many turns a second (1 to [`TURNS_MAX`]) for all processes that name this bucket.
    pub fn new(turns: Arc<dyn Turns>, bucket: &str, bound: u32) -> Self {
        let bound = bound.clamp(1, TURNS_MAX);
        Self {
            turns,
            bucket: bucket.to_owned(),
            bound,
            own: LocalPace::per_second(bound.div_ceil(OWN_SHARE)),
            is_alone: AtomicBool::new(false),
        }
    }
}

#[async_trait]
impl Pace for SharedPace {
    async fn turn(&self, sort: CallSort) {
        let asked = self.turns.take_turn(&self.bucket, self.bound);
        let why = match tokio::time::timeout(ASKED_FOR, asked).await {
            Ok(Ok(wait)) => {
                if self.is_alone.swap(false, Ordering::Relaxed) {
                    tracing::info!(bucket = self.bucket, "the pace of calls is shared again");
                }
                tokio::time::sleep(wait).await;
                return;
            }
            Ok(Err(error)) => error.0.to_string(),
            Err(_) => "no answer came in time".to_owned(),
        };
        if !self.is_alone.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                bucket = self.bucket,
                error = why,
                "the pace of calls cannot be shared now: this process takes a quarter of the bound"
            );
        }
        self.own.turn(sort).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use quota_core::ports::TurnsError;
    use tokio::time::Instant;

    use super::*;

    /// Gives turns as it was told, or fails.
    struct Script(Mutex<Vec<Option<Duration>>>);

    #[async_trait]
    impl Turns for Script {
        async fn take_turn(&self, bucket: &str, bound: u32) -> Result<Duration, TurnsError> {
            assert_eq!((bucket, bound), ("stripe:test", 20));
            let next = match self.0.lock() {
                Ok(mut script) => script.pop(),
                Err(_) => None,
            };
            match next {
                Some(Some(wait)) => Ok(wait),
                Some(None) => Err(TurnsError("away".into())),
                None => std::future::pending().await,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_waited_for_as_long_as_is_said() {
        let script = Script(Mutex::new(vec![
            Some(Duration::from_millis(70)),
            Some(Duration::ZERO),
        ]));
        let pace = SharedPace::new(Arc::new(script), "stripe:test", 20);
        let began = Instant::now();
        pace.turn(CallSort::Read).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        pace.turn(CallSort::Write).await;
        assert_eq!(began.elapsed(), Duration::from_millis(70));
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_others_a_process_goes_on_with_a_share_of_its_own() {
        let script = Script(Mutex::new(vec![None; 11]));
        let pace = SharedPace::new(Arc::new(script), "stripe:test", 20);
        let began = Instant::now();
        for _ in 0..11 {
            pace.turn(CallSort::Read).await;
        }
        // Five at once, and one every 200 ms.
        assert_eq!(began.elapsed(), Duration::from_millis(1_200));
        // Whoever gives no answer is waited for a second.
        pace.turn(CallSort::Read).await;
        assert_eq!(began.elapsed(), Duration::from_millis(2_200));
    }
}
