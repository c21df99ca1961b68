//! Leases, runs and batches.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ports::{BatchRecord, JobRun, JobStore, Lease, StoreError};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::{corrupt, store_error};
use crate::pool::to_the_end;
use crate::store::PgStore;
use crate::values::{Reading, json_text, name_text, stored_count};

const TAKE: &str = "\
insert into leases (name, owner, epoch, until_at) values ($1, $2, 1, $4)
on conflict (name) do update
set owner = excluded.owner, until_at = excluded.until_at,
    epoch = leases.epoch + case when leases.owner = excluded.owner then 0 else 1 end
where leases.owner is null or leases.owner = excluded.owner or leases.until_at <= $3
returning epoch";
/// The row stays, with nobody in it: the next holder must get the next epoch.
const GIVE_BACK: &str =
    "update leases set owner = null where name = $1 and owner = $2 and epoch = $3";
const PUT_RUN: &str = "\
with lost as (
    update job_runs set state = 'lost'
    where job = $2 and state = 'running' and id <> $1 and started_at <= $6 and $8 = 'running'
)
insert into job_runs (id, job, asked_by, filter, owner, started_at, ended_at, state, summary)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)
on conflict (id) do update
set ended_at = excluded.ended_at, state = excluded.state, summary = excluded.summary";
const END_RUN: &str = "\
update job_runs set ended_at = $2, state = $3, summary = $4::jsonb where id = $1";
const PUT_BATCH: &str = "\
insert into job_batches (run, number, ended_at, summary) values ($1, $2, $3, $4::jsonb)
on conflict (run, number) do update set ended_at = excluded.ended_at, summary = excluded.summary";
const RUN: &str = "\
select r.id, r.job, r.asked_by, r.filter, r.owner, r.started_at, r.ended_at, r.state, r.summary
from job_runs r where r.id = $1";
const RUNS: &str = "\
select r.id, r.job, r.asked_by, r.filter, r.owner, r.started_at, r.ended_at, r.state, r.summary
from job_runs r order by r.started_at desc, r.id desc limit $1";
const RUNS_OF_JOB: &str = "\
select r.id, r.job, r.asked_by, r.filter, r.owner, r.started_at, r.ended_at, r.state, r.summary
from job_runs r where r.job = $2 order by r.started_at desc, r.id desc limit $1";
const BATCHES: &str = "\
select b.run, b.number, b.ended_at, b.summary from job_batches b where b.run = $1 order by b.number";

#[async_trait]
impl JobStore for PgStore {
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, StoreError> {
        let epoch: Option<i64> = sqlx::query_scalar(TAKE)
            .bind(name)
            .bind(owner)
            .bind(now)
            .bind(until)
            .fetch_optional(&self.pool)
            .await
            .map_err(store_error)?;
        let Some(epoch) = epoch else { return Ok(None) };
        Ok(Some(Lease {
            name: name.to_owned(),
            owner: owner.to_owned(),
            epoch: u64::try_from(epoch).map_err(|error| corrupt("leases", name, error))?,
        }))
    }

    async fn give_lease_back(&self, lease: &Lease) -> Result<(), StoreError> {
        sqlx::query(GIVE_BACK)
            .bind(&lease.name)
            .bind(&lease.owner)
            .bind(stored_count(lease.epoch)?)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn put_run(&self, run: &JobRun) -> Result<(), StoreError> {
        sqlx::query(PUT_RUN)
            .bind(run.id)
            .bind(&run.job)
            .bind(&run.asked_by)
            .bind(&run.filter)
            .bind(&run.owner)
            .bind(run.started_at)
            .bind(run.ended_at)
            .bind(name_text(&run.state)?)
            .bind(json_text(&run.summary)?)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn end_run(&self, run: &JobRun, lease: &Lease) -> Result<(), StoreError> {
        let (run, lease, epoch) = (run.clone(), lease.clone(), stored_count(lease.epoch)?);
        let (state, summary) = (name_text(&run.state)?, json_text(&run.summary)?);
        let pool = self.pool.clone();
        to_the_end(async move {
            let mut transaction = pool.begin().await.map_err(store_error)?;
            let end = sqlx::query(END_RUN)
                .bind(run.id)
                .bind(run.ended_at)
                .bind(state)
                .bind(summary);
            end.execute(&mut *transaction).await.map_err(store_error)?;
            let free = sqlx::query(GIVE_BACK)
                .bind(lease.name)
                .bind(lease.owner)
                .bind(epoch);
            free.execute(&mut *transaction).await.map_err(store_error)?;
            transaction.commit().await.map_err(store_error)
        })
        .await
    }

    async fn put_batch(&self, batch: &BatchRecord) -> Result<(), StoreError> {
        sqlx::query(PUT_BATCH)
            .bind(batch.run)
            .bind(i64::from(batch.number))
            .bind(batch.ended_at)
            .bind(json_text(&batch.summary)?)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn run(&self, id: Uuid) -> Result<Option<JobRun>, StoreError> {
        let run = sqlx::query(RUN).bind(id).fetch_optional(&self.pool).await;
        run.map_err(store_error)?.as_ref().map(job_run).transpose()
    }

    async fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        let runs = match job {
            None => sqlx::query(RUNS).bind(i64::from(limit)),
            Some(job) => sqlx::query(RUNS_OF_JOB).bind(i64::from(limit)).bind(job),
        };
        let runs = runs.fetch_all(&self.pool).await.map_err(store_error)?;
        runs.iter().map(job_run).collect()
    }

    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, StoreError> {
        let batches = sqlx::query(BATCHES).bind(run).fetch_all(&self.pool).await;
        batches
            .map_err(store_error)?
            .iter()
            .map(batch_record)
            .collect()
    }
}

fn job_run(row: &PgRow) -> Result<JobRun, StoreError> {
    let id: Uuid = Reading::new(row, "job_runs", "?").get("id")?;
    let reading = Reading::new(row, "job_runs", id.to_string());
    Ok(JobRun {
        id,
        job: reading.get("job")?,
        asked_by: reading.get("asked_by")?,
        filter: reading.get("filter")?,
        owner: reading.get("owner")?,
        started_at: reading.get("started_at")?,
        ended_at: reading.get("ended_at")?,
        state: reading.name("state")?,
        summary: reading.jsonb("summary")?,
    })
}

fn batch_record(row: &PgRow) -> Result<BatchRecord, StoreError> {
    let run: Uuid = Reading::new(row, "job_batches", "?").get("run")?;
    let reading = Reading::new(row, "job_batches", run.to_string());
    let number = u32::try_from(reading.count("number")?);
    Ok(BatchRecord {
        run,
        number: number.map_err(|error| reading.bad(error))?,
        ended_at: reading.get("ended_at")?,
        summary: reading.jsonb("summary")?,
    })
}
