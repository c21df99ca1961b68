//! The jobs: expiry, the closing of windows, sweeps, the outbox, pruning and the audit, on a schedule or by hand.
//!
//! Nothing depends on a job being on time: windows, expiry and holds are computed from the clock. Every command that
//! a job gives is idempotent, so a run that died is carried on by the next one.
//!
//! Knows no database, no cache and no protocol; holds no rule.

mod auditing;
mod backoff;
mod due_accounts;
mod error;
mod filter;
mod host;
mod job;
mod lease;
mod meters;
mod name;
mod registry;
mod run;
mod runner;
mod runs;
mod schedule;
mod scheduler;
mod settings;
mod sink;
pub mod work;

pub use error::JobError;
pub use filter::JobFilter;
pub use job::{JobSpec, Rhythm};
pub use meters::describe_metrics;
pub use name::JobName;
pub use runner::{JobInfo, Runner};
pub use schedule::{InvalidSchedule, Schedule};
pub use settings::JobSettings;
pub use sink::LogSink;
