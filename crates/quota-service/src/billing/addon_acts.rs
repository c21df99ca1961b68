//! Add-ons that a provider bills with the plan: asked of the provider first, and here when it says so (C13, P13).

use chrono::{DateTime, Utc};
use quota_core::catalog::{Catalog, PlanKind};
use quota_core::ids::{AccountId, PlanCode, SubscriptionRef};
use quota_core::ports::SubscriptionAct;
use quota_core::provider::ProviderItem;
use quota_core::quantity::Quantity;

use super::{ActError, Billing, BillingError, Synced};

/// What is wanted of an add-on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonAsk {
    /// The add-on, by the code of its plan.
    pub plan: PlanCode,
    /// How many of it; none ends it.
    pub quantity: Option<Quantity>,
    /// When it is to end by itself.
    pub ends_at: Option<DateTime<Utc>>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonAtProvider {
    /// What the sync behind it came to.
    pub synced: Synced,
    /// Whether the account has as many as were asked for; else the provider waits for their payment.
    pub is_had: bool,
}

impl Billing {
    /// Has an add-on set at the provider, where that bills it: one that it bills already, or one that it sells to an account whose
    /// subscription is one of it. None for any other, and for one that was given by hand: then the engine decides alone. The same
    /// key is the same change.
    ///
    /// # Errors
    /// [`ActError`] when it is not changed there, or that is not known: the same may be asked for again.
    pub async fn set_addon_at_provider(
        &self,
        account: &AccountId,
        asked: &AddonAsk,
        key: &str,
    ) -> Result<Option<AddonAtProvider>, ActError> {
        let Some(subscription) = self.bills_addon(account, asked).await? else {
            return Ok(None);
        };
        if asked.ends_at.is_some() {
            return Err(self.does("bills its add-ons until they are ended"));
        }
        let act = self.addon_act(account, (&subscription, asked)).await?;
        if let Some(act) = act {
            let key = format!("act:{account}:{key}");
            let acted = self
                .provider()
                .change_subscription(&subscription, &act, &key);
            acted.await.map_err(BillingError::from)?;
        }
        let synced = self.sync_account(account).await?;
        let held = self.held_of(account, &asked.plan).await?;
        Ok(Some(AddonAtProvider {
            synced,
            is_had: held == asked.quantity,
        }))
    }

    /// The subscription with which the provider bills an add-on, or would.
    async fn bills_addon(
        &self,
        account: &AccountId,
        asked: &AddonAsk,
    ) -> Result<Option<SubscriptionRef>, ActError> {
        let (now, catalog) = (self.engine().now(), self.engine().catalog_now());
        let plan = catalog.plan(&asked.plan, None);
        let Some(plan) = plan.filter(|plan| plan.kind == PlanKind::Addon) else {
            return Ok(None);
        };
        let terms = self.engine().account(account).await?.account.terms.clone();
        let held = terms.addons.get(&asked.plan);
        if let Some(held) = held.filter(|held| !held.is_over(now)) {
            let provided = held.provided.as_ref();
            let ours = provided.filter(|provided| provided.provider == *self.code());
            return Ok(ours.map(|ours| ours.subscription.clone()));
        }
        let is_sold = plan.provider_prices.contains_key(self.code());
        if asked.quantity.is_none() || !is_sold {
            return Ok(None);
        }
        let base = self.provided(account).await?;
        Ok(base.map(|base| base.subscription))
    }

    /// What is asked of the provider; nothing where it has no such subscription any more.
    async fn addon_act(
        &self,
        account: &AccountId,
        (subscription, asked): (&SubscriptionRef, &AddonAsk),
    ) -> Result<Option<SubscriptionAct>, ActError> {
        let fetched = self.provider().subscription(subscription).await;
        let Some((_, fetched)) = fetched.map_err(BillingError::from)? else {
            return Ok(None);
        };
        let catalog = self.engine().catalog_now();
        let base = self.provided(account).await?;
        let base = base.filter(|base| base.subscription == *subscription);
        let scheduled = base.as_ref().and_then(|base| base.held.scheduled.as_ref());
        if let Some(change) = scheduled {
            return Err(ActError::ChangeWaits(change.plan.clone()));
        }
        let item = self.item_of_plan(&fetched.items, &asked.plan, &catalog);
        let price = match (item, base) {
            (Some(item), _) => item.price.clone(),
            (None, None) => return Ok(None),
            (None, Some(base)) => {
                let plan = &base.held.plan;
                let item = self.item_of_plan(&fetched.items, plan, &catalog);
                let item = item.or_else(|| fetched.items.first());
                let Some(item) = item else {
                    return Ok(None);
                };
                self.price_like(&item.price, (plan, &asked.plan), &catalog)?
            }
        };
        Ok(Some(SubscriptionAct::Item {
            price,
            quantity: asked.quantity.map_or(0, |quantity| quantity.get().into()),
        }))
    }

    /// What is sold as a plan among the items of a subscription.
    fn item_of_plan<'a>(
        &self,
        items: &'a [ProviderItem],
        code: &PlanCode,
        catalog: &Catalog,
    ) -> Option<&'a ProviderItem> {
        items.iter().find(|item| {
            let plan = catalog.plan_of_price(self.code(), &item.price);
            plan.is_some_and(|plan| plan.code == *code)
        })
    }

    /// How many of an add-on an account has now.
    async fn held_of(
        &self,
        account: &AccountId,
        plan: &PlanCode,
    ) -> Result<Option<Quantity>, ActError> {
        let now = self.engine().now();
        let row = self.engine().account(account).await?;
        let held = row.account.terms.addons.get(plan);
        Ok(held
            .filter(|held| held.is_held(now))
            .map(|held| held.quantity))
    }
}
