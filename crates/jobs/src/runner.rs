//! The runner: lists jobs, runs them alone among all workers, and keeps their history.
//!
//! A run is made in three steps: `take` gets the lease, `record` writes the row of the history, `carry_out` does the work
//! and ends both together. A job that a caller asks for goes through `begin`, which is the first two; the scheduler takes the
//! lease, looks once more whether the job is due, and only then records it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use quota_core::ports::{BatchRecord, EventSink, JobRun, RunState, RunSummary};
use quota_service::Engine;
use quota_service::billing::Billing;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::host::{Active, Host};
use crate::lease::{LeaseKeeper, until};
use crate::run::{Ended, Work};
use crate::{JobError, JobFilter, JobName, JobSettings};

/// A job as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// What settings, addresses and the history call it.
    pub name: JobName,
    /// Its cron expression, or `never`.
    pub schedule: String,
    /// The zone that the expression is meant in.
    pub zone: String,
    /// When it is due next.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Its newest run. A frequent job that found nothing to do has left no record.
    pub last_run: Option<JobRun>,
}

/// Runs jobs. Cheap to clone; every clone is the same runner.
#[derive(Clone)]
pub struct Runner {
    pub(crate) inner: Arc<Host>,
}

/// A run that has begun: recorded, and with its lease taken.
pub(crate) struct StartedRun {
    run: JobRun,
    keeper: LeaseKeeper,
    filter: JobFilter,
    job: JobName,
}

/// A run that ended.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) run: JobRun,
    /// Whether it came to its end, failures of single accounts aside.
    pub(crate) is_complete: bool,
}

impl Runner {
    /// A runner of jobs over an engine. `owner` names this process in the history, uniquely among all that ever run.
    pub fn new(
        engine: Engine,
        sink: Arc<dyn EventSink>,
        settings: JobSettings,
        owner: String,
    ) -> Self {
        Self {
            inner: Arc::new(Host::new(engine, sink, settings, owner)),
        }
    }

    /// The same with a payment provider: the jobs about it can run.
    #[must_use]
    pub fn with_billing(&self, billing: Option<Billing>) -> Self {
        Self {
            inner: Arc::new(self.inner.with_billing(billing)),
        }
    }

    /// All jobs, with when they ran and will run.
    ///
    /// # Errors
    /// [`JobError::Store`] when the history cannot be read.
    pub async fn list(&self) -> Result<Vec<JobInfo>, JobError> {
        let now = self.inner.engine.now();
        let mut jobs = Vec::with_capacity(JobName::all().len());
        for name in JobName::all() {
            let schedule = self.inner.settings.schedules.get(&name).cloned();
            let schedule = schedule.unwrap_or_else(crate::Schedule::never);
            jobs.push(JobInfo {
                name,
                zone: schedule.zone().to_string(),
                next_run_at: schedule.next_after(now),
                schedule: schedule.to_string(),
                last_run: self.runs(Some(name), 1).await?.pop(),
            });
        }
        Ok(jobs)
    }

    /// Runs a job to its end. Dropping the call does not stop the run.
    ///
    /// # Errors
    /// [`JobError`] when it was not run; failures within the run are in its record.
    pub async fn run(
        &self,
        job: JobName,
        filter: JobFilter,
        asked_by: &str,
    ) -> Result<JobRun, JobError> {
        let begun = self.begin(job, filter, asked_by).await?;
        Ok(self.finish(begun).await?.run)
    }

    /// Starts a job and gives back its run as it stands at the beginning.
    ///
    /// # Errors
    /// [`JobError`] when it was not started.
    pub async fn start(
        &self,
        job: JobName,
        filter: JobFilter,
        asked_by: &str,
    ) -> Result<JobRun, JobError> {
        let begun = self.begin(job, filter, asked_by).await?;
        let run = begun.run.clone();
        drop(self.spawn(begun));
        Ok(run)
    }

    /// The newest runs, of one job or of all.
    ///
    /// # Errors
    /// [`JobError::Store`] when they cannot be read.
    pub async fn runs(&self, job: Option<JobName>, limit: u32) -> Result<Vec<JobRun>, JobError> {
        let storage = self.inner.engine.storage();
        Ok(storage.runs(job.map(JobName::as_str), limit).await?)
    }

    /// The batches of a run by number.
    ///
    /// # Errors
    /// [`JobError::UnknownRun`] when there is no such run; [`JobError::Store`] when they cannot be read.
    pub async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, JobError> {
        let storage = self.inner.engine.storage();
        let batches = storage.batches(run).await?;
        if batches.is_empty() && storage.run(run).await?.is_none() {
            return Err(JobError::UnknownRun { run });
        }
        Ok(batches)
    }

    /// Starts nothing more, lets every run finish the batch in flight, and waits for that.
    pub async fn stop(&self) {
        self.inner.stop().await;
    }

