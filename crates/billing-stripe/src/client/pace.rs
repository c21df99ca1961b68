//! How many calls are made in a second.

use async_trait::async_trait;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// Whether a call changes something; Stripe counts the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallSort {
    /// It reads.
    Read,
    /// It writes.
    Write,
}

/// Lets calls pass, so that all of an account's together stay below Stripe's bound (100 a second live, 25 in a sandbox). Whoever
/// runs several processes gives one that all of them share.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits for the call's turn. Asked before every try.
    async fn turn(&self, sort: CallSort);
}

/// No bound.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unpaced;

#[async_trait]
impl Pace for Unpaced {
    async fn turn(&self, _sort: CallSort) {}
}

/// A bound for this process: a bucket of turns that fills evenly. Turns are given in the order in which they were asked for.
#[derive(Debug)]
pub struct LocalPace {
    between: Duration,
    burst: u32,
    /// When the bucket would be full again if nobody asked any more.
    full_at: Mutex<Option<Instant>>,
}

impl LocalPace {
    /// So many turns a second, and as many at once after a second of quiet. 0 counts as 1.
    pub fn per_second(turns: u32) -> Self {
        let turns = turns.max(1);
        Self {
            between: Duration::from_secs(1) / turns,
            burst: turns,
            full_at: Mutex::new(None),
        }
    }

    /// Takes a turn and says when it comes.
    fn take(&self, now: Instant) -> Instant {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let before = full_at.map_or(now, |full_at| full_at.max(now));
        let after = before + self.between;
        *full_at = Some(after);
        let whole = self.between * self.burst;
        after.checked_sub(whole).map_or(now, |turn| turn.max(now))
    }
}

#[async_trait]
impl Pace for LocalPace {
    async fn turn(&self, _sort: CallSort) {
        let turn = self.take(Instant::now());
        tokio::time::sleep_until(turn).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn in_no_second_are_there_more_turns_than_set_but_for_one_burst() {
        let pace = LocalPace::per_second(10);
        let began = Instant::now();
        let mut turns = Vec::new();
        for _ in 0..35 {
            pace.turn(CallSort::Read).await;
            turns.push(began.elapsed());
        }
        assert_eq!(turns[9], Duration::ZERO);
        assert_eq!(turns[10], Duration::from_millis(100));
        assert_eq!(turns[34], Duration::from_millis(2_500));
    }

    #[tokio::test(start_paused = true)]
    async fn quiet_time_fills_the_bucket_and_no_more() {
        let pace = LocalPace::per_second(2);
        pace.turn(CallSort::Write).await;
        tokio::time::advance(Duration::from_hours(1)).await;
        let began = Instant::now();
        for _ in 0..3 {
            pace.turn(CallSort::Write).await;
        }
        assert_eq!(began.elapsed(), Duration::from_millis(500));
    }
}
