//! What a job is.

use async_trait::async_trait;
use quota_core::ports::StoreError;

use crate::JobName;
use crate::host::Host;
use crate::run::{Ended, Work};

/// What is known of a job besides its work. Settings, documentation and routes are derived from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSpec {
    /// What settings, addresses, the lease and the history call it; no other job has it.
    pub name: JobName,
    /// When it runs by default, as a cron expression.
    pub default_cron: &'static str,
    /// What it does, for the documentation.
    pub does: &'static str,
    /// What it means that it is late, for the documentation.
    pub when_late: &'static str,
    /// Whether a run can be narrowed down to one account.
    pub takes_account: bool,
    /// Whether a run can be narrowed down to some features.
    pub takes_features: bool,
    /// Whether it is about the payment provider: without one no schedule starts it, and a run by hand fails.
    pub needs_provider: bool,
    /// How often it is meant to run.
    pub rhythm: Rhythm,
}

/// How often a job is meant to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Some times a day at most. A run that was missed is made up for.
    Rare,
    /// So often that a run with nothing to do leaves no record.
    Frequent,
    /// Frequent, and at once when a commit of this process leaves events in the outbox. What other processes commit is
    /// found on the schedule.
    OnEvents,
}

impl JobSpec {
    /// A job that takes an account, and runs some times a day at most.
    pub(crate) const fn new(name: JobName, default_cron: &'static str) -> Self {
        Self {
            name,
            default_cron,
            does: "",
            when_late: "",
            takes_account: true,
            takes_features: false,
            needs_provider: false,
            rhythm: Rhythm::Rare,
        }
    }
}

impl Rhythm {
    pub(crate) fn is_frequent(self) -> bool {
        match self {
            Self::Rare => false,
            Self::Frequent | Self::OnEvents => true,
        }
    }
}

/// A job. Every command that it gives must be idempotent: a run that died is carried on by the next.
#[async_trait]
pub(crate) trait Job: Send + Sync {
    /// What is known of it.
    fn spec(&self) -> JobSpec;

    /// Whether there is anything to do; asked of frequent jobs before a run begins.
    async fn has_work(&self, _host: &Host) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// Does its work, batch by batch. An early end is an error.
    async fn run(&self, work: &mut Work) -> Result<(), Ended>;
}
