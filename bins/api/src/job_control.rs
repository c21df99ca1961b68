//! The jobs as the routes see them.

use std::str::FromStr as _;

use async_trait::async_trait;
use http_api::{JobControl, JobControlError, JobInfo, RunAsk};
use jobs::{JobError, JobFilter, JobName, Runner};
use quota_core::ports::{BatchRecord, JobRun};
use quota_service::EngineError;
use uuid::Uuid;

/// A runner behind the routes.
pub(crate) struct RunnerControl(pub(crate) Runner);

fn refused(error: JobError) -> JobControlError {
    match error {
        JobError::UnknownJob { .. } => JobControlError::UnknownJob,
        JobError::UnknownRun { .. } => JobControlError::UnknownRun,
        JobError::AlreadyRunning { .. } => JobControlError::AtWork,
        JobError::Filter { what, .. } => JobControlError::Invalid {
            field: what,
            why: error.to_string(),
        },
        JobError::Engine(error) => JobControlError::Engine(error),
        JobError::Store(error) => JobControlError::Engine(EngineError::Store(error)),
        JobError::Stopping => JobControlError::Engine(EngineError::Stopping),
        // A run that was only begun does not crash here; whatever else comes, try again later.
        _ => JobControlError::Engine(EngineError::Busy),
    }
}

fn named(job: &str) -> Result<JobName, JobControlError> {
    JobName::from_str(job).map_err(refused)
}

#[async_trait]
impl JobControl for RunnerControl {
    async fn list(&self) -> Result<Vec<JobInfo>, JobControlError> {
        let jobs = self.0.list().await.map_err(refused)?.into_iter();
        let listed = jobs.map(|job| JobInfo {
            name: job.name.to_string(),
            schedule: job.schedule,
            zone: job.zone,
            next_run_at: job.next_run_at,
            last_run: job.last_run,
        });
        Ok(listed.collect())
    }

    async fn run(&self, ask: RunAsk) -> Result<JobRun, JobControlError> {
        let filter = JobFilter {
            account: ask.account,
            features: ask.features,
        };
        let job = named(&ask.job)?;
        self.0.start(job, filter, &ask.actor).await.map_err(refused)
    }

    async fn runs(&self, job: &str, limit: u32) -> Result<Vec<JobRun>, JobControlError> {
        let job = named(job)?;
        self.0.runs(Some(job), limit).await.map_err(refused)
    }

    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, JobControlError> {
        self.0.batches(run).await.map_err(refused)
    }
}
