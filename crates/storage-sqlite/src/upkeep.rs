//! Upkeep: whether the file answers, and what keeps the tables small.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ports::{StoreError, Upkeep};
use sqlx::sqlite::SqliteConnection;

use crate::error::Fault;
use crate::values::micros;
use crate::{SqliteStore, outbox, reservations};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        let answer = sqlx::query("select version from catalogs limit 1");
        answer
            .fetch_optional(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(())
    }

    async fn prune(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        self.writing(move |connection| Box::pin(prune(connection, micros(before), limit)))
            .await
    }
}

/// Each statement removes at most `limit` rows, so that a long-neglected table does not stop the writer.
async fn prune(connection: &mut SqliteConnection, before: i64, limit: u32) -> Result<u64, Fault> {
    let statements = [
        reservations::PRUNE,
        "delete from job_runs where rowid in \
         (select rowid from job_runs where state <> 'running' \
         and coalesce(ended_at, started_at) < ?1 limit ?2)",
    ];
    let mut removed = outbox::prune(connection, before, limit).await?;
    for statement in statements {
        let statement = sqlx::query(statement).bind(before).bind(limit);
        let done = statement.execute(&mut *connection).await?;
        removed += done.rows_affected();
    }
    let orphans = "delete from job_batches where run not in (select id from job_runs)";
    let statement = sqlx::query(orphans);
    statement.execute(connection).await?;
    Ok(removed)
}
