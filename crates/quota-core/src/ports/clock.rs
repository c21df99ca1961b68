//! Time and ids come in from outside.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// What time it is. Every node of an installation must agree to well below a second.
pub trait Clock: Send + Sync {
    /// The time, in whole microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// Where ids come from.
pub trait Ids: Send + Sync {
    /// A new id, greater than the ones before it.
    fn next(&self) -> Uuid;
}

/// A clock that stands until it is moved; for tests and for reading what will be.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use quota_core::ports::{Clock, FixedClock};
/// let clock = FixedClock::at(DateTime::<Utc>::UNIX_EPOCH);
/// clock.advance(TimeDelta::days(1));
/// assert_eq!(clock.now().timestamp(), 86_400);
/// ```
#[derive(Debug)]
pub struct FixedClock(Mutex<DateTime<Utc>>);

impl FixedClock {
    /// A clock that says `at`.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self(Mutex::new(at))
    }

    /// Moves it forward, or back.
    pub fn advance(&self, by: TimeDelta) {
        let mut at = self.lock();
        *at = at.checked_add_signed(by).unwrap_or(*at);
    }

    /// Moves it to `to`, forward or back.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.lock() = to;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.lock()
    }
}
