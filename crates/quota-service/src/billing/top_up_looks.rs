//! Looks at many: what is open, and every account that may want a top-up, for the job.

use quota_core::ids::AccountId;
use quota_core::rules::top_ups::due_top_up;

use super::{Billing, BillingError, TopUpLook};

/// Top-ups and accounts that are looked at in one go.
const PAGE_MAX: u32 = 50;

/// A page of looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopUpsLooked {
    /// How many accounts and open top-ups were looked at.
    pub looked: u64,
    /// How many were paid.
    pub paid: u64,
    /// How many could not be looked at.
    pub failed: u64,
    /// Why, of the last of them.
    pub error: Option<String>,
    /// Behind which account the next page begins; none at the end.
    pub next: Option<AccountId>,
}

impl Billing {
    /// Whether an open top-up may be looked at, or an account wants one.
    ///
    /// # Errors
    /// [`BillingError`] when that cannot be read.
    pub async fn has_top_ups_to_look_at(&self) -> Result<bool, BillingError> {
        let now = self.engine().now();
        if !self.store().due_top_ups(now, 1).await?.is_empty() {
            return Ok(true);
        }
        let mut behind = None;
        loop {
            let accounts = self
                .store()
                .top_up_accounts(behind.as_ref(), PAGE_MAX)
                .await?;
            for account in &accounts {
                let row = self.engine().account(account).await?;
                let Some(wanted) = due_top_up(&row.account, now) else {
                    continue;
                };
                if self.bought_this_month(&row).await? < u64::from(wanted.most_per_month) {
                    return Ok(true);
                }
            }
            behind = accounts.into_iter().next_back();
            if behind.is_none() {
                return Ok(false);
            }
        }
    }

    /// Carries on some open top-ups whose time has come.
    ///
    /// # Errors
    /// [`BillingError::Store`] when they cannot be read.
    pub async fn look_at_open_top_ups(&self) -> Result<TopUpsLooked, BillingError> {
        let mut looked = TopUpsLooked::default();
        let now = self.engine().now();
        for open in self.store().due_top_ups(now, PAGE_MAX).await? {
            let account = open.account.clone();
            looked.note(&account, self.carry_on(open).await);
        }
        Ok(looked)
    }

    /// Looks at a page of the accounts that may want a top-up: credits also run low by expiring, and a process that noticed may have
    /// died.
    ///
    /// # Errors
    /// [`BillingError::Store`] when they cannot be read.
    pub async fn look_at_top_up_accounts(
        &self,
        behind: Option<&AccountId>,
    ) -> Result<TopUpsLooked, BillingError> {
        let accounts = self.store().top_up_accounts(behind, PAGE_MAX).await?;
        let is_full = u32::try_from(accounts.len()).unwrap_or(u32::MAX) == PAGE_MAX;
        let mut looked = TopUpsLooked {
            next: accounts.last().cloned().filter(|_| is_full),
            ..TopUpsLooked::default()
        };
        for account in accounts {
            let look = self.top_up(&account).await;
            looked.note(&account, look);
        }
        Ok(looked)
    }
}

impl TopUpsLooked {
    fn note(&mut self, account: &AccountId, look: Result<TopUpLook, BillingError>) {
        self.looked = self.looked.saturating_add(1);
        match look {
            Ok(TopUpLook::Paid) => self.paid = self.paid.saturating_add(1),
            Ok(
                TopUpLook::NotDue
                | TopUpLook::MonthFull
                | TopUpLook::UnderWay
                | TopUpLook::Open
                | TopUpLook::Failed
                | TopUpLook::SwitchedOff,
            ) => {}
            Err(error) => {
                self.failed = self.failed.saturating_add(1);
                self.error = Some(format!("{account}: {error}"));
            }
        }
    }
}
