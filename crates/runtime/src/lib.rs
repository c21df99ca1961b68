//! What the two programs share: settings, log, opening and closing of database and cache, start errors, metrics.
//!
//! Puts nothing together: each program builds its own engine, routes or runner from these parts.

mod cache;
mod database;
mod duration;
mod job_args;
mod log;
mod metrics;
mod metrics_page;
mod output;
mod provider_args;
mod readiness;
mod rule_args;
mod schedules;
mod start_error;
mod stop;
mod value;

pub use cache::{CacheArgs, OpenCache};
pub use database::{DatabaseArgs, MissingFile, OpenDatabase};
pub use duration::{parse_duration, parse_duration_or_zero};
pub use job_args::JobArgs;
pub use log::{LogArgs, LogFormat, LogLevel};
pub use metrics::Metrics;
pub use metrics_page::{MetricsArgs, MetricsPage};
pub use output::{print, print_error, report};
pub use provider_args::{OpenProvider, ProviderArgs};
pub use readiness::Readiness;
pub use rule_args::RuleArgs;
pub use schedules::ScheduleArgs;
pub use start_error::StartError;
pub use stop::StopSignal;
pub use value::{address, secret, whole};
