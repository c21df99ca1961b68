//! Going through the accounts for which something is due: for expiry and the closing of windows.

use chrono::{DateTime, Utc};
use quota_core::catalog::Cadence;
use quota_core::command::{CloseWindows, Command};
use quota_core::ids::AccountId;
use quota_core::ports::{AccountPage, AccountRow};

use crate::run::{Counted, Ended, Errand, Work};

impl Work {
    /// Closes windows of these cadences that ended (W5), and warms the cache for the accounts that changed (Y4).
    pub(crate) async fn close_windows(&mut self, cadences: &[Cadence]) -> Result<(), Ended> {
        let close = |cadence: &Cadence| {
            Command::CloseWindows(CloseWindows {
                cadence: Some(*cadence),
                features: self.filter.features.clone(),
            })
        };
        let commands: Vec<Command> = cadences.iter().map(close).collect();
        self.through_due_accounts(&commands, |_| true).await
    }

    /// Gives the commands to every account for which something is due, page by page in the order of their ids: an
    /// account that stays due, because it failed or holds something, is not met twice. For those that changed the cache is
    /// warmed.
    pub(crate) async fn through_due_accounts(
        &mut self,
        commands: &[Command],
        is_wanted: impl Fn(&AccountRow) -> bool,
    ) -> Result<(), Ended> {
        let now = self.run.started_at;
        self.through_accounts_due_by(now, commands, is_wanted).await
    }

    /// The same for every account for which something will be due at `due_by`.
    pub(crate) async fn through_accounts_due_by(
        &mut self,
        due_by: DateTime<Utc>,
        commands: &[Command],
        is_wanted: impl Fn(&AccountRow) -> bool,
    ) -> Result<(), Ended> {
        let mut page = AccountPage {
            due_before: Some(due_by),
            limit: self.inner.settings.batch_max.max(1),
            ..AccountPage::default()
        };
        loop {
            self.may_go_on()?;
            let rows = self.due_accounts(&page).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            page.after = Some(last.id.clone());
            let wanted = rows.into_iter().filter(&is_wanted);
            let errands: Vec<Errand> = wanted
                .map(|row| Errand {
                    account: row.id,
                    commands: commands.to_vec(),
                })
                .collect();
            if !errands.is_empty() {
                let changed = self.do_batch(errands, Counted::Changed).await?;
                self.warm(&changed).await;
            }
        }
    }

    async fn due_accounts(&self, page: &AccountPage) -> Result<Vec<AccountRow>, Ended> {
        if self.filter.account.is_none() {
            let storage = self.inner.engine.storage();
            return self.patiently(|| storage.accounts(page)).await;
        }
        if page.after.is_some() {
            return Ok(Vec::new());
        }
        Ok(self.only_account().await?.into_iter().collect())
    }

    /// Reads what the next look at these accounts wants, so that the cache has it.
    async fn warm(&self, accounts: &[AccountId]) {
        for account in accounts {
            if let Err(error) = self.inner.engine.overview(account).await {
                tracing::debug!(%error, "the cache was not warmed");
            }
        }
    }
}
