//! Ends holds past their deadline in the books (R4): nothing waits for it, reports and listeners are glad of it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use quota_core::command::Command;
use quota_core::ids::AccountId;
use quota_core::ports::StoreError;

use crate::JobName;
use crate::host::Host;
use crate::job::{Job, JobSpec, Rhythm};
use crate::run::{Counted, Ended, Errand, Work};

/// Its settings are `QUOTA_SWEEP_RESERVATIONS_CRON` and `QUOTA_SWEEP_RESERVATIONS_ZONE`.
pub const NAME: JobName = JobName::new("sweep_reservations");

pub(crate) struct SweepReservations;

#[async_trait]
impl Job for SweepReservations {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "ends holds past their deadline in the books",
            when_late: "they counted nothing from their deadline on",
            rhythm: Rhythm::Frequent,
            ..JobSpec::new(NAME, "*/5 * * * * *")
        }
    }

    async fn has_work(&self, host: &Host) -> Result<bool, StoreError> {
        let due = host
            .engine
            .storage()
            .homes_with_due_holds(host.engine.now(), 1);
        Ok(!due.await?.is_empty())
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        work.sweep().await
    }
}

impl Work {
    async fn sweep(&mut self) -> Result<(), Ended> {
        if let Some(row) = self.only_account().await? {
            self.do_batch(vec![errand(row.home)], Counted::All).await?;
            return Ok(());
        }
        // A home that could not be swept stays at the head of the list: it is passed over from then on, and the list
        // ends when it names nothing else.
        let mut tried: BTreeSet<AccountId> = BTreeSet::new();
        loop {
            self.may_go_on()?;
            let left_over = self.left_over(&tried).await?;
            tried.retain(|home| left_over.contains(home));
            let fresh: Vec<Errand> = left_over
                .into_iter()
                .filter(|home| !tried.contains(home))
                .map(errand)
                .collect();
            if fresh.is_empty() {
                return Ok(());
            }
            tried.extend(fresh.iter().map(|errand| errand.account.clone()));
            self.do_batch(fresh, Counted::All).await?;
        }
    }

    /// Homes with something due: those that were tried in vain, and as many others as a batch takes.
    async fn left_over(&self, tried: &BTreeSet<AccountId>) -> Result<Vec<AccountId>, Ended> {
        let tried = u32::try_from(tried.len()).unwrap_or(u32::MAX);
        let limit = self.inner.settings.batch_max.max(1).saturating_add(tried);
        let (storage, now) = (self.inner.engine.storage(), self.run.started_at);
        self.patiently(|| storage.homes_with_due_holds(now, limit))
            .await
    }
}

fn errand(home: AccountId) -> Errand {
    Errand {
        account: home,
        commands: vec![Command::Sweep],
    }
}
