//! A store in memory: plain maps under one lock. The conformance suite holds every other store to what it does.

mod billing;
mod billing_state;
mod codes;
mod codes_state;
mod faults;
mod jobs;
mod loading;
mod meters;
mod outbox;
mod payments;
mod records;
mod state;
mod top_ups;
mod top_ups_state;
mod upkeep;
mod writing;

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::AccountId;
use quota_core::ports::{DecideLocked, LoadQuery, Loaded, Store, StoreError, WriteBatch};

pub use faults::FailWhen;
use faults::{Faults, on_demand};
pub use records::show;
use state::State;
use tokio::sync::oneshot;

/// Everything that a database keeps, in memory, with faults on demand.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    gate: Mutex<Option<Gate>>,
    is_frozen: AtomicBool,
    is_contended: AtomicBool,
    late: Mutex<Option<LateWrite>>,
    time: Mutex<Option<DateTime<Utc>>>,
}

/// A write that is on its way, and how many loads are still answered before it lands.
#[derive(Debug)]
struct LateWrite {
    loads: u32,
    batch: Option<WriteBatch>,
}

/// Where a write waits: it says that it has come, and goes on when it is told to.
type Gate = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// A write that was told to wait.
#[derive(Debug)]
pub struct HeldWrite {
    come: oneshot::Receiver<()>,
    go_on: oneshot::Sender<()>,
}

impl HeldWrite {
    /// Waits until the write has come.
    ///
    /// # Errors
    /// When the store is gone.
    pub async fn has_come(&mut self) -> Result<(), oneshot::error::RecvError> {
        (&mut self.come).await
    }

    /// Lets the write go on.
    pub fn go_on(self) {
        // Whoever gave up waiting needs no word.
        self.go_on.send(()).unwrap_or_default();
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the next `calls` calls fail as unavailable, before they take effect.
    pub fn fail_next(&self, calls: u32) {
        lock(&self.faults).fail_next(calls);
    }

    /// Lets one call fail as unavailable. Calls of every port count, from 1 for the store's first.
    pub fn fail_at(&self, call_number: u64, when: FailWhen) {
        lock(&self.faults).fail_at(call_number, when);
    }

    /// Lets every write fail with this error from now on, and none any more with `None`. Reads go on.
    pub fn refuse_writes(&self, error: Option<StoreError>) {
        lock(&self.faults).refuse_writes(error);
    }

    /// Holds the next call of `write` before it does anything.
    pub fn hold_next_write(&self) -> HeldWrite {
        let (has_come, come) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel();
        *lock(&self.gate) = Some((has_come, may_go_on));
        HeldWrite { come, go_on }
    }

    /// Lets reads of homes and of the directory wait for ever from now on, as a server does that is stopped with its
    /// connections open.
    pub fn freeze(&self) {
        self.is_frozen.store(true, Ordering::Relaxed);
    }

    /// Lets no home pass that is written without the lock from now on, as if others changed it each time; or no more so.
    pub fn contend(&self, is_contended: bool) {
        self.is_contended.store(is_contended, Ordering::Relaxed);
    }

    /// Gives the store a clock of its own, as a server has: it begins at `now` and is a microsecond later with each look.
    pub fn keep_time(&self, now: DateTime<Utc>) {
        *lock(&self.time) = Some(now);
    }

    async fn answers(&self) {
        if self.is_frozen.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }

    /// Lets the next `write_together` fail as unavailable, and take effect after so many loads, if its homes are still as
    /// they were.
    pub fn land_late(&self, loads: u32) {
        *lock(&self.late) = Some(LateWrite { loads, batch: None });
    }

    /// What is to land before the load that begins now.
    fn landing(&self) -> Option<WriteBatch> {
        let mut late = lock(&self.late);
        let on_its_way = late.as_mut().filter(|late| late.batch.is_some())?;
        if let Some(fewer) = on_its_way.loads.checked_sub(1) {
            on_its_way.loads = fewer;
            return None;
        }
        late.take()?.batch
    }

    /// How many calls there were, those that failed included.
    pub fn calls(&self) -> u64 {
        lock(&self.faults).calls()
    }

    fn call<T>(
        &self,
        run: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let fault = lock(&self.faults).begin_call();
        if fault == Some(FailWhen::BeforeEffect) {
            return Err(on_demand());
        }
        let answer = run(&mut lock(&self.state))?;
        match fault {
            Some(_) => Err(on_demand()),
            None => Ok(answer),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, query: &LoadQuery) -> Result<Loaded, StoreError> {
        self.answers().await;
        if let Some(batch) = self.landing() {
            lock(&self.state).write_together(&batch)?;
        }
        self.call(|state| Ok(state.load(query)))
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<AccountId>, StoreError> {
        let gate = lock(&self.gate).take();
        if let Some((has_come, may_go_on)) = gate
            && has_come.send(()).is_ok()
        {
            // A test that ends without a word lets it go on, too.
            may_go_on.await.unwrap_or_default();
        }
        lock(&self.faults).take_write()?;
        if self.is_contended.load(Ordering::Relaxed) {
            return self.call(|_| Ok(Vec::new()));
        }
        self.call(|state| state.write(batch))
    }

    async fn write_together(&self, batch: &WriteBatch) -> Result<bool, StoreError> {
        if let Some(late) = lock(&self.late).as_mut()
            && late.batch.is_none()
        {
            late.batch = Some(batch.clone());
            return Err(on_demand());
        }
        self.call(|state| state.write_together(batch))
    }

    async fn write_locked(
        &self,
        query: &LoadQuery,
        decide: DecideLocked,
    ) -> Result<bool, StoreError> {
        self.call(|state| match decide(state.load(query)) {
            Some(batch) => {
                lock(&self.faults).take_write()?;
                Ok(!state.write(&batch)?.is_empty())
            }
            None => Ok(false),
        })
    }
}
