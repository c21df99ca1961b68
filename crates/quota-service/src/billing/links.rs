//! Which customer is which account: made once for an account, or entered by an operator. Nothing is guessed.

use std::collections::BTreeSet;

use quota_core::answer::Rejection;
use quota_core::ids::{AccountId, CustomerRef};
use quota_core::ports::ProblemPage;
use quota_core::provider::{BillingProblem, CustomerLink, ProblemKind, Settled};

use super::{Billing, BillingError, Synced};
use crate::EngineError;

/// Deleted customers that are passed over; each was deleted within a day after it was made.
const DELETED_MAX: u32 = 20;
/// Parked payments that are read at once.
const PARKED_PAGE: u32 = 200;

impl Billing {
    /// The customer of an account, made if it has none. Asked for twice at once, it is one customer.
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked; the same call again ends what it began.
    pub async fn customer_of(&self, account: &AccountId) -> Result<CustomerRef, BillingError> {
        self.connection().await?;
        if let Some(first) = self.customers_of(account).await?.into_iter().next() {
            return Ok(first.customer);
        }
        if !self.engine().exists(account).await? {
            return Err(EngineError::Rejected(Rejection::UnknownAccount).into());
        }
        let customer = self.new_customer(account).await?;
        let link = self.link_to(account, &customer).await?;
        if link.account == *account {
            return Ok(customer);
        }
        // The provider gave a customer that somebody has: the key was used for another account's.
        Err(EngineError::Rejected(Rejection::UnknownAccount).into())
    }

    /// A customer that is there: the provider may answer the same key with one that was deleted since.
    async fn new_customer(&self, account: &AccountId) -> Result<CustomerRef, BillingError> {
        let mut key = format!("customer:{account}");
        for _ in 0..DELETED_MAX {
            let made = self.provider().make_customer(account, &key).await?;
            let found = self.provider().customer(&made).await?;
            if found.is_some_and(|found| !found.is_deleted) {
                return Ok(made);
            }
            key = format!("customer:{account}:{made}");
        }
        Err(BillingError::Busy)
    }

    /// Enters that a customer is an account, and gives the account what it bought: its plans, and what was parked. A customer that is
    /// another account stays that; one that the provider does not have is [`Synced::Gone`], and nobody's.
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked; the same call again ends what it began.
    pub async fn link_customer(
        &self,
        customer: &CustomerRef,
        account: &AccountId,
    ) -> Result<(CustomerLink, Synced), BillingError> {
        self.connection().await?;
        if !self.engine().exists(account).await? {
            return Err(EngineError::Rejected(Rejection::UnknownAccount).into());
        }
        let link = self.link_to(account, customer).await?;
        if link.account != *account {
            let of_another = Synced::Applied {
                account: link.account.clone(),
                is_news: false,
                problems: BTreeSet::from([ProblemKind::OfAnotherAccount]),
            };
            return Ok((link, of_another));
        }
        let about = customer.as_str();
        let open = self
            .store()
            .open_problems_about(self.code(), self.mode(), about)
            .await?;
        let settled = Settled {
            at: self.engine().now(),
            by: "link".to_owned(),
            note: Some(format!("linked to {account}")),
        };
        for problem in open {
            self.store().settle_problem(&problem.id, &settled).await?;
        }
        let synced = self.sync_account(account).await?;
        self.sync_parked(customer).await?;
        let is_there = self.store().customer(&link.id).await?.is_some();
        let synced = if is_there { synced } else { Synced::Gone };
        Ok((link, synced))
    }

    /// Books what a customer paid before anybody knew whose it is (P14).
    async fn sync_parked(&self, customer: &CustomerRef) -> Result<(), BillingError> {
        let mut page = ProblemPage {
            provider: self.code().clone(),
            is_open: true,
            kind: Some(ProblemKind::UnknownPayer),
            account: None,
            after: None,
            limit: PARKED_PAGE,
        };
        loop {
            let parked = self.store().problems(&page).await?;
            let Some(last) = parked.last() else {
                return Ok(());
            };
            page.after = Some((last.last_seen_at, last.id.clone()));
            let is_its = |problem: &&BillingProblem| {
                let payer = problem.evidence.get("customer");
                problem.id.mode == self.mode() && payer.is_some_and(|id| id == customer.as_str())
            };
            for problem in parked.iter().filter(is_its) {
                self.retry(problem).await?;
            }
        }
    }

    async fn link_to(
        &self,
        account: &AccountId,
        customer: &CustomerRef,
    ) -> Result<CustomerLink, BillingError> {
        let link = CustomerLink {
            id: self.customer_id(customer),
            account: account.clone(),
            linked_at: self.engine().now(),
            synced_at: None,
        };
        Ok(self.store().link_customer(&link).await?)
    }
}
