//! Use on demand, told to the provider's meter (P21): read from the ledger, told entry by entry, and compared at the end of its period.

mod collect;
mod compare;
mod doubt;
mod listed;
mod tell;

use chrono::TimeDelta;
use quota_core::ids::AccountId;
use quota_core::meter::{MeterPeriod, MeterPeriodId};
use quota_core::ports::StoreError;

pub use collect::Collected;
pub use tell::MetersTold;

use super::metering::{MeterParts, Meters};
use super::{Billing, BillingError, Synced};

/// How long what was told is kept: longer than anything of the ledger is read once more.
const KEPT: TimeDelta = TimeDelta::days(35);

impl Billing {
    /// Has use on demand told to the provider's meters from now on; said once.
    pub fn count_with(&self, parts: MeterParts) {
        // The first one stays.
        drop(self.inner.meters.set(Meters::new(parts)));
    }

    /// Removes what was told over 35 days ago, at most so many rows of each kind; how many it removed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn prune_meters(&self, limit: u32) -> Result<u64, StoreError> {
        let before = self.engine().now().checked_sub_signed(KEPT);
        match self.inner.meters.get().zip(before) {
            Some((meters, before)) => meters.parts.store.prune_meters(before, limit).await,
            None => Ok(0),
        }
    }

    fn meters(&self) -> Option<&Meters> {
        self.inner.meters.get()
    }

    fn period_id(&self, account: &AccountId, bucket: quota_core::balance::Bucket) -> MeterPeriodId {
        MeterPeriodId {
            account: account.clone(),
            provider: self.code().clone(),
            mode: self.mode(),
            bucket,
        }
    }

    /// Looks at a period once more, whatever came of it before.
    pub(super) async fn retry_meter(
        &self,
        account: &AccountId,
        bucket: &str,
    ) -> Result<Synced, BillingError> {
        let bucket = quota_core::balance::Bucket::parse(bucket);
        let (Some(meters), Some(bucket)) = (self.meters(), bucket) else {
            return Ok(Synced::Gone);
        };
        let id = self.period_id(account, bucket);
        let Some(known) = meters.parts.store.meter_period(&id).await? else {
            return Ok(Synced::Gone);
        };
        let again = MeterPeriod {
            compared: None,
            tries: 0,
            next_at: Some(self.engine().now()),
            version: known.version.saturating_add(1),
            ..known
        };
        self.write(meters, &again, Vec::new()).await?;
        let told = self.work_on_period(meters, &id).await?;
        let problems = self.list_meter_problems(meters, &id).await?;
        Ok(Synced::Applied {
            account: account.clone(),
            is_news: told != 0,
            problems,
        })
    }
}
