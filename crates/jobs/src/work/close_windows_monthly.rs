//! Closes ended windows of months and years in the books (W5).

use async_trait::async_trait;
use quota_core::catalog::Cadence;

use crate::JobName;
use crate::job::{Job, JobSpec};
use crate::run::{Ended, Work};

/// The name that settings, records and metrics have; the job resets nothing (X6). The actor of what it books is `job:reset_monthly`.
pub const NAME: JobName = JobName::new("reset_monthly");

pub(crate) struct CloseWindowsMonthly;

#[async_trait]
impl Job for CloseWindowsMonthly {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "closes ended windows of months and years in the books, warms the cache",
            when_late: "nothing is wrong; the account's row is longer",
            takes_features: true,
            ..JobSpec::new(NAME, "10 0 1 * *")
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        work.close_windows(&[Cadence::Monthly]).await
    }
}
