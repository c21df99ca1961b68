//! The jobs: expiry, resets, sweeps, the outbox, pruning and the audit, on a schedule or by hand.
//!
//! Nothing depends on a job being on time: windows, expiry and holds are computed from the clock. Every command that
//! a job gives is idempotent, so a run that died is carried on by the next one.
//!
//! Knows no database, no cache and no protocol; holds no rule.

mod backoff;
mod error;
mod filter;
mod lease;
mod meters;
mod name;
mod runner;
mod schedule;
mod scheduler;
mod settings;
mod sink;
mod work;

pub use error::JobError;
pub use filter::JobFilter;
pub use meters::describe_metrics;
pub use name::JobName;
pub use runner::{JobInfo, Runner};
pub use schedule::{InvalidSchedule, Schedule};
pub use settings::JobSettings;
pub use sink::LogSink;
