//! Jobs: leases, and the history of runs and batches.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store_error::StoreError;

/// The right to run a job alone, until it ends. Every write of the job names it, so that a worker that lost it
/// without noticing writes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Name of the job.
    pub name: String,
    /// Who holds it: another name for each run, so that one process does not run a job twice at a time either.
    pub owner: String,
    /// Grows with every new holder.
    pub epoch: u64,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// At work, or its worker died and nobody has found out.
    Running,
    /// Everything that was due was done.
    Succeeded,
    /// Some accounts could not be done.
    Failed,
    /// Stopped on request, with the batch in flight finished.
    Stopped,
    /// Its worker died; found so by the next one.
    Lost,
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// Id of the run; grows with time.
    pub id: Uuid,
    /// Name of the job.
    pub job: String,
    /// Whether an operator or the clock asked for it: `schedule`, `manual`, or the actor's name.
    pub asked_by: String,
    /// The only account, the only features, as asked.
    pub filter: Option<String>,
    /// The process that runs it.
    pub owner: String,
    /// When it was entered.
    pub started_at: DateTime<Utc>,
    /// When it ended; none while it runs, or when its worker died unnoticed.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it stands, or how it ended.
    pub state: RunState,
    /// What it came to.
    pub summary: RunSummary,
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Accounts, homes, events or rows that were done.
    pub done: u64,
    /// Those that could not be done after all tries.
    pub failed: u64,
    /// The last error, in words.
    pub error: Option<String>,
}

/// One batch of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRecord {
    /// Id of the run that it is part of.
    pub run: Uuid,
    /// Its number in the run, from 1.
    pub number: u32,
    /// When the last of it was done.
    pub ended_at: DateTime<Utc>,
    /// What it came to.
    pub summary: RunSummary,
}

/// Leases of jobs, and the history of their runs and batches.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Takes or renews a lease until `until`, if it is free, has run out by `now`, or is the owner's own. A new
    /// holder gets the next epoch. `None` when another holds it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, StoreError>;

    /// Gives a lease back; one that was lost stays with its holder.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn give_lease_back(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Stores a run, new or changed. A run that begins marks earlier ones of the same job that are still
    /// `running` as lost.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_run(&self, run: &JobRun) -> Result<(), StoreError>;

    /// Ends a run that was stored before, and gives its lease back, together: who reads that a run has ended can start
    /// the next one. A lease that was lost stays with its holder.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; then neither happened, or both did.
    async fn end_run(&self, run: &JobRun, lease: &Lease) -> Result<(), StoreError>;

    /// Adds a batch to the history of its run.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    async fn put_batch(&self, batch: &BatchRecord) -> Result<(), StoreError>;

    /// The run with this id, however old it is.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn run(&self, id: Uuid) -> Result<Option<JobRun>, StoreError>;

    /// The newest runs, of one job or of all.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<JobRun>, StoreError>;

    /// The batches of a run by number.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    async fn batches(&self, run: Uuid) -> Result<Vec<BatchRecord>, StoreError>;
}
