//! Tells the payment provider's meters what was used on demand (P21), and compares when a period is over.

use async_trait::async_trait;
use quota_core::ports::{RunSummary, StoreError};

use crate::JobName;
use crate::host::Host;
use crate::job::{Job, JobSpec, Rhythm};
use crate::run::{Ended, Work, in_words};

/// Its settings are `QUOTA_TELL_METERS_CRON` and `QUOTA_TELL_METERS_ZONE`.
pub const NAME: JobName = JobName::new("tell_meters");

pub(crate) struct TellMeters;

#[async_trait]
impl Job for TellMeters {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "tells the payment provider's meters what was used on demand, and compares what they counted when a period is over",
            when_late: "use is told late: more than an hour after the end of its period it may not be on the invoice",
            takes_account: false,
            needs_provider: true,
            rhythm: Rhythm::Frequent,
            ..JobSpec::new(NAME, "*/10 * * * * *")
        }
    }

    async fn has_work(&self, host: &Host) -> Result<bool, StoreError> {
        match &host.billing {
            Some(billing) => billing.has_meters_to_tell().await,
            None => Ok(false),
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        let billing = work.billing()?;
        let mut before = None;
        loop {
            work.may_go_on()?;
            let page = billing.collect_sold(before).await;
            let page = page.map_err(|error| Ended::Aborted(in_words(&error)))?;
            before = Some(page);
            if page.is_last {
                break;
            }
        }
        loop {
            work.may_go_on()?;
            let told = billing.tell_meters().await;
            let told = told.map_err(|error| Ended::Aborted(in_words(&error)))?;
            if told.is_nothing() {
                return Ok(());
            }
            let error = (told.failed > 0)
                .then(|| format!("{} accounts could not be told of yet", told.failed));
            // What failed waits for its next try: that is no failure of this run.
            work.record(RunSummary {
                done: told.done,
                failed: 0,
                error,
            })
            .await;
            if told.done == 0 {
                return Ok(());
            }
        }
    }
}
