//! What the routes ask of whoever runs the jobs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, FeatureCode};
use quota_core::ports::{BatchRecord, JobRun};
use quota_service::EngineError;
use uuid::Uuid;

/// A job that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// Its name.
    pub name: String,
    /// When it runs by itself: a cron expression, or `never`.
    pub schedule: String,
    /// The zone that the expression is meant in.
    pub zone: String,
    /// When it is due next.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Its newest run.
    pub last_run: Option<JobRun>,
}

/// A run by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAsk {
    /// The job.
    pub job: String,
    /// Only this account.
    pub account: Option<AccountId>,
    /// Only these features; all when empty.
    pub features: Vec<FeatureCode>,
    /// Who asks.
    pub actor: String,
}

/// Why a job was not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobControlError {
    /// There is no job of this name.
    #[error("there is no such job")]
    UnknownJob,
    /// There is no run with this id, or no longer.
    #[error("there is no such run")]
    UnknownRun,
    /// Somebody else runs it now.
    #[error("the job is at work elsewhere")]
    AtWork,
    /// The job does not take what was asked.
    #[error("{why}")]
    Invalid {
        /// The field of the request: `account` or `feature`.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The engine or its store failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Whoever runs the jobs.
#[async_trait]
pub trait JobControl: Send + Sync {
    /// The jobs that there are.
    async fn list(&self) -> Result<Vec<JobInfo>, JobControlError>;

    /// Begins a run and gives back its record; the run goes on when the caller leaves.
    async fn run(&self, ask: RunAsk) -> Result<JobRun, JobControlError>;

    /// The newest runs of a job.
    async fn runs(&self, job: &str, limit: u32) -> Result<Vec<JobRun>, JobControlError>;

    /// The batches of a run.
    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, JobControlError>;
}
