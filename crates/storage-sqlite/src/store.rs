//! The store itself: one connection that writes, some that read, and transactions that nobody can cut short.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use quota_core::ports::StoreError;
use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use crate::error::{Fault, OpenError};
use crate::migrate::migrator;
use crate::optimistic::OptimisticGate;

/// Rows that wait on their way from a connection's thread: a whole batch, so that the two do not take turns.
const ROW_BUFFER: usize = 1024;

/// Smaller than SQLite's own 4 KiB: an operation changes a few pages here and there, and each goes into the log whole.
const PAGE_BYTES: u32 = 2048;

/// Pages that the log takes before they go into the file: 128 MiB. A batch over many homes dirties about a thousand
/// pages, and SQLite's own 1,000 would copy and sync them at every commit.
const CHECKPOINT_PAGES: &str = "65536";
/// Memory for pages of the writer, in KiB; SQLite's own 2 MiB spill in the middle of a batch. What readers keep is
/// out of date after every write, so they have no more than usual.
const CACHE_KIB: &str = "-65536";

/// How a file is opened.
#[derive(Debug, Clone)]
pub struct SqliteSettings {
    /// Connections that read, at least 1.
    pub readers: u32,
    /// How long a statement waits for another process that writes, in seconds.
    pub busy_seconds: u64,
    /// How long a call waits for a connection, in seconds.
    pub acquire_seconds: u64,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_seconds: 5,
            acquire_seconds: 5,
        }
    }
}

/// Longer than any machine needs for one transaction, however busy it is.
const PATIENCE_SECONDS: u64 = 600;

impl SqliteSettings {
    /// Time-outs that a busy machine does not meet: for tests, and for programs without a caller that waits.
    pub fn patient() -> Self {
        Self {
            busy_seconds: PATIENCE_SECONDS,
            acquire_seconds: PATIENCE_SECONDS,
            ..Self::default()
        }
    }
}

/// Everything that the engine keeps, in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) optimistic: Arc<OptimisticGate>,
}

/// What runs inside a transaction.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'c>>;

impl SqliteStore {
    /// Opens a file, made if it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] when the file cannot be opened or migrated.
    pub async fn open(
        path: impl AsRef<Path>,
        settings: &SqliteSettings,
    ) -> Result<Self, OpenError> {
        let options = options(settings)
            .filename(path)
            .create_if_missing(true)
            .page_size(PAGE_BYTES)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let writer =
            pool(settings, 1).connect_with(options.clone().pragma("cache_size", CACHE_KIB));
        let writer = writer.await.map_err(OpenError::Open)?;
        migrator().run(&writer).await?;
        let readers = pool(settings, settings.readers.max(1));
        let readers = readers.connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self {
            writer,
            readers,
            optimistic: Arc::default(),
        })
    }

    /// A store that lives as long as the process keeps it, on one connection; for tests and trials.
    ///
    /// # Errors
    /// [`OpenError`] when SQLite refuses.
    pub async fn open_in_memory(settings: &SqliteSettings) -> Result<Self, OpenError> {
        let options = options(settings).in_memory(true);
        let writer = pool(settings, 1).connect_with(options);
        let writer = writer.await.map_err(OpenError::Open)?;
        migrator().run(&writer).await?;
        let readers = writer.clone();
        Ok(Self {
            writer,
            readers,
            optimistic: Arc::default(),
        })
    }

    /// Closes the file in order; calls that come later fail.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Runs `work` as the only writer; committed when it returns.
    pub(crate) async fn writing<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    {
        Ok(self.try_writing(work).await?)
    }

    /// As [`Self::writing`], with the reason of a failure as it is.
    pub(crate) async fn try_writing<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    {
        uncut(self.writer.clone(), "begin immediate", work).await
    }

    /// Runs `work` on one snapshot.
    pub(crate) async fn reading<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    {
        Ok(uncut(self.readers.clone(), "begin", work).await?)
    }
}

fn options(settings: &SqliteSettings) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(settings.busy_seconds))
        .row_buffer_size(ROW_BUFFER)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        // What undoes a single statement would go into a file, page by page, in every batch.
        .pragma("temp_store", "memory")
        .disable_statement_logging()
}

/// A connection that comes back inside a transaction is rolled back: sqlx does not do it when a call is dropped.
fn pool(settings: &SqliteSettings, connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(settings.acquire_seconds))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_release(|connection, _| {
            Box::pin(async move {
                // Fails when there is nothing to roll back, which is as good.
                drop(sqlx::query("rollback").execute(connection).await);
                Ok(true)
            })
        })
}

/// Runs a transaction in a task of its own, so that dropping the call cannot cut it short.
async fn uncut<T, W>(pool: SqlitePool, begin: &'static str, work: W) -> Result<T, Fault>
where
    T: Send + 'static,
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
{
    let task = tokio::spawn(async move {
        let mut connection = pool.acquire().await?;
        sqlx::query(begin).execute(&mut *connection).await?;
        let answer = work(&mut connection).await?;
        sqlx::query("commit").execute(&mut *connection).await?;
        Ok(answer)
    });
    match task.await {
        Ok(answer) => answer,
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        Err(ended) => Err(StoreError::Unavailable(Box::new(ended)).into()),
    }
}
