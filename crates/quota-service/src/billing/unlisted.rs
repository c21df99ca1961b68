//! Subscriptions that an account has and that none of its customers lists any more: each is asked for by itself.

use quota_core::ids::{AccountId, SubscriptionRef};
use quota_core::provider::{Provided, ProviderPeriod, ProviderSubscription};
use quota_core::terms::{Status, Terms};

use super::{Billing, BillingError};

/// The word for a subscription that is over, wherever it went.
const OVER: &str = "canceled";

impl Billing {
    /// What became of the subscriptions that an account has and that are not listed: as the provider tells each by its id; one that is
    /// not there, or that a customer of another account has, is over.
    pub(super) async fn unlisted(
        &self,
        account: &AccountId,
        listed: &[ProviderSubscription],
    ) -> Result<Vec<ProviderSubscription>, BillingError> {
        let mut links = self.store().customers_of(account).await?.into_iter();
        if links.any(|link| link.id.provider == *self.code() && link.id.mode != self.mode()) {
            // What it has may be of the other mode, and is not looked for in this one.
            return Ok(Vec::new());
        }
        let terms = self.engine().account(account).await?.account.terms;
        let mut found: Vec<ProviderSubscription> = Vec::new();
        for provided in provided_in(&terms) {
            let id = &provided.subscription;
            let mut known = listed.iter().chain(&found);
            if provided.provider != *self.code() || known.any(|known| known.id == *id) {
                continue;
            }
            let fact = match self.provider().subscription(id).await? {
                Some((customer, fact)) => {
                    let link = self.store().customer(&self.customer_id(&customer)).await?;
                    let is_anothers = link.is_some_and(|link| link.account != *account);
                    Some(fact).filter(|_| !is_anothers)
                }
                None => None,
            };
            found.push(fact.unwrap_or_else(|| self.over(id, &terms)));
        }
        Ok(found)
    }

    /// A subscription of which nothing is left but that the account has it: it ends now.
    fn over(&self, id: &SubscriptionRef, terms: &Terms) -> ProviderSubscription {
        let now = self.engine().now();
        let held = terms.subscription.as_ref();
        ProviderSubscription {
            id: id.clone(),
            status: OVER.to_owned(),
            items: Vec::new(),
            period: held.map(|held| ProviderPeriod {
                starts_at: held.starts_at,
                ends_at: held.ends_at,
            }),
            is_paid: None,
            cancel_at: None,
            ended_at: Some(now),
            trial_end: None,
            created: held.map_or(now, |held| held.anchor_at),
            has_pending_update: false,
            scheduled: None,
            is_collection_paused: false,
        }
    }
}

/// What an account has of providers and is not over: its base plan and its add-ons.
fn provided_in(terms: &Terms) -> impl Iterator<Item = &Provided> {
    let base = terms.subscription.as_ref();
    let base = base.filter(|held| held.status != Status::Canceled);
    let base = base.and_then(|held| held.provided.as_deref());
    let addons = terms.addons.values();
    let addons = addons.filter(|addon| addon.ends_at.is_none());
    base.into_iter()
        .chain(addons.filter_map(|addon| addon.provided.as_deref()))
}
