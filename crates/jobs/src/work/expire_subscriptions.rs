//! Carries out the end of subscriptions (S9).

use async_trait::async_trait;
use quota_core::command::Command;
use quota_core::ports::AccountRow;
use quota_core::terms::Subscription;

use crate::JobName;
use crate::job::{Job, JobSpec};
use crate::run::{Ended, Work};

/// The actor of what it books is `job:expire_subscriptions`.
pub const NAME: JobName = JobName::new("expire_subscriptions");

pub(crate) struct ExpireSubscriptions;

#[async_trait]
impl Job for ExpireSubscriptions {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "records subscriptions that ended, closes their consumable counters in the books but for what a late renewal brings back, publishes an event",
            when_late: "allowances were 0 from the end on; the record and the event come late",
            ..JobSpec::new(NAME, "15 0 * * *")
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        let now = work.run.started_at;
        let has_ended = move |row: &AccountRow| {
            let subscription = row.account.terms.subscription.as_ref();
            let end = subscription.and_then(Subscription::unrecorded_end);
            end.is_some_and(|end| end <= now)
        };
        work.through_due_accounts(&[Command::ExpireSubscription], has_ended)
            .await
    }
}
