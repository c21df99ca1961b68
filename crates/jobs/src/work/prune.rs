//! Makes the ledger's coming months, and removes what nobody needs any more.

use quota_core::ports::RunSummary;

use super::{Ended, Work};

/// Rows of each kind that go in one statement: few enough that it takes no time worth noticing.
const ROWS_MAX: u32 = 1_000;

impl Work {
    pub(super) async fn prune(&mut self) -> Result<(), Ended> {
        let now = self.run.started_at;
        let before = now
            .checked_sub_signed(self.inner.settings.kept)
            .unwrap_or(now);
        let storage = self.inner.engine.storage();
        self.patiently(|| storage.make_ledger_months(now)).await?;
        loop {
            self.may_go_on()?;
            let storage = self.inner.engine.storage();
            let gone = self.patiently(|| storage.prune(before, ROWS_MAX)).await?;
            if gone == 0 {
                return Ok(());
            }
            let summary = RunSummary {
                done: gone,
                ..RunSummary::default()
            };
            self.record(summary).await;
        }
    }
}
