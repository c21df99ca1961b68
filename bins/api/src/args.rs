//! What can be said on the command line and in the environment. `--help` is the reference.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use api_types::Label;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use quota_core::ids::{FeatureCode, PlanCode};
use quota_core::ports::KeyScope;
use quota_service::EngineSettings;
use runtime::{
    CacheArgs, DatabaseArgs, JobArgs, LogArgs, MetricsArgs, ProviderArgs, RuleArgs, ScheduleArgs,
    address, parse_duration, parse_duration_or_zero, whole,
};
use uuid::Uuid;

/// How long requests are still taken after SIGTERM: load balancers look every few seconds.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Short for `api serve --demo`.
const DEMO: &str = "--demo";

/// The quota engine's API: who may do how much of what, until when, and who pays.
#[derive(Debug, Parser)]
#[command(
    name = "api",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "`api --demo` is short for `api serve --demo`. `api COMMAND --help` lists the settings of a command."
)]
pub(crate) struct ApiArgs {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl ApiArgs {
    /// Reads the command line of this process; ends it where that is wrong.
    pub(crate) fn read() -> Self {
        Self::parse_from(with_serve(std::env::args_os().collect()))
    }
}

/// Puts in the `serve` that may be left out before `--demo`.
fn with_serve(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.get(1).is_some_and(|first| first == DEMO) {
        words.insert(1, OsString::from("serve"));
    }
    words
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer requests until SIGTERM.
    Serve(Box<ServeArgs>),
    /// Bring the database's schema up to date; a SQLite file is made if it is missing.
    Migrate(StoreArgs),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Plan and apply catalogs from files.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Bring users, orgs and what belongs to them from an older system: a JSON object a line.
    Import(Box<ImportArgs>),
    /// Fill a database with things to try.
    #[command(subcommand)]
    Demo(DemoCommand),
}

/// Lines that were carried out before change nothing: a run that broke off is run again. Exit code 1 where a line was refused.
/// docs/IMPORT.md describes the lines.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// One JSON object a line, each with a `type`: org, user, token, customer, subscription, override, usage, credits, payment;
    /// `-` is standard input.
    pub(crate) file: PathBuf,
    /// Say what would become of the lines, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Pass over so many lines at the beginning.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) after_line: u64,
    /// Write refused lines into this file, each as JSON with its number, field, sentence, and the line as it was.
    #[arg(long, value_name = "FILE")]
    pub(crate) refused: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
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
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the keys, without their secrets.
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Revoke a key.
    Revoke {
        /// The key's id, as `keys list` shows it.
        #[arg(value_parser = key_id)]
        id: Uuid,
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Show what applying a file would change, and who would be over the limit.
    Plan {
        #[command(flatten)]
        catalog: CatalogArgs,
        #[command(flatten)]
        sale: SaleArgs,
    },
    /// Apply a file. Features and plans that it leaves out are removed; those that accounts hold must be named.
    Apply {
        #[command(flatten)]
        catalog: CatalogArgs,
        #[command(flatten)]
        sale: SaleArgs,
        /// Remove this feature although accounts hold it; may be repeated.
        #[arg(long = "removing-feature", value_name = "CODE", value_parser = FeatureCode::new)]
        features: Vec<FeatureCode>,
        /// Remove this plan although accounts hold it; may be repeated.
        #[arg(long = "removing-plan", value_name = "CODE", value_parser = PlanCode::new)]
        plans: Vec<PlanCode>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CatalogArgs {
    /// A catalog file, TOML or JSON: by its extension, and by its text where that says neither.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Whether a catalog file is put on sale at Stripe.
#[derive(Debug, Args)]
pub(crate) struct SaleArgs {
    /// Make what the file sells at Stripe too: products, prices, and what the portal lets customers do.
    #[arg(long)]
    pub(crate) sync_stripe: bool,
    #[command(flatten)]
    pub(crate) provider: ProviderArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DemoCommand {
    /// Write the demo's catalogs, users, orgs, tokens, subscriptions and credits.
    Data {
        #[command(flatten)]
        cache: CacheArgs,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// What every command needs.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
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

/// The settings of `api serve`; each has a flag and a name in the environment.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Serve with demo data: five example catalogs, some users and orgs, a fresh admin key.
    #[arg(long)]
    pub(crate) demo: bool,
    #[command(flatten)]
    pub(crate) http: HttpArgs,
    #[command(flatten)]
    pub(crate) queues: QueueArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    #[command(flatten)]
    pub(crate) provider: ProviderArgs,
    #[command(flatten)]
    pub(crate) job: JobArgs,
    #[command(flatten)]
    pub(crate) schedules: ScheduleArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(crate) struct HttpArgs {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, env = "QUOTA_LISTEN", hide_env_values = true, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Serve `/metrics` beside the API without a key.
    #[arg(long, env = "QUOTA_METRICS_OPEN", hide_env_values = true, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub(crate) metrics_open: bool,
    /// Largest body that is read, in bytes.
    #[arg(long, env = "QUOTA_BODY_BYTES_MAX", hide_env_values = true, value_name = "N", default_value_t = 1_048_576, value_parser = whole::<u64>(1024..=104_857_600))]
    pub(crate) body_bytes_max: u64,
    /// Requests at work at once; more are refused with 503.
    #[arg(long, env = "QUOTA_REQUESTS_MAX", hide_env_values = true, value_name = "N", default_value_t = 20_000, value_parser = whole::<u64>(1..=1_000_000))]
    pub(crate) requests_max: u64,
    /// Longest time for one request.
    #[arg(long, env = "QUOTA_REQUEST_TIMEOUT", hide_env_values = true, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub(crate) request_timeout: Duration,
    /// How long requests are still taken after SIGTERM, while `/readyz` says 503; 5s unless set, and 0s for a demo.
    #[arg(long, env = "QUOTA_DRAIN_TIME", hide_env_values = true, value_name = "TIME", value_parser = parse_duration_or_zero)]
    drain_time: Option<Duration>,
    /// Longest time that a stop then waits for requests that were taken.
    #[arg(long, env = "QUOTA_STOP_TIMEOUT", hide_env_values = true, value_name = "TIME", default_value = "15s", value_parser = parse_duration)]
    pub(crate) stop_timeout: Duration,
    /// Whether this process runs the jobs on their schedule.
    #[arg(long, env = "QUOTA_JOBS", hide_env_values = true, value_enum, default_value_t = Jobs::Auto)]
    pub(crate) jobs: Jobs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Queues")]
pub(crate) struct QueueArgs {
    /// Queues that work side by side.
    #[arg(long, env = "QUOTA_SHARDS", hide_env_values = true, value_name = "N", default_value_t = 2, value_parser = whole::<u64>(1..=256))]
    shards: u64,
    /// Requests that may wait in one queue; more are refused with 503.
    #[arg(long, env = "QUOTA_QUEUE_MAX", hide_env_values = true, value_name = "N", default_value_t = 10_000, value_parser = whole::<u64>(1..=1_000_000))]
    queue_max: u64,
    /// Requests that are committed together at most.
    #[arg(long, env = "QUOTA_BATCH_MAX", hide_env_values = true, value_name = "N", default_value_t = 512, value_parser = whole::<u64>(1..=10_000))]
    batch_max: u64,
    /// How long a request may wait for its answer in the queue and the database.
    #[arg(long, env = "QUOTA_DEADLINE", hide_env_values = true, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
    deadline: Duration,
    /// Homes whose state each queue keeps in memory between batches, counted by their accounts; 0 reads it for every batch.
    #[arg(long, env = "QUOTA_HOMES_KEPT", hide_env_values = true, value_name = "N", default_value_t = 20_000, value_parser = whole::<u64>(0..=10_000_000))]
    homes_kept: u64,
}

impl ServeArgs {
    /// The database and the cache. The demo keeps to its own file and process: what the shell has set belongs to
    /// another installation.
    pub(crate) fn places(&self) -> (DatabaseArgs, CacheArgs) {
        let (mut database, mut cache) = (self.store.database.clone(), self.cache.clone());
        if self.demo {
            let file = database.sqlite_file.display();
            if database.database_url.is_some() {
                tracing::warn!("DATABASE_URL is ignored: the demo uses the SQLite file {file}");
            }
            if cache.redis_url.is_some() {
                tracing::warn!("REDIS_URL is ignored: the demo keeps its cache in this process");
            }
            (database.database_url, cache.redis_url) = (None, None);
        }
        (database, cache)
    }

    pub(crate) fn drain_time(&self) -> Duration {
        let usual = if self.demo {
            Duration::ZERO
        } else {
            DRAIN_TIME
        };
        self.http.drain_time.unwrap_or(usual)
    }

    pub(crate) fn engine_settings(&self) -> EngineSettings {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let queues = &self.queues;
        EngineSettings {
            shards: count(queues.shards),
            queue_max: count(queues.queue_max),
            batch_max: count(queues.batch_max),
            deadline: queues.deadline,
            homes_kept: count(queues.homes_kept),
            ..self.rules.engine_settings()
        }
    }
}

impl Command {
    /// How this command logs.
    pub(crate) fn log(&self) -> &LogArgs {
        let store = match self {
            Self::Serve(args) => &args.store,
            Self::Import(args) => &args.store,
            Self::Migrate(store)
            | Self::Keys(
                KeysCommand::Create { store, .. }
                | KeysCommand::List { store }
                | KeysCommand::Revoke { store, .. },
            )
            | Self::Catalog(
                CatalogCommand::Plan {
                    catalog: CatalogArgs { store, .. },
                    ..
                }
                | CatalogCommand::Apply {
                    catalog: CatalogArgs { store, .. },
                    ..
                },
            )
            | Self::Demo(DemoCommand::Data { store, .. }) => store,
        };
        &store.log
    }
}

fn key_id(text: &str) -> Result<Uuid, String> {
    let wrong = "is no key's id: `api keys list` shows those that there are";
    Uuid::try_parse(text).map_err(|_| wrong.to_owned())
}
