//! What can be said on the command line and in the environment. `--help` is the reference.

use clap::{Args, Parser, Subcommand};
use jobs::JobName;
use quota_core::ids::{AccountId, FeatureCode};
use runtime::{
    CacheArgs, DatabaseArgs, JobArgs, LogArgs, MetricsArgs, ProviderArgs, RuleArgs, ScheduleArgs,
};

/// The quota engine's worker: expiry, resets, sweeps, the outbox, pruning and the audit.
#[derive(Debug, Parser)]
#[command(
    name = "worker",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "`worker COMMAND --help` lists the settings of a command."
)]
pub(crate) struct WorkerArgs {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every job on its schedule until SIGTERM.
    Run(Box<RunArgs>),
    /// Run one job to its end; exits with 1 unless it succeeds.
    RunJob(Box<RunJobArgs>),
    /// List the jobs with their schedules and their last runs.
    Jobs(Box<JobsArgs>),
}

/// The settings of `worker run`; each has a flag and a name in the environment.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) schedules: ScheduleArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RunJobArgs {
    /// The job; `worker jobs` lists them.
    #[arg(value_parser = job_name)]
    pub(crate) name: JobName,
    /// Only this account: `user:ID` or `org:ID`.
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub(crate) account: Option<AccountId>,
    /// Only this feature; may be given several times.
    #[arg(long = "feature", value_name = "CODE", value_parser = FeatureCode::new)]
    pub(crate) features: Vec<FeatureCode>,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct JobsArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) schedules: ScheduleArgs,
}

/// What a runner of jobs is made from.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
    #[command(flatten)]
    pub(crate) provider: ProviderArgs,
    #[command(flatten)]
    pub(crate) job: JobArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

impl Command {
    /// How this command logs.
    pub(crate) fn log(&self) -> &LogArgs {
        match self {
            Self::Run(args) => &args.work.log,
            Self::RunJob(args) => &args.work.log,
            Self::Jobs(args) => &args.work.log,
        }
    }
}

fn job_name(text: &str) -> Result<JobName, jobs::JobError> {
    text.parse()
}
