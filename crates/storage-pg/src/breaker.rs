//! While the server cannot be reached, callers are told so at once; one of them at a time tries again.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quota_core::ports::StoreError;

/// After a failure, how long nobody tries.
const PAUSE: Duration = Duration::from_millis(200);
/// How much longer an answer is waited for than the server's own limit for a statement: it is the server that stands then.
pub(crate) const ANSWER_MARGIN: Duration = Duration::from_secs(2);
/// How long one caller may try before another one does.
const TRY_MAX: Duration = Duration::from_secs(2);

/// Whether the server could be reached when it was last tried. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    answer_timeout: Duration,
    refuses_until: Arc<Mutex<Option<Instant>>>,
}

impl Breaker {
    /// A server that nobody has tried yet; an answer is waited for as long as is said.
    pub(crate) fn new(answer_timeout: Duration) -> Self {
        Self {
            answer_timeout,
            refuses_until: Arc::default(),
        }
    }

    /// Runs `work`, unless the server could not be reached just now.
    pub(crate) async fn guard<T>(
        &self,
        is_busy: impl Fn() -> bool,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if !self.may_try() {
            return Err(StoreError::Unreachable(
                "it could not be reached just now".into(),
            ));
        }
        let outcome = match tokio::time::timeout(self.answer_timeout, work).await {
            Ok(outcome) => outcome,
            Err(late) => Err(StoreError::Unavailable(late.into())),
        };
        let next = match &outcome {
            // A pool with every connection in use is busy; one that cannot get any has lost its server.
            Err(StoreError::Unreachable(_)) if !is_busy() => Some(Instant::now() + PAUSE),
            _ => None,
        };
        *self.lock() = next;
        outcome
    }

    fn may_try(&self) -> bool {
        let mut refuses_until = self.lock();
        let now = Instant::now();
        match *refuses_until {
            Some(until) if now < until => false,
            Some(_) => {
                *refuses_until = Some(now + TRY_MAX);
                true
            }
            None => true,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.refuses_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn after_a_failure_nobody_waits_and_success_opens_again() {
        let breaker = Breaker::new(ANSWER_MARGIN);
        let fail = async || Err::<(), _>(StoreError::Unreachable("away".into()));
        assert!(breaker.guard(|| false, fail()).await.is_err());
        let unreached = async || -> Result<(), StoreError> { panic!("nobody tries yet") };
        assert!(breaker.guard(|| false, unreached()).await.is_err());
        *breaker.lock() = Some(Instant::now());
        assert!(breaker.may_try(), "one tries again");
        assert!(!breaker.may_try(), "only one");
        *breaker.lock() = Some(Instant::now());
        assert!(breaker.guard(|| false, async { Ok(()) }).await.is_ok());
        assert!(breaker.may_try() && breaker.may_try());
    }
}
