//! Jobs and their runs.

use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, FeatureCode};
use quota_core::ports::RunState;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A job: when it runs, and how its last run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobBody {
    /// Its name, by which it is run.
    #[cfg_attr(feature = "openapi", schema(example = "reset_daily"))]
    pub name: String,
    /// When it runs: a cron expression, or `never`.
    #[cfg_attr(feature = "openapi", schema(example = "5 0 * * *"))]
    pub schedule: String,
    /// The time zone of the schedule, by its name in the tz database.
    pub zone: String,
    /// When it runs next by its schedule; absent when it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<DateTime<Utc>>,
    /// Its newest run, at work or ended; a frequent job that found nothing to do leaves none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<RunBody>,
}

/// Every job that this process can run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobList {
    /// The jobs, with their schedules and last runs.
    pub items: Vec<JobBody>,
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunBody {
    /// Id of the run.
    pub id: Uuid,
    /// Name of the job.
    pub job: String,
    /// Who started it: `schedule`, `manual`, or the name of an API key.
    pub asked_by: String,
    /// The account and features that it was limited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The process that runs it, or ran it.
    pub owner: String,
    /// When a worker took it up.
    pub started_at: DateTime<Utc>,
    /// When it ended; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// What became of it; `running` while it is at work.
    pub state: RunState,
    /// How many accounts, homes, events or rows were processed.
    pub done: u64,
    /// How many failed after all retries.
    pub failed: u64,
    /// The last error, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The newest runs of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunList {
    /// The runs, newest first.
    pub items: Vec<RunBody>,
}

/// One batch of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunBatchBody {
    /// Its number in the run, from 1.
    pub number: u32,
    /// When the last of it was done.
    pub ended_at: DateTime<Utc>,
    /// How many accounts, homes, events or rows were processed in this batch.
    pub done: u64,
    /// How many failed in this batch.
    pub failed: u64,
    /// The last error, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The batches of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunBatchList {
    /// The batches, by number.
    pub items: Vec<RunBatchBody>,
}

/// What to limit a run to; everything when empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunJobBody {
    /// Only this account, instead of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "user:alice"))]
    pub account: Option<AccountId>,
    /// Only this feature; the same as one in `features`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// Only these features, instead of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureCode>,
}
