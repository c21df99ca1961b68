//! Works on a payment provider's events that wait: those whose process died, and those that failed before.

use async_trait::async_trait;
use quota_core::ports::{RunSummary, StoreError};

use crate::JobName;
use crate::host::Host;
use crate::job::{Job, JobSpec, Rhythm};
use crate::run::{Ended, Work, in_words};

/// Its settings are `QUOTA_WORK_ON_EVENTS_CRON` and `QUOTA_WORK_ON_EVENTS_ZONE`.
pub const NAME: JobName = JobName::new("work_on_events");

pub(crate) struct WorkOnEvents;

#[async_trait]
impl Job for WorkOnEvents {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "works on events of the payment provider that wait: those that failed before, and those whose process died",
            when_late: "what an event told follows late; `sync_provider` finds it too",
            takes_account: false,
            needs_provider: true,
            rhythm: Rhythm::Frequent,
            ..JobSpec::new(NAME, "* * * * * *")
        }
    }

    async fn has_work(&self, host: &Host) -> Result<bool, StoreError> {
        match &host.billing {
            Some(billing) => billing.has_waiting().await,
            None => Ok(false),
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        let billing = work.billing()?;
        loop {
            work.may_go_on()?;
            let worked = billing.work_on_waiting().await;
            let worked = worked.map_err(|error| Ended::Aborted(in_words(&error)))?;
            if worked.is_nothing() {
                return Ok(());
            }
            let failed = worked.failed.saturating_add(worked.given_up);
            let error = (failed > 0).then(|| format!("{failed} events could not be worked on yet"));
            // What failed waits for its next try: that is no failure of this run.
            work.record(RunSummary {
                done: worked.ended,
                failed: worked.given_up,
                error,
            })
            .await;
        }
    }
}
