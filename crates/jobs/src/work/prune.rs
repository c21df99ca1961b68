//! Makes the ledger's coming months, and removes what nobody needs any more.

use async_trait::async_trait;
use quota_core::ports::RunSummary;

use crate::JobName;
use crate::job::{Job, JobSpec};
use crate::run::{Ended, Work};

/// Its settings are `QUOTA_PRUNE_CRON` and `QUOTA_PRUNE_ZONE`.
pub const NAME: JobName = JobName::new("prune");

/// Rows of each kind that go in one statement: few enough that it takes no time worth noticing.
const ROWS_MAX: u32 = 1_000;

pub(crate) struct Prune;

#[async_trait]
impl Job for Prune {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "removes delivered events, events of a payment provider, what meters were told over 35 days ago, ended reservations and records of runs that are older than `QUOTA_JOB_RECORDS_KEPT`; makes the ledger's partitions",
            when_late: "tables grow; from the third month on the ledger's rows wait in the default partition",
            takes_account: false,
            ..JobSpec::new(NAME, "30 3 * * *")
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        let now = work.run.started_at;
        let before = now
            .checked_sub_signed(work.inner.settings.kept)
            .unwrap_or(now);
        let storage = work.inner.engine.storage();
        work.patiently(|| storage.make_ledger_months(now)).await?;
        loop {
            work.may_go_on()?;
            let storage = work.inner.engine.storage();
            let mut gone = work.patiently(|| storage.prune(before, ROWS_MAX)).await?;
            if let Some(billing) = work.inner.billing.clone() {
                let events = || billing.store().prune_events(before, ROWS_MAX);
                gone = gone.saturating_add(work.patiently(events).await?);
                let meters = || billing.prune_meters(ROWS_MAX);
                gone = gone.saturating_add(work.patiently(meters).await?);
            }
            if gone == 0 {
                return Ok(());
            }
            let summary = RunSummary {
                done: gone,
                ..RunSummary::default()
            };
            work.record(summary).await;
        }
    }
}
