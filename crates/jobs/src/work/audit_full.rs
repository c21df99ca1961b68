//! Checks every home.

use async_trait::async_trait;

use crate::JobName;
use crate::job::{Job, JobSpec};
use crate::run::{Ended, Work};

/// The history of this name counts for `audit` too: what was in order here needs no second look there.
pub const NAME: JobName = JobName::new("audit_full");

pub(crate) struct AuditFull;

#[async_trait]
impl Job for AuditFull {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "checks the invariants of every home",
            when_late: "a fault is found later",
            ..JobSpec::new(NAME, "30 4 * * *")
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        work.audit_since(None).await
    }
}
