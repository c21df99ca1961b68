//! What can be said on the command line and in the environment. `--help` is the reference.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jobs::JobName;
use quota_core::ids::{AccountId, FeatureCode};
use secrecy::SecretString;

use crate::duration::parse_duration;
use crate::schedules::Schedules;

/// The quota engine's worker: expiry, resets, sweeps, the outbox, pruning and the audit.
#[derive(Debug, Parser)]
#[command(name = "worker", version, max_term_width = 100)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do; `run` when nothing is said.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Run every job on its schedule until SIGTERM.
    Run,
    /// Run one job to its end; exits with 1 unless it succeeds.
    RunJob {
        /// The job; `worker jobs` lists them.
        #[arg(value_parser = job_name)]
        name: JobName,
        /// Only this account: `user:ID` or `org:ID`.
        #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
        account: Option<AccountId>,
        /// Only this feature; may be given several times.
        #[arg(long = "feature", value_name = "CODE", value_parser = FeatureCode::new)]
        features: Vec<FeatureCode>,
    },
    /// List the jobs with their schedules and their last runs.
    Jobs,
}

fn job_name(text: &str) -> Result<JobName, jobs::JobError> {
    text.parse()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The settings; each has a flag and a name in the environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Settings {
    /// `postgres://user:password@host:port/database`, or `sqlite://FILE`; without it `--sqlite-file`.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true, value_name = "URL", value_parser = secret)]
    pub(crate) database_url: Option<SecretString>,
    /// The SQLite file, made if it is missing.
    #[arg(
        long,
        env = "SQLITE_FILE",
        global = true,
        hide_env_values = true,
        value_name = "FILE",
        default_value = "quota.db"
    )]
    pub(crate) sqlite_file: PathBuf,
    /// Most connections to PostgreSQL.
    #[arg(long, env = "DATABASE_CONNECTIONS", global = true, hide_env_values = true, value_name = "N", default_value_t = 5, value_parser = whole::<u32>(1..=1000))]
    pub(crate) database_connections: u32,
    /// `redis://user:password@host:port/database`; without it nobody else is told of events.
    #[arg(long, env = "REDIS_URL", global = true, hide_env_values = true, value_name = "URL", value_parser = secret)]
    pub(crate) redis_url: Option<SecretString>,
    /// First part of every key in Redis.
    #[arg(
        long,
        env = "REDIS_PREFIX",
        global = true,
        hide_env_values = true,
        value_name = "TEXT",
        default_value = "q"
    )]
    pub(crate) redis_prefix: String,
    /// How log lines look.
    #[arg(long, env = "LOG_FORMAT", global = true, hide_env_values = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// From which level on lines are logged.
    #[arg(long, env = "LOG_LEVEL", global = true, hide_env_values = true, value_enum, default_value_t = LogLevel::Info)]
    pub(crate) log_level: LogLevel,
    /// Where to serve `/metrics`, such as 127.0.0.1:9090; nowhere without it.
    #[arg(
        long,
        env = "METRICS_LISTEN",
        global = true,
        hide_env_values = true,
        value_name = "ADDRESS",
        value_parser = address
    )]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// How long a past-due subscription stays in force.
    #[arg(long, env = "GRACE", global = true, hide_env_values = true, value_name = "TIME", default_value = "72h", value_parser = parse_duration)]
    pub(crate) grace: Duration,
    /// Accounts, homes or events in one batch of a job.
    #[arg(long, env = "JOB_BATCH_MAX", global = true, hide_env_values = true, value_name = "N", default_value_t = 50, value_parser = whole::<u32>(1..=1000))]
    pub(crate) job_batch_max: u32,
    /// Tries of an account that failed, after the first, each later than the one before.
    #[arg(long, env = "JOB_RETRIES_MAX", global = true, hide_env_values = true, value_name = "N", default_value_t = 5, value_parser = whole::<u32>(0..=20))]
    pub(crate) job_retries_max: u32,
    /// After how long a dead worker's job is taken over; 5s to 1h.
    #[arg(long, env = "JOB_LEASE", global = true, hide_env_values = true, value_name = "TIME", default_value = "60s", value_parser = lease)]
    pub(crate) job_lease: Duration,
    /// How long published events, ended reservations and records of runs are kept.
    #[arg(long, env = "JOB_RECORDS_KEPT", global = true, hide_env_values = true, value_name = "TIME", default_value = "35d", value_parser = kept)]
    pub(crate) job_records_kept: Duration,
    #[command(flatten)]
    pub(crate) schedules: Schedules,
}

// A wrong URL is found later, by whoever uses it: an error of clap would show it.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text.to_owned()))
}

/// Reads a whole number within bounds.
fn whole<T>(bounds: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        number.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = |_| "must be an address and port, such as 127.0.0.1:9090".to_owned();
    text.parse().map_err(wrong)
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
