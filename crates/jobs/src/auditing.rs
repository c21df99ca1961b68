//! Checking the invariants of homes, and saying loudly where one is broken: for both audits.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::audit::Auditor;
use quota_core::ids::AccountId;
use quota_core::ports::{RunState, RunSummary, StoreError};
use quota_service::Engine;

use crate::run::{Ended, Work};
use crate::runs::RUNS_LOOKED_AT;
use crate::{JobName, meters};

/// How far an audit looks back beyond the beginning of the one before: an operation's instant is taken before its
/// commit, which may be retried for a while.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);

/// Homes that are listed at once: finding out which were touched reads the ledger's newest part.
const HOMES_MAX: u32 = 10_000;

/// From which instant on homes are to be audited: that of the last of these audits that found all in order, with some
/// overlap; `None` when there was none yet.
pub(crate) async fn audited_since(
    engine: &Engine,
    audits: [JobName; 2],
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut since = None;
    for job in audits {
        let runs = engine
            .storage()
            .runs(Some(job.as_str()), RUNS_LOOKED_AT)
            .await?;
        let good = runs
            .iter()
            .filter(|run| run.filter.is_none() && run.state == RunState::Succeeded);
        since = since.max(good.map(|run| run.started_at).max());
    }
    Ok(since.map(|since| since.checked_sub_signed(OVERLAP).unwrap_or(since)))
}

impl Work {
    /// Audits the homes that were touched since an instant; all homes without one.
    pub(crate) async fn audit_since(&mut self, since: Option<DateTime<Utc>>) -> Result<(), Ended> {
        if let Some(row) = self.only_account().await? {
            return self.audit_batch(&[row.home]).await;
        }
        let batch_max = usize::try_from(self.inner.settings.batch_max.max(1)).unwrap_or(usize::MAX);
        let mut after: Option<AccountId> = None;
        loop {
            let storage = self.inner.engine.storage();
            let homes = self
                .patiently(|| storage.homes(after.as_ref(), since, HOMES_MAX))
                .await?;
            let Some(last) = homes.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for homes in homes.chunks(batch_max) {
                self.may_go_on()?;
                self.audit_batch(homes).await?;
            }
        }
    }

    async fn audit_batch(&mut self, homes: &[AccountId]) -> Result<(), Ended> {
        let mut summary = RunSummary::default();
        for home in homes {
            match self.audit_one(home).await {
                Ok(None) => summary.done += 1,
                Ok(Some(broken)) => {
                    summary.failed += 1;
                    summary.error = Some(broken);
                }
                Err(Ended::Aborted(error)) => {
                    summary.failed += 1;
                    summary.error = Some(format!("home `{home}`: {error}"));
                }
                Err(ended) => return Err(ended),
            }
        }
        self.record(summary).await;
        Ok(())
    }

    /// Audits a home, and says loudly what is broken; in one line, if anything is.
    async fn audit_one(&self, home: &AccountId) -> Result<Option<String>, Ended> {
        let storage = self.inner.engine.storage();
        let read = async || {
            let mut auditor = Auditor::default();
            storage.read_home(home, &mut auditor).await?;
            Ok(auditor.findings())
        };
        let findings = self.patiently(read).await?.unwrap_or_default();
        for found in &findings {
            let (invariant, account) = (found.invariant, found.account.as_ref());
            let bucket = found.bucket.as_ref().map(tracing::field::display);
            let what = found.what.as_str();
            let account = account.map(tracing::field::display);
            tracing::error!(invariant, %home, account, bucket, what, "an invariant is broken");
            meters::found(invariant);
        }
        let first = findings.first();
        Ok(first.map(|found| format!("home `{home}`: {}: {}", found.invariant, found.what)))
    }
}
