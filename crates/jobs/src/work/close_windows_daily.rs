//! Closes ended windows of hours, days, weeks, spans and subscription periods in the books (W5).

use async_trait::async_trait;
use quota_core::catalog::Cadence;

use crate::JobName;
use crate::job::{Job, JobSpec};
use crate::run::{Ended, Work};

/// The name that settings, records and metrics have; the job resets nothing (X6). The actor of what it books is `job:reset_daily`.
pub const NAME: JobName = JobName::new("reset_daily");

pub(crate) struct CloseWindowsDaily;

#[async_trait]
impl Job for CloseWindowsDaily {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "closes ended windows of hours, days, weeks, spans and subscription periods in the books, warms the cache",
            when_late: "nothing is wrong; the account's row is longer",
            takes_features: true,
            ..JobSpec::new(NAME, "5 0 * * *")
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        // A period may end on any day.
        work.close_windows(&[Cadence::Daily, Cadence::Subscription])
            .await
    }
}
