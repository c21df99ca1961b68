//! The handle that a test holds, and what it shares with the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::endpoint::Endpoint;
use super::faults::Fault;
use super::shape::Shape;
use super::state::{CallCounts, Core};

/// A Stripe on a free port of this machine. It is gone when the last handle is.
#[derive(Clone, Debug)]
pub struct FakeStripe {
    pub(super) core: Arc<Mutex<Core>>,
    pub(super) endpoints: Arc<Mutex<Vec<Endpoint>>>,
    /// How many events have been delivered, or dropped.
    pub(super) delivered: Arc<Mutex<usize>>,
    pub(super) http: reqwest::Client,
    pub(super) url: String,
    pub(super) server: Option<Arc<Server>>,
}

/// The task that serves; ended when nobody holds it.
#[derive(Debug)]
pub(super) struct Server(pub(super) tokio::task::AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A lock that a test which failed under it does not take away.
pub(super) fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeStripe {
    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        locked(&self.core)
    }

    /// Where it is, `http://127.0.0.1:…`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its clock, in seconds since 1970. It stands unless it is moved.
    pub fn now(&self) -> i64 {
        self.core().store.now
    }

    /// The same with its clock at an instant, before anything happens.
    #[must_use]
    pub fn at(self, now: i64) -> Self {
        self.core().store.now = now;
        self
    }

    /// Moves its clock on; all that is due happens on the way.
    pub fn advance_to(&self, at: i64) {
        super::clock::advance(&mut self.core().store, at);
    }

    /// Moves its clock on by so many seconds.
    pub fn advance(&self, seconds: i64) {
        let at = self.now() + seconds;
        self.advance_to(at);
    }

    /// Moves its clock on by so many days.
    pub fn advance_days(&self, days: i64) {
        self.advance(days * 86_400);
    }

    /// Whether its objects are of the live mode.
    pub fn set_livemode(&self, is_live: bool) {
        self.core().store.livemode = is_live;
    }

    /// Answers everything in one shape, whatever version is asked for; with none it listens to the version again.
    pub fn answer_in(&self, shape: Option<Shape>) {
        self.core().shape = shape;
    }

    /// Scripts a fault.
    pub fn fault(&self, fault: Fault) {
        self.core().faults.push(fault);
    }

    /// Takes all scripted faults back; how many were left.
    pub fn clear_faults(&self) -> usize {
        std::mem::take(&mut self.core().faults).len()
    }

    /// Whether every key is refused.
    pub fn set_key_dead(&self, is_dead: bool) {
        self.core().is_key_dead = is_dead;
    }

    /// How long each answer takes.
    pub fn set_latency(&self, latency: Duration) {
        self.core().latency = latency;
    }

    /// How often which call came: `GET /v1/subscriptions`, ids as `:id`.
    pub fn calls(&self) -> CallCounts {
        self.core().counts.clone()
    }

    /// How many calls came.
    pub fn calls_total(&self) -> u64 {
        self.core().counts.values().sum()
    }

    /// Counts from nothing again.
    pub fn clear_calls(&self) {
        self.core().counts.clear();
    }
}
