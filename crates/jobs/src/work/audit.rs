//! Checks what was touched since the last audit that found all in order.

use async_trait::async_trait;
use quota_core::ports::StoreError;

use super::audit_full;
use crate::JobName;
use crate::auditing::audited_since;
use crate::host::Host;
use crate::job::{Job, JobSpec, Rhythm};
use crate::run::{Ended, Work};

/// In the history a good run of this name says how far homes are known to be in order.
pub const NAME: JobName = JobName::new("audit");
/// The audits after which a home need not be looked at again.
const AUDITS: [JobName; 2] = [NAME, audit_full::NAME];

pub(crate) struct Audit;

#[async_trait]
impl Job for Audit {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "checks the invariants of every home that was touched since the last good audit",
            when_late: "a fault is found later",
            rhythm: Rhythm::Frequent,
            ..JobSpec::new(NAME, "*/5 * * * *")
        }
    }

    async fn has_work(&self, host: &Host) -> Result<bool, StoreError> {
        let since = audited_since(&host.engine, AUDITS).await?;
        Ok(!host
            .engine
            .storage()
            .homes(None, since, 1)
            .await?
            .is_empty())
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        let engine = work.inner.engine.clone();
        let since = work.patiently(|| audited_since(&engine, AUDITS));
        let since = since.await?;
        work.audit_since(since).await
    }
}
