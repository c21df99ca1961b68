//! Jobs that only say what they would do.

use async_trait::async_trait;
use http_api::{JobControl, JobControlError, JobInfo, RunAsk};
use quota_core::ports::{BatchRecord, JobRun, RunState, RunSummary};
use uuid::Uuid;

use crate::api::noon;

/// `prune` runs, `audit` is at work elsewhere, and there are no others.
pub(crate) struct ToldJobs;

fn run(job: &str) -> JobRun {
    JobRun {
        id: Uuid::nil(),
        job: job.to_owned(),
        asked_by: "schedule".to_owned(),
        filter: Some("user:ann".to_owned()),
        owner: "test".to_owned(),
        started_at: noon(),
        ended_at: Some(noon()),
        state: RunState::Failed,
        summary: RunSummary {
            done: 1,
            failed: 1,
            error: Some("it would not".to_owned()),
        },
    }
}

#[async_trait]
impl JobControl for ToldJobs {
    async fn list(&self) -> Result<Vec<JobInfo>, JobControlError> {
        Ok(vec![JobInfo {
            name: "prune".to_owned(),
            schedule: "30 3 * * *".to_owned(),
            zone: "UTC".to_owned(),
            next_run_at: Some(noon()),
            last_run: Some(run("prune")),
        }])
    }

    async fn run(&self, ask: RunAsk) -> Result<JobRun, JobControlError> {
        match ask.job.as_str() {
            "prune" => Ok(run("prune")),
            "audit" => Err(JobControlError::AtWork),
            _ => Err(JobControlError::UnknownJob),
        }
    }

    async fn runs(&self, job: &str, _limit: u32) -> Result<Vec<JobRun>, JobControlError> {
        match job {
            "prune" => Ok(vec![run("prune")]),
            _ => Err(JobControlError::UnknownJob),
        }
    }

    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, JobControlError> {
        let batch = BatchRecord {
            run,
            number: 1,
            ended_at: noon(),
            summary: RunSummary {
                done: 1,
                failed: 0,
                error: None,
            },
        };
        Ok(vec![batch])
    }
}