    async fn begin(
        &self,
        job: JobName,
        filter: JobFilter,
        asked_by: &str,
    ) -> Result<StartedRun, JobError> {
        let begun = self.take(job, filter, asked_by).await?;
        self.record(begun).await
    }

    /// Takes the lease for a run.
    pub(crate) async fn take(
        &self,
        job: JobName,
        filter: JobFilter,
        asked_by: &str,
    ) -> Result<StartedRun, JobError> {
        filter.check(job)?;
        if self.inner.is_stopping() {
            return Err(JobError::Stopping);
        }
        let engine = &self.inner.engine;
        if let Some(account) = &filter.account {
            engine.account(account).await?;
        }
        if !filter.features.is_empty() {
            filter.check_features(&*engine.catalog().await?)?;
        }
        let id = engine.next_id();
        let (now, kept) = (engine.now(), self.inner.settings.lease_kept);
        // A holder of its own for each run, so that one process does not run a job twice at a time either.
        let holder = format!("{}/{id}", self.inner.owner);
        let held_until = until(now, kept);
        let lease = engine
            .storage()
            .take_lease(job.as_str(), &holder, now, held_until)
            .await?;
        let lease = lease.ok_or(JobError::AlreadyRunning { job })?;
        Ok(StartedRun {
            run: JobRun {
                id,
                job: job.to_string(),
                asked_by: asked_by.to_owned(),
                filter: filter.text(),
                owner: self.inner.owner.clone(),
                started_at: now,
                ended_at: None,
                state: RunState::Running,
                summary: RunSummary::default(),
            },
            keeper: LeaseKeeper::start(engine.clone(), lease, held_until, kept),
            filter,
            job,
        })
    }

    /// Enters a run in the history.
    pub(crate) async fn record(&self, begun: StartedRun) -> Result<StartedRun, JobError> {
        match self.inner.engine.storage().put_run(&begun.run).await {
            Ok(()) => Ok(begun),
            Err(error) => {
                begun.give_up().await;
                Err(error.into())
            }
        }
    }

    /// Carries a run that has begun to its end.
    pub(crate) async fn finish(&self, begun: StartedRun) -> Result<Finished, JobError> {
        let job = begun.job;
        let ended = self.spawn(begun).await;
        ended.map_err(|_| JobError::Crashed { job })
    }

    fn spawn(&self, begun: StartedRun) -> JoinHandle<Finished> {
        let inner = Arc::clone(&self.inner);
        let active = Active::count(&inner);
        tokio::spawn(async move {
            let finished = carry_out(&inner, begun).await;
            drop(active);
            finished
        })
    }
}

impl StartedRun {
    /// Gives the lease back with nothing done.
    pub(crate) async fn give_up(self) {
        let job = self.job;
        if let Err(error) = self.keeper.end().await {
            tracing::warn!(%job, %error, "the lease of a job was not given back; it runs out");
        }
    }
}

async fn carry_out(host: &Arc<Host>, begun: StartedRun) -> Finished {
    let started = tokio::time::Instant::now();
    let job = begun.job;
    tracing::info!(%job, run = %begun.run.id, asked_by = %begun.run.asked_by, "a job begins");
    let mut work = Work::new(Arc::clone(host), begun.run, begun.keeper, begun.filter);
    let ended = job.job().run(&mut work).await.err().unwrap_or(Ended::Done);
    let is_complete = matches!(ended, Ended::Done);
    let (mut run, keeper) = work.into_parts();
    run.state = match ended {
        Ended::Done if !keeper.confirm().await => RunState::Lost,
        Ended::Done if run.summary.failed > 0 => RunState::Failed,
        Ended::Done => RunState::Succeeded,
        Ended::Stopped => RunState::Stopped,
        Ended::Lost => RunState::Lost,
        Ended::Aborted(error) => {
            run.summary.error = Some(error);
            RunState::Failed
        }
    };
    run.ended_at = Some(host.engine.now());
    meters_of(job, &run, started.elapsed());
    let lease = keeper.stop().await;
    let recorded = host
        .with_retries(|| host.engine.storage().end_run(&run, &lease))
        .await;
    if let Err(error) = recorded {
        tracing::error!(%job, run = %run.id, %error, "the end of a run was not recorded; its lease runs out");
    }
    let (done, failed) = (run.summary.done, run.summary.failed);
    let error = run.summary.error.as_deref();
    tracing::info!(%job, run = %run.id, state = ?run.state, done, failed, error, "a job ends");
    Finished { run, is_complete }
}

fn meters_of(job: JobName, run: &JobRun, took: std::time::Duration) {
    crate::meters::run_ended(job, run.state, took);
    if run.state == RunState::Succeeded
        && let Some(ended_at) = run.ended_at
    {
        crate::meters::succeeded(job, ended_at);
    }
}
