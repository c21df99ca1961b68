//! What can be set.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;

use crate::{JobName, Schedule};

/// Settings of a [`crate::Runner`].
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// When each job runs; one that is absent only runs when it is asked for.
    pub schedules: BTreeMap<JobName, Schedule>,
    /// Accounts, homes or events in one batch.
    pub batch_max: u32,
    /// How long a lease holds; it is renewed at a third of this. A dead worker is noticed after it.
    pub lease_kept: Duration,
    /// Tries of what failed, after the first, each later than the one before.
    pub retries_max: u32,
    /// The first wait before a retry; it doubles, with jitter, up to `wait_max`.
    pub wait_first: Duration,
    /// The longest wait before a retry.
    pub wait_max: Duration,
    /// How long events, ended reservations and job records are kept.
    pub kept: TimeDelta,
    /// So many days before credits expire it is told, each bound once for each grant; never when there is none.
    pub expiry_warning_days: Vec<u32>,
}

impl JobSettings {
    /// These schedules, and the defaults for everything else.
    pub fn with_schedules(schedules: BTreeMap<JobName, Schedule>) -> Self {
        Self {
            schedules,
            batch_max: 50,
            lease_kept: Duration::from_mins(1),
            retries_max: 5,
            wait_first: Duration::from_millis(200),
            wait_max: Duration::from_secs(5),
            kept: TimeDelta::days(35),
            expiry_warning_days: vec![7, 1],
        }
    }
}
