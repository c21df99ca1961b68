//! How jobs work, wherever they run.

use std::time::Duration;

use clap::Args;
use jobs::JobSettings;

use crate::rule_args::span;
use crate::{ScheduleArgs, parse_duration, whole};

/// How jobs work, in the worker or in an `api` that runs them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Jobs")]
pub struct JobArgs {
    /// Accounts, homes or events in one batch of a job.
    #[arg(long, env = "QUOTA_JOB_BATCH_MAX", hide_env_values = true, value_name = "N", default_value_t = 50, value_parser = whole::<u32>(1..=1000))]
    pub job_batch_max: u32,
    /// How often an account that failed is tried again, each time later than before.
    #[arg(long, env = "QUOTA_JOB_RETRIES_MAX", hide_env_values = true, value_name = "N", default_value_t = 5, value_parser = whole::<u32>(0..=20))]
    pub job_retries_max: u32,
    /// After how long a dead process's job is taken over; 5s to 1h.
    #[arg(long, env = "QUOTA_JOB_LEASE", hide_env_values = true, value_name = "TIME", default_value = "60s", value_parser = lease)]
    pub job_lease: Duration,
    /// How long events, ended reservations and job records are kept; at least 1d.
    #[arg(long, env = "QUOTA_JOB_RECORDS_KEPT", hide_env_values = true, value_name = "TIME", default_value = "35d", value_parser = kept)]
    pub job_records_kept: Duration,
    /// So many days before credits expire their account is told, with commas between the bounds, 1 to 366 each; `0` tells nothing.
    #[arg(long, env = "QUOTA_EXPIRY_WARNING_DAYS", hide_env_values = true, value_name = "DAYS", default_value = "7,1", value_delimiter = ',', value_parser = whole::<u32>(0..=366))]
    pub expiry_warning_days: Vec<u32>,
}

impl JobArgs {
    /// The settings of a runner that also runs jobs by itself, at these times.
    pub fn settings(&self, schedules: &ScheduleArgs) -> JobSettings {
        JobSettings {
            batch_max: self.job_batch_max,
            lease_kept: self.job_lease,
            retries_max: self.job_retries_max,
            kept: span(self.job_records_kept),
            expiry_warning_days: bounds(&self.expiry_warning_days),
            ..JobSettings::with_schedules(schedules.0.clone())
        }
    }
}

/// The bounds that are any: 0 stands for none.
fn bounds(days: &[u32]) -> Vec<u32> {
    days.iter().copied().filter(|days| *days != 0).collect()
}

fn lease(text: &str) -> Result<Duration, String> {
    let span = parse_duration(text)?;
    let allowed = Duration::from_secs(5)..=Duration::from_hours(1);
    if allowed.contains(&span) {
        return Ok(span);
    }
    Err("must be from 5s to 1h".to_owned())
}

fn kept(text: &str) -> Result<Duration, String> {
    let span = parse_duration(text)?;
    if span >= Duration::from_hours(24) {
        return Ok(span);
    }
    Err("must be at least 1d".to_owned())
}
