//! When a fetch of this node begins.

use chrono::{DateTime, Utc};
use quota_core::ports::StoreError;

use super::Billing;

impl Billing {
    /// The beginning of a fetch that begins now, later than `after`, which was taken before. Several nodes count by the store's
    /// own clock, where it has one: by their own, one that is ahead would be believed for what it saw earlier.
    pub(super) async fn begin(
        &self,
        after: Option<DateTime<Utc>>,
    ) -> Result<DateTime<Utc>, StoreError> {
        let now = self.engine().storage().time().await?;
        let now = now.unwrap_or_else(|| self.engine().now());
        Ok(self.inner.beginnings.next(now, after))
    }
}
