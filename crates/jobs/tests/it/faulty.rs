//! A store in memory on which single homes can be broken, which can go down altogether, and which can hold up a run
//! between what a batch writes and its record.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::catalog::Catalog;
use quota_core::event::Event;
use quota_core::ids::AccountId;
use quota_core::operation::Operation;
use quota_core::payment::{Payment, PaymentHolder, PaymentId};
use quota_core::ports::{
    AccountPage, AccountRow, ApiKey, AuditReader, Audits, BatchRecord, CatalogStore, DecideLocked,
    Directory, EventFeed, JobRun, JobStore, KeyStore, Lease, LedgerPage, Lists, LoadQuery, Loaded,
    PaymentPage, PaymentStore, QueuePlace, QueuedEvent, Store, StoreError, Upkeep, WriteBatch,
};
use quota_core::relocation::Relocation;
use testkit::memory::{MemoryStore, show};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use uuid::Uuid;

/// The store, and the homes that cannot be loaded for so many times.
#[derive(Debug)]
pub struct FaultyStore {
    pub inner: MemoryStore,
    broken: Mutex<BTreeMap<AccountId, u32>>,
    /// Calls that are still answered before the store is down.
    calls_left: Mutex<Option<u32>>,
    failed_at: Mutex<Vec<Instant>>,
    /// A home of which a balance reads one more than was spent.
    tampered: Mutex<Option<AccountId>>,
    /// Whether leases that are given back by themselves stay taken.
    pub keeps_leases: AtomicBool,
    /// Batches that may still be recorded.
    leaves: Semaphore,
    /// One for each batch that waits for leave.
    waiting: Semaphore,
}

impl Default for FaultyStore {
    fn default() -> Self {
        Self {
            inner: MemoryStore::new(),
            broken: Mutex::default(),
            calls_left: Mutex::default(),
            failed_at: Mutex::default(),
            tampered: Mutex::default(),
            keeps_leases: AtomicBool::default(),
            leaves: Semaphore::new(Semaphore::MAX_PERMITS),
            waiting: Semaphore::new(0),
        }
    }
}

