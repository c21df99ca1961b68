//! What the routes ask of whoever runs the jobs.

use async_trait::async_trait;
use quota_core::ids::{AccountId, FeatureCode};
use quota_core::ports::{BatchRecord, JobRun, StoreError};
use uuid::Uuid;

/// A job that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// Its name.
    pub name: String,
    /// When it runs by itself, as a cron line, if it does.
    pub schedule: Option<String>,
    /// What it does.
    pub description: String,
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
    /// There is no run with this id.
    #[error("there is no such run")]
    UnknownRun,
    /// Somebody else runs it now.
    #[error("the job is at work elsewhere")]
    AtWork,
    /// The job does not take what was asked.
    #[error("{why}")]
    Invalid {
        /// The field of the request: `account` or `features`.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Whoever runs the jobs.
#[async_trait]
pub trait JobControl: Send + Sync {
    /// The jobs that there are.
    async fn list(&self) -> Vec<JobInfo>;

    /// Begins a run and gives back its record; the run goes on when the caller leaves.
    async fn run(&self, ask: RunAsk) -> Result<JobRun, JobControlError>;

    /// The newest runs of a job.
    async fn runs(&self, job: &str, limit: u32) -> Result<Vec<JobRun>, JobControlError>;

    /// The batches of a run.
    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, JobControlError>;
}
