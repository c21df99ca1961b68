//! Which customer is which account: made once for an account, or entered by an operator. Nothing is guessed.

use std::collections::BTreeSet;

use quota_core::answer::Rejection;
use quota_core::ids::{AccountId, CustomerRef};
use quota_core::provider::{CustomerLink, ProblemKind, Settled};

use super::{Billing, BillingError, Synced};
use crate::EngineError;

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
        let key = format!("customer:{account}");
        let customer = self.provider().make_customer(account, &key).await?;
        let link = self.link_to(account, &customer).await?;
        if link.account == *account {
            return Ok(customer);
        }
        // The provider gave a customer that somebody has: the key was used for another account's.
        Err(EngineError::Rejected(Rejection::UnknownAccount).into())
    }

    /// Enters that a customer is an account, and gives the account what it bought. A customer that is another account stays that.
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
        Ok((link, synced))
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
