//! The jobs by name, and when each runs unless the settings say otherwise.

use std::fmt;
use std::str::FromStr;

use crate::JobError;

/// A job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobName {
    /// Marks subscriptions that ended, zeroes their consumable counters, tells who listens (S9).
    ExpireSubscriptions,
    /// Closes ended daily windows, and those of subscription periods, in the books (W5).
    ResetDaily,
    /// Closes ended monthly windows in the books (W5).
    ResetMonthly,
    /// Ends holds past their deadline in the books (R4).
    SweepReservations,
    /// Tells the sink of events that wait in the outbox.
    DispatchOutbox,
    /// Removes what nobody needs any more.
    Prune,
    /// Checks the invariants of every home touched since the last audit that found all in order.
    Audit,
    /// Checks the invariants of every home.
    AuditFull,
}

impl JobName {
    /// All jobs.
    pub const ALL: [Self; 8] = [
        Self::ExpireSubscriptions,
        Self::ResetDaily,
        Self::ResetMonthly,
        Self::SweepReservations,
        Self::DispatchOutbox,
        Self::Prune,
        Self::Audit,
        Self::AuditFull,
    ];

    /// The name in history, metrics, settings and addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExpireSubscriptions => "expire_subscriptions",
            Self::ResetDaily => "reset_daily",
            Self::ResetMonthly => "reset_monthly",
            Self::SweepReservations => "sweep_reservations",
            Self::DispatchOutbox => "dispatch_outbox",
            Self::Prune => "prune",
            Self::Audit => "audit",
            Self::AuditFull => "audit_full",
        }
    }

    /// When it runs by default, as a cron expression.
    pub fn default_cron(self) -> &'static str {
        match self {
            Self::ExpireSubscriptions => "15 0 * * *",
            Self::ResetDaily => "5 0 * * *",
            Self::ResetMonthly => "10 0 1 * *",
            Self::SweepReservations => "*/5 * * * * *",
            Self::DispatchOutbox => "*/2 * * * * *",
            Self::Prune => "30 3 * * *",
            Self::Audit => "*/5 * * * *",
            Self::AuditFull => "30 4 * * *",
        }
    }

    /// Whether one account can be asked for.
    pub fn takes_account(self) -> bool {
        !matches!(self, Self::DispatchOutbox | Self::Prune)
    }

    /// Whether some features can be asked for.
    pub fn takes_features(self) -> bool {
        matches!(self, Self::ResetDaily | Self::ResetMonthly)
    }

    /// Whether it runs so often that a run with nothing to do leaves no record.
    pub(crate) fn is_frequent(self) -> bool {
        matches!(
            self,
            Self::SweepReservations | Self::DispatchOutbox | Self::Audit
        )
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobName {
    type Err = JobError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| JobError::UnknownJob {
            name: text.to_owned(),
        })
    }
}
