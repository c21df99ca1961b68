//! What can be said on the command line and in the environment. `--help` is the reference.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use http_api::Label;
use quota_core::ports::KeyScope;
use secrecy::SecretString;
use uuid::Uuid;

use crate::duration::parse_duration;

/// The quota engine's API: who may do how much of what, until when, and who pays.
#[derive(Debug, Parser)]
#[command(
    name = "api",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct ApiArgs {
    /// Serve with demo data: four example catalogs, some users and orgs, a fresh admin key.
    #[arg(long, global = true)]
    pub(crate) demo: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer requests until SIGTERM.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// API keys.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Plans as code.
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Things to try.
    Demo {
        #[command(subcommand)]
        command: DemoCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print its secret, once.
    Create {
        /// What it is for; booked as the actor of what is done with it.
        name: Label,
        /// What it may do.
        #[arg(long, value_enum, default_value_t = Scope::Write)]
        scope: Scope,
    },
    /// List the keys, without their secrets.
    List,
    /// Revoke a key.
    Revoke {
        /// The key's id, as `keys list` shows it.
        id: Uuid,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Show what applying a file would change, and who would be over the limit.
    Plan {
        /// A catalog file, TOML.
        file: PathBuf,
    },
    /// Apply a file.
    Apply {
        /// A catalog file, TOML.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DemoCommand {
    /// Write the demo's catalogs, users, orgs, tokens, subscriptions and credits.
    Data,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Look.
    Read,
    /// Decide, and change accounts.
    Write,
    /// Everything: catalog, keys, jobs.
    Admin,
}

impl From<Scope> for KeyScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Write => Self::Write,
            Scope::Admin => Self::Admin,
        }
    }
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

/// Whether this process runs the jobs too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Jobs {
    /// With SQLite yes, with PostgreSQL no: the worker does.
    Auto,
    /// On their schedule.
    On,
    /// Only by hand.
    Off,
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
    #[arg(long, env = "DATABASE_CONNECTIONS", global = true, hide_env_values = true, value_name = "N", default_value_t = 10, value_parser = whole::<u32>(1..=1000))]
    pub(crate) database_connections: u32,
    /// `redis://user:password@host:port/database`; without it the cache is in this process.
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
    /// Where to listen; port 0 takes a free one.
    #[arg(
        long,
        env = "LISTEN",
        global = true,
        hide_env_values = true,
        value_name = "ADDRESS",
        value_parser = address,
        default_value = "127.0.0.1:8080"
    )]
    pub(crate) listen: SocketAddr,
    /// How log lines look.
    #[arg(long, env = "LOG_FORMAT", global = true, hide_env_values = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// From which level on lines are logged; `debug` has every request.
    #[arg(long, env = "LOG_LEVEL", global = true, hide_env_values = true, value_enum, default_value_t = LogLevel::Info)]
    pub(crate) log_level: LogLevel,
    /// Whether this process runs the jobs on their schedule.
    #[arg(long, env = "JOBS", global = true, hide_env_values = true, value_enum, default_value_t = Jobs::Auto)]
    pub(crate) jobs: Jobs,
    /// Serve `/metrics` without a key.
    #[arg(long, env = "METRICS_OPEN", global = true, hide_env_values = true, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub(crate) metrics_open: bool,
    /// Largest body that is read, in bytes.
    #[arg(long, env = "BODY_BYTES_MAX", global = true, hide_env_values = true, value_name = "N", default_value_t = 1_048_576, value_parser = whole::<u64>(1024..=104_857_600))]
    pub(crate) body_bytes_max: u64,
    /// Requests at work at once; more are refused with 503.
    #[arg(long, env = "REQUESTS_MAX", global = true, hide_env_values = true, value_name = "N", default_value_t = 20_000, value_parser = whole::<u64>(1..=1_000_000))]
    pub(crate) requests_max: u64,
    /// Longest time for one request.
    #[arg(long, env = "REQUEST_TIMEOUT", global = true, hide_env_values = true, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub(crate) request_timeout: Duration,
    /// Longest time that a stop waits for what was taken.
    #[arg(long, env = "STOP_TIMEOUT", global = true, hide_env_values = true, value_name = "TIME", default_value = "15s", value_parser = parse_duration)]
    pub(crate) stop_timeout: Duration,
    /// How long a past-due subscription stays in force.
    #[arg(long, env = "GRACE", global = true, hide_env_values = true, value_name = "TIME", default_value = "72h", value_parser = parse_duration)]
    pub(crate) grace: Duration,
    /// How long an idempotency key is remembered; at least 7d.
    #[arg(long, env = "KEYS_KEPT", global = true, hide_env_values = true, value_name = "TIME", default_value = "35d", value_parser = parse_duration)]
    pub(crate) keys_kept: Duration,
    /// Queues that work side by side.
    #[arg(long, env = "SHARDS", global = true, hide_env_values = true, value_name = "N", default_value_t = 2, value_parser = whole::<u64>(1..=256))]
    pub(crate) shards: u64,
    /// Requests that may wait in one queue; more are refused with 503.
    #[arg(long, env = "QUEUE_MAX", global = true, hide_env_values = true, value_name = "N", default_value_t = 10_000, value_parser = whole::<u64>(1..=1_000_000))]
    pub(crate) queue_max: u64,
    /// Requests that are committed together at most.
    #[arg(long, env = "BATCH_MAX", global = true, hide_env_values = true, value_name = "N", default_value_t = 512, value_parser = whole::<u64>(1..=10_000))]
    pub(crate) batch_max: u64,
    /// How long a request may wait for its answer in the queue and the database.
    #[arg(long, env = "DEADLINE", global = true, hide_env_values = true, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
    pub(crate) deadline: Duration,
    /// Homes whose state each queue keeps in memory between batches, counted by their accounts; 0 reads it for every batch.
    #[arg(long, env = "HOMES_KEPT", global = true, hide_env_values = true, value_name = "N", default_value_t = 20_000, value_parser = whole::<u64>(0..=10_000_000))]
    pub(crate) homes_kept: u64,
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
    let wrong = |_| "must be an address and port, such as 127.0.0.1:8080".to_owned();
    text.parse().map_err(wrong)
}
