//! Subscriptions: all customers of an account are fetched, and the account gets what they come to (P6, P12).

use chrono::{DateTime, Utc};
use quota_core::answer::{Answer, Rejection};
use quota_core::catalog::Catalog;
use quota_core::command::{Command, SyncSubscription};
use quota_core::ids::{AccountId, CustomerRef};
use quota_core::origin::Origin;
use quota_core::provider::{
    CustomerId, FetchedCustomer, ProblemKind, ProviderSubscription, target,
};

use super::problems::Found;
use super::{Billing, BillingError, Parked, Synced};
use crate::EngineError;
use crate::ask::Ask;

/// How often a sync that others overtake begins anew.
pub(super) const ATTEMPTS_MAX: u32 = 20;

impl Billing {
    /// Fetches a customer's subscriptions, with those of all other customers of its account, and gives the account what they come to.
    /// The end is the same whatever told of it, in whatever order and however often (P6).
    ///
    /// # Errors
    /// [`BillingError`] when something cannot be asked; the same may be asked for again.
    pub async fn sync_customer(&self, customer: &CustomerRef) -> Result<Synced, BillingError> {
        self.connection().await?;
        let id = self.customer_id(customer);
        let Some(link) = self.store().customer(&id).await? else {
            return self.unknown_customer(customer).await;
        };
        self.sync_account(&link.account).await
    }

    /// The same for an account: with all its customers.
    ///
    /// # Errors
    /// As [`Billing::sync_customer`].
    pub async fn sync_account(&self, account: &AccountId) -> Result<Synced, BillingError> {
        self.connection().await?;
        for _ in 0..ATTEMPTS_MAX {
            let customers = self.customers_of(account).await?;
            if customers.is_empty() {
                return Ok(Synced::NotOurs);
            }
            let taken_before = self.taken_at(&customers).await?;
            let began_at = self.begin(taken_before).await?;
            let fetched = self.fetched(&customers).await?;
            let facts = self.facts_of(account, &fetched).await?;
            if !self.take(&customers, began_at).await? {
                if self.taken_at(&customers).await? <= Some(began_at) {
                    // Nobody knows more: a customer is none of the account's any more.
                    continue;
                }
                // A fetch that began later was taken: what it saw stands.
                return Ok(Synced::Applied {
                    account: account.clone(),
                    is_news: false,
                    problems: std::collections::BTreeSet::new(),
                });
            }
            let synced = self.applied(account, (&fetched, facts), began_at).await?;
            self.drop_deleted(&fetched).await?;
            // If one that began later was taken while this one was applied, nobody knows which of them came last.
            if self.taken_at(&customers).await? <= Some(began_at) {
                return Ok(synced);
            }
        }
        Err(BillingError::Busy)
    }

    /// When the fetch began that was taken last for any of these customers.
    async fn taken_at(
        &self,
        customers: &[CustomerId],
    ) -> Result<Option<DateTime<Utc>>, BillingError> {
        let mut taken_at = None;
        for id in customers {
            let link = self.store().customer(id).await?;
            taken_at = taken_at.max(link.and_then(|link| link.synced_at));
        }
        Ok(taken_at)
    }

    /// Enters at each of an account's customers that a fetch is about to be taken; whether it is the last one at all of them. Others
    /// may know of some of them only.
    async fn take(
        &self,
        customers: &[CustomerId],
        began_at: DateTime<Utc>,
    ) -> Result<bool, BillingError> {
        let mut is_last = true;
        for id in customers {
            is_last &= self.store().take_sync(id, began_at).await?;
        }
        Ok(is_last)
    }

    /// The customers of this provider and mode that an account is.
    pub(super) async fn customers_of(
        &self,
        account: &AccountId,
    ) -> Result<Vec<CustomerId>, BillingError> {
        let links = self.store().customers_of(account).await?;
        let ids = links.into_iter().map(|link| link.id);
        let ours = ids.filter(|id| id.provider == *self.code() && id.mode == self.mode());
        Ok(ours.collect())
    }

    async fn fetched(
        &self,
        customers: &[CustomerId],
    ) -> Result<Vec<FetchedCustomer>, BillingError> {
        let mut fetched = Vec::new();
        for id in customers {
            let found = self.provider().customer(&id.customer).await?;
            fetched.push(found.unwrap_or_else(|| not_there(&id.customer)));
        }
        Ok(fetched)
    }

    /// What the provider has of an account's subscriptions.
    async fn facts_of(
        &self,
        account: &AccountId,
        fetched: &[FetchedCustomer],
    ) -> Result<Vec<ProviderSubscription>, BillingError> {
        let real = fetched.iter().filter(|one| !one.is_on_test_clock);
        let mut facts: Vec<ProviderSubscription> = real
            .flat_map(|one| one.subscriptions.iter().cloned())
            .collect();
        facts.extend(self.unlisted(account, &facts).await?);
        Ok(facts)
    }

