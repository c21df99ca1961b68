//! Whether a call is tried again, and when.

use std::time::Duration;

use super::transport::{Answer, TransportFault};

/// Parts that the jitter is counted in.
const PARTS: u32 = 1 << 16;

/// How often a call is tried again, and how long is waited before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryRule {
    /// Tries after the first.
    pub retries_max: u32,
    /// The wait before the first of them; it doubles with every one.
    pub wait_first: Duration,
    /// The longest wait that we choose.
    pub wait_max: Duration,
    /// The longest wait that we do at Stripe's asking. If it asks for more, the caller is told.
    pub retry_after_max: Duration,
}

impl Default for RetryRule {
    fn default() -> Self {
        Self {
            retries_max: 4,
            wait_first: Duration::from_millis(500),
            wait_max: Duration::from_secs(8),
            retry_after_max: Duration::from_secs(30),
        }
    }
}

impl RetryRule {
    /// The wait before the given retry, from 0; none: it is not tried again. `random` is any number.
    pub(crate) fn wait(
        &self,
        retry: u32,
        outcome: &Result<Answer, TransportFault>,
        random: u64,
    ) -> Option<Duration> {
        if self.retries_max <= retry || !is_worth_a_retry(outcome) {
            return None;
        }
        let longest = self.wait_first.saturating_mul(2_u32.saturating_pow(retry));
        let longest = longest.min(self.wait_max);
        let part = u32::try_from(random % u64::from(PARTS)).unwrap_or(0);
        // Shortened by up to a half, so that those who failed together do not come back together.
        let own = longest / 2 + (longest / 2 / PARTS).saturating_mul(part);
        let asked = outcome.as_ref().ok().and_then(|answer| answer.retry_after);
        match asked {
            Some(asked) if self.retry_after_max < asked => None,
            Some(asked) => Some(asked.max(own)),
            None => Some(own),
        }
    }
}

fn is_worth_a_retry(outcome: &Result<Answer, TransportFault>) -> bool {
    match outcome {
        Err(
            TransportFault::TimedOut | TransportFault::NoConnection(_) | TransportFault::Broken(_),
        ) => true,
        Err(TransportFault::TooLong(_)) => false,
        // A failure is kept under its key and given again.
        Ok(answer) if answer.is_replay => false,
        Ok(answer) => {
            let is_passing = matches!(answer.status, 409 | 429 | 500..);
            is_passing && answer.should_retry != Some(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<Answer, TransportFault>;

    fn answer(status: u16) -> Answer {
        Answer {
            status,
            ..Answer::default()
        }
    }

    #[test]
    fn only_what_may_pass_later_is_tried_again() {
        let rule = RetryRule::default();
        let again = |outcome: &Outcome| rule.wait(0, outcome, 0).is_some();
        for status in [409, 429, 500, 502, 503, 504] {
            assert!(again(&Ok(answer(status))), "{status}");
        }
        for status in [200, 301, 400, 401, 402, 403, 404, 422] {
            assert!(!again(&Ok(answer(status))), "{status}");
        }
        assert!(again(&Err(TransportFault::TimedOut)));
        assert!(again(&Err(TransportFault::Broken(String::new()))));
        assert!(again(&Err(TransportFault::NoConnection(String::new()))));
        assert!(!again(&Err(TransportFault::TooLong(1))));
        let mut told_not_to = Answer {
            status: 503,
            should_retry: Some(false),
            ..Answer::default()
        };
        assert!(!again(&Ok(told_not_to.clone())));
        told_not_to.should_retry = Some(true);
        assert!(again(&Ok(told_not_to.clone())));
        told_not_to.is_replay = true;
        assert!(!again(&Ok(told_not_to)));
    }

    #[test]
    fn the_wait_doubles_has_jitter_and_ends() {
        let rule = RetryRule::default();
        let wait = |retry, random| rule.wait(retry, &Ok(answer(500)), random);
        let millis = |retry| wait(retry, 0).map(|wait| wait.as_millis());
        assert_eq!([millis(0), millis(1)], [Some(250), Some(500)]);
        assert_eq!([millis(2), millis(3)], [Some(1_000), Some(2_000)]);
        assert_eq!(millis(4), None);
        for random in [0, 1, 40_000, u64::from(PARTS) - 1, u64::MAX] {
            let wait = wait(0, random).map(|wait| wait.as_millis());
            assert!(
                wait.is_some_and(|wait| (250..=500).contains(&wait)),
                "{wait:?}"
            );
        }
    }

    #[test]
    fn stripes_own_wait_is_kept_unless_it_is_too_long() {
        let rule = RetryRule::default();
        let asked = |seconds| {
            let answer = Answer {
                status: 429,
                retry_after: Some(Duration::from_secs(seconds)),
                ..Answer::default()
            };
            rule.wait(0, &Ok(answer), 0)
        };
        assert_eq!(asked(7), Some(Duration::from_secs(7)));
        assert_eq!(asked(0), Some(Duration::from_millis(250)));
        assert_eq!(asked(30), Some(Duration::from_secs(30)));
        assert_eq!(asked(31), None);
    }
}
