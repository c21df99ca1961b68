//! Upkeep: whether the database answers, the ledger's months, and what keeps the tables small.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ports::{StoreError, Upkeep};

use crate::error::store_error;
use crate::reservations;
use crate::statements::MAKE_MONTHS;
use crate::store::PgStore;

/// A run goes with its batches.
const PRUNE_RUNS: &str = "\
with old as (
    delete from job_runs r using (
        select e.id from job_runs e where e.state <> 'running' and e.started_at < $1 and coalesce(e.ended_at, e.started_at) < $1
        order by e.started_at limit $2
    ) picked where r.id = picked.id
    returning r.id
), batches as (
    delete from job_batches b using old where b.run = old.id
)
select count(*) from old";

#[async_trait]
impl Upkeep for PgStore {
    async fn ping(&self) -> Result<(), StoreError> {
        let asked = sqlx::query("select 1").execute(&self.pool);
        let asked = async { asked.await.map(drop).map_err(store_error) };
        self.guarded(asked).await
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let time = sqlx::query_scalar("select clock_timestamp()")
            .fetch_one(&self.pool)
            .await;
        time.map(Some).map_err(store_error)
    }

    async fn make_ledger_months(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let months = sqlx::query(MAKE_MONTHS).bind(now).execute(&self.pool);
        months.await.map(drop).map_err(store_error)
    }

    async fn prune(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        let events = self.prune_outbox(before, limit).await?;
        let reservations = sqlx::query(reservations::PRUNE)
            .bind(before)
            .bind(i64::from(limit))
            .execute(&self.pool)
            .await
            .map_err(store_error)?;
        let runs: i64 = sqlx::query_scalar(PRUNE_RUNS)
            .bind(before)
            .bind(i64::from(limit))
            .fetch_one(&self.pool)
            .await
            .map_err(store_error)?;
        let gone = [events, reservations.rows_affected(), runs.unsigned_abs()];
        Ok(gone.into_iter().sum())
    }
}