impl FaultyStore {
    /// Lets the next `times` loads that ask for a home fail.
    pub fn break_home(&self, home: &AccountId, times: u32) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.insert(home.clone(), times);
    }

    /// When loads failed.
    pub fn failed_at(&self) -> Vec<Instant> {
        let failed_at = self.failed_at.lock();
        failed_at.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets every call fail, after so many that are still answered; `None` ends it.
    pub fn go_down_after(&self, calls: Option<u32>) {
        *self
            .calls_left
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = calls;
    }

    /// Lets a balance of a home read one more than was spent.
    pub fn tamper_with(&self, home: Option<AccountId>) {
        *self.tampered.lock().unwrap_or_else(PoisonError::into_inner) = home;
    }

    fn is_tampered(&self, home: &AccountId) -> bool {
        let tampered = self.tampered.lock();
        let tampered = tampered.unwrap_or_else(PoisonError::into_inner);
        tampered.as_ref() == Some(home)
    }

    /// Lets so many batches be recorded; the next one is written and waits with its record.
    pub fn hold_after(&self, batches: usize) {
        self.leaves.forget_permits(Semaphore::MAX_PERMITS);
        self.leaves.add_permits(batches);
    }

    /// Waits until a batch is held up.
    pub async fn held(&self) {
        if let Ok(one) = self.waiting.acquire().await {
            one.forget();
        }
    }

    /// Lets everything that is held up go on.
    pub fn let_go(&self) {
        let most = Semaphore::MAX_PERMITS - self.leaves.available_permits();
        self.leaves.add_permits(most);
    }

    fn answers(&self) -> Result<(), StoreError> {
        let mut calls_left = self
            .calls_left
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &mut *calls_left {
            None => Ok(()),
            Some(0) => Err(StoreError::Unavailable("the store is down".into())),
            Some(calls) => {
                *calls -= 1;
                Ok(())
            }
        }
    }

    fn fails(&self, query: &LoadQuery) -> bool {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        for wanted in &query.homes {
            if let Some(times) = broken.get_mut(&wanted.home).filter(|times| **times > 0) {
                *times -= 1;
                let failed_at = self.failed_at.lock();
                failed_at
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(Instant::now());
                return true;
            }
        }
        false
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn load(&self, query: &LoadQuery) -> Result<Loaded, StoreError> {
        self.answers()?;
        if self.fails(query) {
            return Err(StoreError::Unavailable("this home is broken".into()));
        }
        self.inner.load(query).await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<AccountId>, StoreError> {
        self.answers()?;
        self.inner.write(batch).await
    }

    async fn write_together(&self, batch: &WriteBatch) -> Result<bool, StoreError> {
        self.inner.write_together(batch).await
    }

    async fn write_locked(
        &self,
        query: &LoadQuery,
        decide: DecideLocked,
    ) -> Result<bool, StoreError> {
        self.answers()?;
        self.inner.write_locked(query, decide).await
    }
}

/// Hands the methods of a port on to the store in memory.
macro_rules! hand_on {
    ($port:ident: $(fn $name:ident($($arg:ident: $of:ty),*) -> $to:ty;)*) => {
        #[async_trait]
        impl $port for FaultyStore {
            $(async fn $name(&self, $($arg: $of),*) -> Result<$to, StoreError> {
                self.answers()?;
                self.inner.$name($($arg),*).await
            })*
        }
    };
}

hand_on!(Directory:
    fn home_of(account: &AccountId) -> Option<AccountId>;
    fn claim(account: &AccountId, home: &AccountId) -> AccountId;
    fn relocate(moved: &Relocation) -> bool;
);
hand_on!(CatalogStore:
    fn catalog() -> Catalog;
    fn catalog_version() -> u64;
    fn put_catalog(next: &Catalog, actor: Option<&str>, at: DateTime<Utc>) -> bool;
);
hand_on!(Lists:
    fn accounts(page: &AccountPage) -> Vec<AccountRow>;
    fn ledger(page: &LedgerPage) -> Vec<Operation>;
    fn homes_with_due_holds(now: DateTime<Utc>, limit: u32) -> Vec<AccountId>;
);
hand_on!(Upkeep:
    fn ping() -> ();
    fn time() -> Option<DateTime<Utc>>;
    fn make_ledger_months(now: DateTime<Utc>) -> ();
    fn prune(before: DateTime<Utc>, limit: u32) -> u64;
);

#[async_trait]
impl Audits for FaultyStore {
    async fn read_home(
        &self,
        home: &AccountId,
        reader: &mut dyn AuditReader,
    ) -> Result<(), StoreError> {
        self.answers()?;
        let Some(mut read) = self.inner.audit_home(home).await? else {
            return Ok(());
        };
        if self.is_tampered(home)
            && let Some((_, account)) = read.accounts.first_mut()
            && let Some(balance) = account.books.balances.first_mut()
        {
            balance.used += 1;
        }
        show(read, reader);
        Ok(())
    }

    async fn homes(
        &self,
        after: Option<&AccountId>,
        since: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<AccountId>, StoreError> {
        self.answers()?;
        self.inner.homes(after, since, limit).await
    }
}

hand_on!(EventFeed:
    fn queues_with_events(consumer: &str) -> Vec<i16>;
    fn next_events(consumer: &str, after: QueuePlace, limit: u32) -> Vec<QueuedEvent>;
    fn pass_events(consumer: &str, place: QueuePlace) -> ();
    fn events_after(home: &AccountId, account: &AccountId, after: u64, limit: u32) -> Vec<Event>;
);
hand_on!(KeyStore:
    fn put_key(key: &ApiKey) -> ();
    fn key_by_hash(hash: &[u8; 32]) -> Option<ApiKey>;
    fn keys() -> Vec<ApiKey>;
    fn revoke_key(id: Uuid, at: DateTime<Utc>) -> bool;
);
hand_on!(PaymentStore:
    fn claim_payment(id: &PaymentId, holder: &PaymentHolder) -> PaymentHolder;
    fn holder_of(id: &PaymentId) -> Option<PaymentHolder>;
    fn put_payment(payment: &Payment) -> bool;
    fn payment(account: &AccountId, id: &PaymentId) -> Option<Payment>;
    fn payments(page: &PaymentPage) -> Vec<Payment>;
);

#[async_trait]
impl JobStore for FaultyStore {
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, StoreError> {
        self.answers()?;
        self.inner.take_lease(name, owner, now, until).await
    }

    async fn give_lease_back(&self, lease: &Lease) -> Result<(), StoreError> {
        self.answers()?;
        if self.keeps_leases.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("no lease is given back".into()));
        }
        self.inner.give_lease_back(lease).await
    }

    async fn put_run(&self, run: &JobRun) -> Result<(), StoreError> {
        self.answers()?;
        self.inner.put_run(run).await
    }

    async fn end_run(&self, run: &JobRun, lease: &Lease) -> Result<(), StoreError> {
        self.answers()?;
        self.inner.end_run(run, lease).await
    }

    async fn put_batch(&self, batch: &BatchRecord) -> Result<(), StoreError> {
        self.answers()?;
        if self.leaves.available_permits() == 0 {
            self.waiting.add_permits(1);
        }
        if let Ok(leave) = self.leaves.acquire().await {
            leave.forget();
        }
        self.inner.put_batch(batch).await
    }

    async fn run(&self, id: Uuid) -> Result<Option<JobRun>, StoreError> {
        self.answers()?;
        self.inner.run(id).await
    }

    async fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        self.answers()?;
        self.inner.runs(job, limit).await
    }

    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, StoreError> {
        self.answers()?;
        self.inner.batches(run).await
    }
}
