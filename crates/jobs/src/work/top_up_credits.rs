//! Buys packs for accounts whose credits ran low, and follows what is on its way (P20).

use async_trait::async_trait;
use quota_core::ids::AccountId;
use quota_core::ports::{RunSummary, StoreError};
use quota_service::billing::{BillingError, TopUpsLooked};

use crate::JobName;
use crate::host::Host;
use crate::job::{Job, JobSpec, Rhythm};
use crate::run::{Ended, Work, in_words};

/// Its settings are `QUOTA_TOP_UP_CREDITS_CRON` and `QUOTA_TOP_UP_CREDITS_ZONE`.
pub const NAME: JobName = JobName::new("top_up_credits");

pub(crate) struct TopUpCredits;

#[async_trait]
impl Job for TopUpCredits {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "buys packs for accounts whose credits ran low where nobody noticed, tries again what failed, follows payments on their way",
            when_late: "packs are bought late; nothing is bought twice",
            needs_provider: true,
            rhythm: Rhythm::Frequent,
            ..JobSpec::new(NAME, "* * * * *")
        }
    }

    async fn has_work(&self, host: &Host) -> Result<bool, StoreError> {
        match &host.billing {
            Some(billing) => match billing.has_top_ups_to_look_at().await {
                Ok(has_work) => Ok(has_work),
                Err(BillingError::Store(error)) => Err(error),
                // The run tells of it.
                Err(_other) => Ok(true),
            },
            None => Ok(false),
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        let billing = work.billing()?;
        if let Some(row) = work.only_account().await? {
            let look = billing.top_up(&row.id).await;
            look.map_err(|error| Ended::Aborted(in_words(&error)))?;
            work.record(done(1)).await;
            return Ok(());
        }
        work.may_go_on()?;
        // What is not known to have ended is looked at later: one page of it is no queue.
        let open = billing.look_at_open_top_ups().await;
        work.note_looks(open).await?;
        let mut behind: Option<AccountId> = None;
        loop {
            work.may_go_on()?;
            let page = billing.look_at_top_up_accounts(behind.as_ref()).await;
            behind = work.note_looks(page).await?;
            if behind.is_none() {
                return Ok(());
            }
        }
    }
}

impl Work {
    /// Notes a page of looks; where the next one begins. What cannot be looked at now is no failure of the run: it is looked at again.
    async fn note_looks(
        &mut self,
        page: Result<TopUpsLooked, BillingError>,
    ) -> Result<Option<AccountId>, Ended> {
        let page = page.map_err(|error| Ended::Aborted(in_words(&error)))?;
        if page.looked != 0 {
            self.record(RunSummary {
                done: page.paid,
                failed: 0,
                error: page.error,
            })
            .await;
        }
        Ok(page.next)
    }
}

fn done(done: u64) -> RunSummary {
    RunSummary {
        done,
        ..RunSummary::default()
    }
}
