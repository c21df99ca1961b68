//! What is counted of the jobs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use quota_core::ports::RunState;

use crate::JobName;

/// Describes the metrics of this crate to the recorder.
pub fn describe_metrics() {
    metrics::describe_counter!("quota_job_runs_total", "Runs of a job that ended, by state");
    metrics::describe_histogram!("quota_job_duration_seconds", "Time of a run of a job");
    metrics::describe_gauge!(
        "quota_job_last_success_timestamp",
        "When a job last succeeded, in seconds since 1970"
    );
    metrics::describe_counter!(
        "quota_audit_findings_total",
        "Broken invariants that an audit found"
    );
}

/// A run that ended.
pub(crate) fn run_ended(job: JobName, state: RunState, took: Duration) {
    let state = match state {
        RunState::Running => "running",
        RunState::Succeeded => "succeeded",
        RunState::Failed => "failed",
        RunState::Stopped => "stopped",
        RunState::Lost => "lost",
    };
    metrics::counter!("quota_job_runs_total", "job" => job.as_str(), "state" => state).increment(1);
    metrics::histogram!("quota_job_duration_seconds", "job" => job.as_str())
        .record(took.as_secs_f64());
}

/// Everything was done by then.
pub(crate) fn succeeded(job: JobName, at: DateTime<Utc>) {
    let seconds = u32::try_from(at.timestamp()).unwrap_or(0);
    metrics::gauge!("quota_job_last_success_timestamp", "job" => job.as_str())
        .set(f64::from(seconds));
}

/// An invariant that an audit found broken.
pub(crate) fn found(invariant: &'static str) {
    metrics::counter!("quota_audit_findings_total", "invariant" => invariant).increment(1);
}
