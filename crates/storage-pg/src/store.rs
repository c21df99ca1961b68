//! The store itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{DecideLocked, LoadQuery, Loaded, Store, StoreError, WriteBatch};
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::breaker::{ANSWER_MARGIN, Breaker};
use crate::key_check::{KeyCheck, KeyGate};
use crate::load::{LoadColumns, load};
use crate::pool::{self, retrying, to_the_end};
use crate::spare::Spare;
use crate::statements::Layout;
use crate::write::{Writing, Written};
use crate::{Settings, locked, migrate, shards};

/// Longest wait for a turn at the directory, in waits for a connection: those before it get theirs one after another.
const TURN_WAITS: u32 = 5;

/// The engine's store on one PostgreSQL database. Cheap to clone; every clone shares the connections.
#[derive(Debug, Clone)]
pub struct PgStore {
    pub(crate) pool: PgPool,
    pub(crate) breaker: Breaker,
    spare: Spare,
    keys: KeyGate,
    /// Whose turn it is to ask the directory: many at once must not take every connection, nor wait for one so long that
    /// the server seems lost.
    turns: Arc<Semaphore>,
    turn_timeout: Duration,
    options: PgConnectOptions,
    pub(crate) layout: Layout,
}

impl PgStore {
    /// Brings the database at `url` up to date and opens it: [`crate::migrate()`], then [`Self::connect`]. The login must
    /// own the tables. An installation whose service may not change its tables migrates apart from it, and connects.
    ///
    /// # Errors
    /// Those of both.
    pub async fn open(url: &str, settings: Settings) -> Result<Self, StoreError> {
        migrate::migrate(url).await?;
        Self::connect(url, settings).await
    }

    /// Opens the database at `url` (`postgres://user:password@host:port/database`); its schema is left as it is.
    ///
    /// # Errors
    /// [`StoreError`] when the URL cannot be read or the database does not answer.
    pub async fn connect(url: &str, settings: Settings) -> Result<Self, StoreError> {
        let options = pool::options(url)?;
        let (pool, layout) = pool::open(options.clone(), &settings).await?;
        let turns = usize::try_from(settings.connections_max / 2)
            .unwrap_or(1)
            .max(1);
        Ok(Self {
            pool,
            breaker: Breaker::new(settings.statement_timeout.saturating_add(ANSWER_MARGIN)),
            spare: Spare::default(),
            keys: KeyGate::default(),
            turns: Arc::new(Semaphore::new(turns)),
            turn_timeout: settings.acquire_timeout.saturating_mul(TURN_WAITS),
            options,
            layout,
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

    /// Waits for a turn at the directory.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let turn = tokio::time::timeout(self.turn_timeout, self.turns.acquire()).await;
        let turn = turn.map_err(|late| StoreError::Unreachable(late.into()))?;
        turn.map_err(|closed| StoreError::Unreachable(closed.into()))
    }

    /// Writes all parts of a batch; those in which a key is taken once more, with each key looked up.
    async fn write_parts(
        &self,
        batch: &WriteBatch,
        parts: Vec<Writing>,
    ) -> Result<Vec<usize>, StoreError> {
        let mut outcomes = self.run_parts(parts).await?;
        let is_taken = |outcome: &PartOutcome| matches!(outcome, Ok(Written::KeyTaken));
        if outcomes.iter().any(is_taken) {
            self.keys.close();
            let checked = Writing::of(batch, self.layout, KeyCheck::LookUp)?;
            let (again, places): (Vec<_>, Vec<_>) = checked
                .into_iter()
                .zip(0..)
                .filter(|(_, place)| outcomes.get(*place).is_some_and(is_taken))
                .unzip();
            for (place, outcome) in places.into_iter().zip(self.run_parts(again).await?) {
                if let Some(first) = outcomes.get_mut(place) {
                    *first = outcome;
                }
            }
        }
        let passed = outcomes.into_iter().map(|outcome| match outcome? {
            Written::Passed(places) => Ok(places),
            Written::KeyTaken => Ok(Vec::new()),
        });
        shards::written(passed.collect())
    }

    /// Runs the statements of a batch, also when the caller stops waiting for them.
    async fn run_parts(&self, parts: Vec<Writing>) -> Result<Vec<PartOutcome>, StoreError> {
        let (pool, spare) = (self.pool.clone(), self.spare.clone());
        let work = to_the_end(async move {
            let mut statements = Vec::with_capacity(parts.len());
            for writing in &parts {
                let statement = || spare.run(&pool, async |on| writing.run(on).await);
                statements.push(retrying(statement));
            }
            Ok(shards::all(statements).await)
        });
        work.await
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

/// What became of one statement of a batch.
type PartOutcome = Result<Written, StoreError>;

#[async_trait]
impl Store for PgStore {
    async fn load(&self, query: &LoadQuery) -> Result<Loaded, StoreError> {
        let parts = LoadColumns::of(query, self.layout);
        let (pool, spare) = (self.pool.clone(), self.spare.clone());
        let work = to_the_end(async move {
            let mut statements = Vec::with_capacity(parts.len());
            for columns in &parts {
                let statement = || spare.run(&pool, async |on| load(on, columns).await);
                statements.push(retrying(statement));
            }
            let mut rows = Vec::new();
            for outcome in shards::all(statements).await {
                rows.extend(outcome?);
            }
            Ok(rows)
        });
        let rows = self.guarded(work).await?;
        crate::load_rows::loaded(query, &rows)
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<AccountId>, StoreError> {
        let parts = Writing::of(batch, self.layout, self.keys.next())?;
        let mut passed = self.guarded(self.write_parts(batch, parts)).await?;
        passed.sort_unstable();
        let homes = passed
            .into_iter()
            .filter_map(|place| batch.homes.get(place));
        Ok(homes.map(|write| write.home.clone()).collect())
    }

    async fn write_together(&self, batch: &WriteBatch) -> Result<bool, StoreError> {
        let database = (self.pool.clone(), self.layout);
        let work = Box::pin(to_the_end(locked::write_together(database, batch.clone())));
        self.guarded(work).await
    }

    async fn write_locked(
        &self,
        query: &LoadQuery,
        decide: DecideLocked,
    ) -> Result<bool, StoreError> {
        let (database, query) = ((self.pool.clone(), self.layout), query.clone());
        let work = Box::pin(to_the_end(locked::write_locked(database, query, decide)));
        self.guarded(work).await
    }
}
