//! The store itself.

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{DecideLocked, LoadQuery, Loaded, Store, StoreError, WriteBatch};
use sqlx::postgres::{PgConnectOptions, PgPool};

use crate::breaker::Breaker;
use crate::load::{LoadColumns, load};
use crate::pool::{self, retrying, to_the_end};
use crate::spare::Spare;
use crate::write::Writing;
use crate::{Settings, locked, migrate};

/// The engine's store on one PostgreSQL database. Cheap to clone; every clone shares the connections.
#[derive(Debug, Clone)]
pub struct PgStore {
    pub(crate) pool: PgPool,
    pub(crate) breaker: Breaker,
    spare: Spare,
    options: PgConnectOptions,
}

impl PgStore {
    /// Opens the database at `url` (`postgres://user:password@host:port/database`); its schema is left as it is.
    ///
    /// # Errors
    /// [`StoreError`] when the URL cannot be read or the database does not answer.
    pub async fn connect(url: &str, settings: Settings) -> Result<Self, StoreError> {
        let options = pool::options(url)?;
        let pool = pool::open(options.clone(), &settings).await?;
        Ok(Self {
            pool,
            breaker: Breaker::default(),
            spare: Spare::default(),
            options,
        })
    }

    /// As [`crate::migrate()`], on this store's database, by a connection of its own.
    ///
    /// # Errors
    /// Those of [`crate::migrate()`].
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::run(&self.options).await
    }

    /// Runs `work` unless the server could not be reached just now, and no longer than an answer may take.
    pub(crate) async fn guarded<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let is_busy = || self.pool.options().get_max_connections() <= self.pool.size();
        self.breaker.guard(is_busy, work).await
    }

    /// The pool, for tests of how it treats its connections.
    #[doc(hidden)]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Closes all connections once they are free; whoever waits for one gets an error.
    pub async fn close(&self) {
        let closed = self.pool.close();
        self.spare.clear();
        closed.await;
    }
}

#[async_trait]
impl Store for PgStore {
    async fn load(&self, query: &LoadQuery) -> Result<Loaded, StoreError> {
        let columns = LoadColumns::of(query);
        let (pool, spare) = (self.pool.clone(), self.spare.clone());
        let work = to_the_end(async move {
            let statement =
                || spare.run(&pool, async |connection| load(connection, &columns).await);
            retrying(statement).await
        });
        let rows = self.guarded(work).await?;
        crate::load_rows::loaded(query, &rows)
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<AccountId>, StoreError> {
        let writing = Writing::of(batch)?;
        let (pool, spare) = (self.pool.clone(), self.spare.clone());
        let work = to_the_end(async move {
            let statement = || spare.run(&pool, async |connection| writing.run(connection).await);
            retrying(statement).await
        });
        let has_passed = self.guarded(work).await?;
        let homes = batch.homes.iter().zip(has_passed);
        let passed = homes.filter(|(_, has_passed)| *has_passed);
        Ok(passed.map(|(write, _)| write.home.clone()).collect())
    }

    async fn write_locked(
        &self,
        query: &LoadQuery,
        decide: DecideLocked,
    ) -> Result<bool, StoreError> {
        let (pool, query) = (self.pool.clone(), query.clone());
        let work = Box::pin(to_the_end(locked::write_locked(pool, query, decide)));
        self.guarded(work).await
    }
}
