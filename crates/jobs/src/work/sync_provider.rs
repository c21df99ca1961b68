//! Compares everything with the payment provider, and mends what differs: what no event told, or an event that never came.

use async_trait::async_trait;
use quota_core::ports::RunSummary;
use quota_service::billing::{Billing, BillingError, FullSync, SyncedPage};

use crate::JobName;
use crate::job::{Job, JobSpec};
use crate::run::{Ended, Work, in_words};

/// Its settings are `QUOTA_SYNC_PROVIDER_CRON` and `QUOTA_SYNC_PROVIDER_ZONE`.
pub const NAME: JobName = JobName::new("sync_provider");

pub(crate) struct SyncProvider;

#[async_trait]
impl Job for SyncProvider {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "compares subscriptions and payments with the payment provider, and mends what differs",
            when_late: "what no event told is found later",
            needs_provider: true,
            ..JobSpec::new(NAME, "17 * * * *")
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        let billing = work.billing()?;
        if let Some(row) = work.only_account().await? {
            let synced = billing.sync_account(&row.id).await;
            synced.map_err(|error| aborted(&error))?;
            work.record(done(1)).await;
            return Ok(());
        }
        let page = billing.read_missed().await;
        work.note(&page.map_err(|error| aborted(&error))?).await;
        work.sync_pages(&billing).await
    }
}

impl Work {
    /// The payment provider that is connected.
    pub(crate) fn billing(&self) -> Result<Billing, Ended> {
        let billing = self.inner.billing.clone();
        billing.ok_or_else(|| Ended::Aborted("no payment provider is connected".to_owned()))
    }

    async fn sync_pages(&mut self, billing: &Billing) -> Result<(), Ended> {
        loop {
            self.may_go_on()?;
            let page = billing.sync_page(FullSync::default()).await;
            let page = page.map_err(|error| aborted(&error))?;
            self.note(&page).await;
            if !page.has_more {
                return Ok(());
            }
        }
    }

    async fn note(&mut self, page: &SyncedPage) {
        for drift in &page.drifts {
            let fields = drift.fields.join(", ");
            tracing::info!(account = %drift.account, fields, "differed from the payment provider");
        }
        let failed = u64::try_from(page.failed.len()).unwrap_or(u64::MAX);
        self.record(RunSummary {
            done: page.read,
            failed,
            error: page.failed.last().cloned(),
        })
        .await;
    }
}

fn done(done: u64) -> RunSummary {
    RunSummary {
        done,
        ..RunSummary::default()
    }
}

fn aborted(error: &BillingError) -> Ended {
    Ended::Aborted(in_words(error))
}
