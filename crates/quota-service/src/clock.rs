//! Clocks and ids for production.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use quota_core::ports::{Clock, Ids, Storage, StoreError};
use uuid::Uuid;

/// Longest round trip of an answer that the clock is set by.
const ROUND_TRIP_MAX: TimeDelta = TimeDelta::milliseconds(250);

/// This machine's clock, in whole microseconds.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// The store's clock, read once in a while, so that all nodes of an installation agree. Never steps back.
#[derive(Debug, Default)]
pub struct StoreClock {
    ahead_micros: AtomicI64,
    last_micros: AtomicI64,
}

impl StoreClock {
    /// A clock set by the store's.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not say what time it is.
    pub async fn start(storage: &dyn Storage) -> Result<Self, StoreError> {
        let clock = Self::default();
        clock.set(storage).await?;
        Ok(clock)
    }

    /// Sets it by the store's clock again.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not say what time it is.
    pub async fn set(&self, storage: &dyn Storage) -> Result<(), StoreError> {
        let before = Utc::now();
        let Some(time) = storage.time().await? else {
            return Ok(());
        };
        let took = Utc::now() - before;
        let is_set = self.last_micros.load(Ordering::Relaxed) != 0;
        // An answer that was long on its way says little; the earlier one is kept then.
        if is_set && ROUND_TRIP_MAX < took {
            return Ok(());
        }
        // The answer was true somewhere on the way: in the middle, for lack of a better guess.
        let middle = before + took / 2;
        let ahead = (time - middle).num_microseconds().unwrap_or(0);
        self.ahead_micros.store(ahead, Ordering::Relaxed);
        Ok(())
    }

    /// Keeps it set, until the returned task is aborted.
    pub fn keep_set(
        self: &Arc<Self>,
        storage: Arc<dyn Storage>,
        every: std::time::Duration,
    ) -> tokio::task::JoinHandle<()> {
        let clock = Arc::clone(self);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(every);
            loop {
                tick.tick().await;
                if let Err(error) = clock.set(storage.as_ref()).await {
                    tracing::debug!(%error, "the database's clock could not be read");
                }
            }
        })
    }
}

impl Clock for StoreClock {
    fn now(&self) -> DateTime<Utc> {
        let ahead = TimeDelta::microseconds(self.ahead_micros.load(Ordering::Relaxed));
        let now = (Utc::now() + ahead).timestamp_micros();
        let last = self.last_micros.fetch_max(now, Ordering::Relaxed);
        DateTime::from_timestamp_micros(now.max(last)).unwrap_or_else(Utc::now)
    }
}

/// Ids that grow with time (UUID version 7).
#[derive(Debug, Default)]
pub struct TimeIds;

impl Ids for TimeIds {
    fn next(&self) -> Uuid {
        // Random bits from this thread's generator: the system's would cost a call for each id.
        let millis = u64::try_from(Utc::now().timestamp_millis()).unwrap_or(0);
        let random: [u8; 10] = rand::random();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}
