//! Leases, runs and batches.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ports::{BatchRecord, JobRun, JobStore, Lease, RunState, StoreError};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::SqliteStore;
use crate::error::Fault;
use crate::values::{Reading, counter, json, micros, name};

#[async_trait]
impl JobStore for SqliteStore {
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, StoreError> {
        let (name, owner) = (name.to_owned(), owner.to_owned());
        self.writing(move |connection| {
            Box::pin(async move {
                let statement = "insert into leases as l (name, owner, epoch, until_at) values (?1, ?2, 1, ?4) \
                                 on conflict (name) do update set owner = ?2, until_at = ?4, \
                                 epoch = l.epoch + (l.owner is not ?2) \
                                 where l.owner is null or l.owner = ?2 or l.until_at <= ?3 \
                                 returning epoch";
                let statement = sqlx::query(statement)
                    .bind(&name)
                    .bind(&owner)
                    .bind(micros(now))
                    .bind(micros(until));
                let taken = statement.fetch_all(connection).await?;
                let Some(row) = taken.first() else {
                    return Ok(None);
                };
                let epoch = Reading::new(row, "leases", &name).counter("epoch")?;
                Ok(Some(Lease { name, owner, epoch }))
            })
        })
        .await
    }

    async fn give_lease_back(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.writing(move |connection| Box::pin(give_lease_back(connection, lease)))
            .await
    }

    async fn put_run(&self, run: &JobRun) -> Result<(), StoreError> {
        let run = run.clone();
        self.writing(move |connection| Box::pin(put_run(connection, run)))
            .await
    }

    async fn end_run(&self, run: &JobRun, lease: &Lease) -> Result<(), StoreError> {
        let (run, lease) = (run.clone(), lease.clone());
        self.writing(move |connection| {
            Box::pin(async move {
                put_run(&mut *connection, run).await?;
                give_lease_back(connection, lease).await
            })
        })
        .await
    }

    async fn put_batch(&self, batch: &BatchRecord) -> Result<(), StoreError> {
        let (batch, summary) = (batch.clone(), json(&batch.summary)?);
        self.writing(move |connection| {
            Box::pin(async move {
                let statement = "insert into job_batches (run, number, ended_at, summary) \
                                 values (?1, ?2, ?3, ?4) on conflict (run, number) \
                                 do update set ended_at = excluded.ended_at, summary = excluded.summary";
                sqlx::query(statement)
                    .bind(batch.run)
                    .bind(batch.number)
                    .bind(micros(batch.ended_at))
                    .bind(summary)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn run(&self, id: Uuid) -> Result<Option<JobRun>, StoreError> {
        let statement = "select id, job, asked_by, filter, owner, started_at, ended_at, state, summary \
                         from job_runs where id = ?1";
        let row = sqlx::query(statement)
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(row.as_ref().map(read_run).transpose()?)
    }

    async fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        let statement = "select id, job, asked_by, filter, owner, started_at, ended_at, state, summary \
                         from job_runs where ?1 is null or job = ?1 order by number desc limit ?2";
        let rows = sqlx::query(statement)
            .bind(job.map(str::to_owned))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(rows.iter().map(read_run).collect::<Result<_, Fault>>()?)
    }

    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, StoreError> {
        let statement = "select run, number, ended_at, summary from job_batches \
                         where run = ?1 order by number";
        let rows = sqlx::query(statement)
            .bind(run)
            .fetch_all(&self.readers)
            .await
            .map_err(Fault::from)?;
        Ok(rows.iter().map(read_batch).collect::<Result<_, Fault>>()?)
    }
}

/// The row stays, with nobody in it: the next holder must get the next epoch.
async fn give_lease_back(connection: &mut SqliteConnection, lease: Lease) -> Result<(), Fault> {
    let statement = "update leases set owner = null where name = ?1 and owner = ?2 and epoch = ?3";
    sqlx::query(statement)
        .bind(lease.name)
        .bind(lease.owner)
        .bind(counter(lease.epoch)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// A run that is not known yet begins: what still seems to run of its job is lost.
async fn put_run(connection: &mut SqliteConnection, run: JobRun) -> Result<(), Fault> {
    let statement = "update job_runs set state = ?3 where job = ?1 and state = ?4 \
                     and not exists (select 1 from job_runs where id = ?2)";
    sqlx::query(statement)
        .bind(run.job.clone())
        .bind(run.id)
        .bind(name(&RunState::Lost)?)
        .bind(name(&RunState::Running)?)
        .execute(&mut *connection)
        .await?;
    let statement = "insert into job_runs \
                     (id, number, job, asked_by, filter, owner, started_at, ended_at, state, summary) \
                     values (?1, (select coalesce(max(number), 0) + 1 from job_runs), \
                     ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                     on conflict (id) do update set asked_by = excluded.asked_by, filter = excluded.filter, \
                     owner = excluded.owner, started_at = excluded.started_at, ended_at = excluded.ended_at, \
                     state = excluded.state, summary = excluded.summary";
    sqlx::query(statement)
        .bind(run.id)
        .bind(run.job)
        .bind(run.asked_by)
        .bind(run.filter)
        .bind(run.owner)
        .bind(micros(run.started_at))
        .bind(run.ended_at.map(micros))
        .bind(name(&run.state)?)
        .bind(json(&run.summary)?)
        .execute(connection)
        .await?;
    Ok(())
}

fn read_run(row: &SqliteRow) -> Result<JobRun, Fault> {
    let id: Uuid = Reading::new(row, "job_runs", "").raw("id")?;
    let row = Reading::new(row, "job_runs", id);
    Ok(JobRun {
        id,
        job: row.raw("job")?,
        asked_by: row.raw("asked_by")?,
        filter: row.raw("filter")?,
        owner: row.raw("owner")?,
        started_at: row.instant("started_at")?,
        ended_at: row.optional_instant("ended_at")?,
        state: row.text("state")?,
        summary: row.json("summary")?,
    })
}

fn read_batch(row: &SqliteRow) -> Result<BatchRecord, Fault> {
    let run: Uuid = Reading::new(row, "job_batches", "").raw("run")?;
    let row = Reading::new(row, "job_batches", run);
    Ok(BatchRecord {
        run,
        number: row.raw("number")?,
        ended_at: row.instant("ended_at")?,
        summary: row.json("summary")?,
    })
}
