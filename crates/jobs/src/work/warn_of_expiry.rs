//! Tells accounts what of their credits will be lost soon (P22).

use async_trait::async_trait;
use chrono::TimeDelta;
use quota_core::command::{Command, TellExpiry};
use quota_core::ports::AccountRow;
use quota_core::rules::expiring::expiring;

use crate::JobName;
use crate::job::{Job, JobSpec};
use crate::run::{Ended, Work};

/// The actor of what it books is `job:warn_of_expiry`.
pub const NAME: JobName = JobName::new("warn_of_expiry");

pub(crate) struct WarnOfExpiry;

#[async_trait]
impl Job for WarnOfExpiry {
    fn spec(&self) -> JobSpec {
        JobSpec {
            does: "tells accounts of credits that expire soon, once for each grant and bound of days",
            when_late: "the warning comes late, or not at all if the credits are lost by then",
            ..JobSpec::new(NAME, "45 */6 * * *")
        }
    }

    async fn run(&self, work: &mut Work) -> Result<(), Ended> {
        let days = work.inner.settings.expiry_warning_days.clone();
        let Some(most) = days.iter().max() else {
            return Ok(());
        };
        let now = work.run.started_at;
        let span = TimeDelta::try_days(i64::from(*most)).unwrap_or(TimeDelta::MAX);
        let until = now.checked_add_signed(span).unwrap_or(now);
        let command = Command::TellExpiry(TellExpiry { days: days.clone() });
        let is_wanted =
            move |row: &AccountRow| !expiring(&row.account.books, &days, now).is_empty();
        work.through_accounts_due_by(until, &[command], is_wanted)
            .await
    }
}