    /// Gives an account what its customers' subscriptions come to, and lists what does not fit.
    async fn applied(
        &self,
        account: &AccountId,
        (fetched, facts): (&[FetchedCustomer], Vec<ProviderSubscription>),
        began_at: DateTime<Utc>,
    ) -> Result<Synced, BillingError> {
        let mut found = self.misfits(account, &facts).await?;
        let test = fetched.iter().filter(|one| one.is_on_test_clock);
        found.extend(test.map(on_test_clock));
        let asked = Ask {
            account: account.clone(),
            key: None,
            command: Command::SyncSubscription(SyncSubscription {
                provider: self.code().clone(),
                subscriptions: facts,
                fetched_at: began_at,
            }),
            origin: self.origin(),
        };
        let is_news = match self.engine().submit(asked).await {
            Ok(reply) => !matches!(reply.operation.answer, Answer::Unchanged),
            Err(EngineError::Rejected(rejection)) => {
                found.push(refused(&rejection));
                false
            }
            Err(other) => return Err(other.into()),
        };
        let about = account.to_string();
        let problems = self.tell_problems(&about, Some(account), found).await?;
        if problems.contains(&ProblemKind::Refused) {
            return Ok(Synced::Parked(Parked::Refused));
        }
        let account = account.clone();
        Ok(Synced::Applied {
            account,
            is_news,
            problems,
        })
    }

    /// What of the facts fits nothing.
    async fn misfits(
        &self,
        account: &AccountId,
        facts: &[ProviderSubscription],
    ) -> Result<Vec<Found>, BillingError> {
        let row = self.engine().account(account).await?;
        let catalog = self.engine().catalog_now();
        let known = (&row.account.terms, &*catalog);
        let at = (self.engine().now(), self.engine().settings().grace);
        let target = target(self.code(), facts, known, at);
        Ok(target.problems.iter().map(Found::of_target).collect())
    }

    /// A customer that is no account here: listed if it has something that is sold here.
    async fn unknown_customer(&self, customer: &CustomerRef) -> Result<Synced, BillingError> {
        let Some(fetched) = self.provider().customer(customer).await? else {
            return Ok(Synced::Gone);
        };
        let catalog = self.engine().catalog_now();
        let about = customer.to_string();
        if fetched.is_on_test_clock {
            let found = vec![on_test_clock(&fetched)];
            self.tell_problems(&about, None, found).await?;
            return Ok(Synced::Parked(Parked::TestClock));
        }
        let sold = fetched
            .subscriptions
            .iter()
            .filter(|one| one.ended_at.is_none() && is_sold(self, &catalog, one));
        let sold: Vec<&str> = sold.map(|one| one.id.as_str()).collect();
        if sold.is_empty() {
            self.tell_problems(&about, None, Vec::new()).await?;
            return Ok(Synced::NotOurs);
        }
        let detail = format!("customer `{customer}` has a subscription and is no account here");
        let evidence = [
            ("customer", customer.to_string()),
            ("subscriptions", sold.join(", ")),
        ];
        let found = vec![Found::new(ProblemKind::UnknownCustomer, detail, evidence)];
        self.tell_problems(&about, None, found).await?;
        Ok(Synced::Parked(Parked::UnknownCustomer))
    }

    /// A customer that was deleted at the provider is nobody's any more; what it bought stays.
    async fn drop_deleted(&self, fetched: &[FetchedCustomer]) -> Result<(), BillingError> {
        for gone in fetched.iter().filter(|one| one.is_deleted) {
            let id = self.customer_id(&gone.customer);
            self.store().unlink_customer(&id).await?;
        }
        Ok(())
    }

    pub(super) fn origin(&self) -> Origin {
        Origin {
            actor: Some(format!("provider:{}", self.code())),
            ..Origin::default()
        }
    }
}

/// A customer of which the provider has nothing: it is nobody's any more, as one that was deleted.
fn not_there(customer: &CustomerRef) -> FetchedCustomer {
    FetchedCustomer {
        customer: customer.clone(),
        is_deleted: true,
        is_on_test_clock: false,
        subscriptions: Vec::new(),
    }
}

/// Whether something in a subscription is sold here.
pub(super) fn is_sold(
    billing: &Billing,
    catalog: &Catalog,
    subscription: &ProviderSubscription,
) -> bool {
    let mut items = subscription.items.iter();
    items.any(|item| catalog.plan_of_price(billing.code(), &item.price).is_some())
}

fn on_test_clock(customer: &FetchedCustomer) -> Found {
    let customer = &customer.customer;
    Found::new(
        ProblemKind::TestClock,
        format!("customer `{customer}` lives on a test clock: nothing of it is applied"),
        [("customer", customer.to_string())],
    )
}

pub(super) fn refused(rejection: &Rejection) -> Found {
    let evidence = [("code", rejection.code().to_owned())];
    Found::new(ProblemKind::Refused, rejection.to_string(), evidence)
}
