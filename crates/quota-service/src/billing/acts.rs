//! Changes of a subscription that its provider decides on: asked of the provider first, and here when it says so.

use quota_core::catalog::Catalog;
use quota_core::change::Change;
use quota_core::command::{ChangePlan, Command};
use quota_core::ids::{AccountId, PlanCode, PriceId, SubscriptionRef};
use quota_core::ports::SubscriptionAct;
use quota_core::provider::{OrderRefusal, ProviderItem};
use quota_core::quantity::Quantity;
use quota_core::terms::Subscription;

use super::{Billing, BillingError, Synced};
use crate::EngineError;

/// What is wanted of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionAsk {
    /// Another plan.
    ChangePlan(ChangePlan),
    /// So many seats.
    Seats(Quantity),
    /// Its end: at once, or with its period.
    Cancel {
        /// Whether it ends at once.
        now: bool,
    },
    /// The end that was set is taken back.
    Resume,
    /// Another period.
    Renew,
    /// Another status.
    SetStatus,
    /// Another subscription in its place.
    Replace,
}

/// Why a subscription is not changed at its provider.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The provider does this by itself, or only there.
    #[error("the subscription is one of `{provider}`, which {what} by itself")]
    OfProvider {
        /// Whose it is.
        provider: String,
        /// What it does, as a predicate.
        what: &'static str,
    },
    /// The plan is not sold there.
    #[error(transparent)]
    NotForSale(OrderRefusal),
    /// What is added now would be taken out again by what follows.
    #[error(
        "a change to `{0}` waits for the end of the period: take it back, or ask again when it has acted"
    )]
    ChangeWaits(PlanCode),
    /// Something could not be asked.
    #[error(transparent)]
    Billing(#[from] BillingError),
}

impl From<EngineError> for ActError {
    fn from(error: EngineError) -> Self {
        Self::Billing(error.into())
    }
}

/// A subscription that a provider decides on.
pub(super) struct Provided {
    pub(super) held: Subscription,
    pub(super) subscription: SubscriptionRef,
}

impl Billing {
    /// Has a change of a subscription made at its provider, if it is one of this provider that goes on; none when it is not: then the
    /// engine decides alone. The same key is the same change.
    ///
    /// # Errors
    /// [`ActError`] when it is not changed there, or that is not known: the same may be asked for again.
    pub async fn change_at_provider(
        &self,
        account: &AccountId,
        asked: &SubscriptionAsk,
        key: &str,
    ) -> Result<Option<Synced>, ActError> {
        let Some(provided) = self.provided(account).await? else {
            return Ok(None);
        };
        let act = match self.act_of(account, &provided, asked).await {
            // An earlier call may have changed it there, and what it is now was not heard.
            Err(ActError::NotForSale(_)) => {
                self.sync_account(account).await?;
                let Some(newest) = self.provided(account).await? else {
                    return Ok(None);
                };
                self.act_of(account, &newest, asked).await?
            }
            act => act?,
        };
        let key = format!("act:{account}:{key}");
        let acted = self
            .provider()
            .change_subscription(&provided.subscription, &act, &key);
        acted.await.map_err(BillingError::from)?;
        Ok(Some(self.sync_account(account).await?))
    }

    /// What is asked of the provider for what is wanted.
    async fn act_of(
        &self,
        account: &AccountId,
        provided: &Provided,
        asked: &SubscriptionAsk,
    ) -> Result<SubscriptionAct, ActError> {
        Ok(match asked {
            SubscriptionAsk::ChangePlan(asked) => self.plan_act(account, provided, asked).await?,
            SubscriptionAsk::Seats(seats) => self.seats_act(account, provided, *seats).await?,
            SubscriptionAsk::Cancel { now } => SubscriptionAct::Cancel { now: *now },
            SubscriptionAsk::Resume => SubscriptionAct::Resume,
            SubscriptionAsk::Renew => return Err(self.does("renews it")),
            SubscriptionAsk::SetStatus => return Err(self.does("says where it stands")),
            SubscriptionAsk::Replace => return Err(self.does("goes on with it")),
        })
    }

    pub(super) fn does(&self, what: &'static str) -> ActError {
        ActError::OfProvider {
            provider: self.code().to_string(),
            what,
        }
    }

    /// The subscription of an account, if it is one of this provider and goes on.
    pub(super) async fn provided(
        &self,
        account: &AccountId,
    ) -> Result<Option<Provided>, EngineError> {
        let row = self.engine().account(account).await?;
        let Some(held) = row.account.terms.subscription else {
            return Ok(None);
        };
        let (now, catalog) = (self.engine().now(), self.engine().catalog_now());
        let goes_on = held.current(&catalog, now).provided.is_some();
        let provided = held.provided.clone().filter(|_| goes_on);
        let ours = provided.filter(|provided| provided.provider == *self.code());
        Ok(ours.map(|provided| Provided {
            held,
            subscription: provided.subscription,
        }))
    }

    /// Another plan: at once or at the period's end, as the engine itself would.
    async fn plan_act(
        &self,
        account: &AccountId,
        provided: &Provided,
        asked: &ChangePlan,
    ) -> Result<SubscriptionAct, ActError> {
        let held = &provided.held;
        if asked.plan == held.plan {
            return Ok(if held.scheduled.is_some() {
                SubscriptionAct::DropScheduled
            } else {
                self.seats_act(account, provided, held.seats).await?
            });
        }
        let preview = self
            .engine()
            .preview(account, Command::ChangePlan(asked.clone()));
        let change = preview.await?.change;
        let at_period_end = matches!(change, Some((Change::PlanChangeScheduled, _)));
        let catalog = self.engine().catalog_now();
        let item = self.item_of(account, provided, &catalog).await?;
        let to = self.price_like(&item.price, (&held.plan, &asked.plan), &catalog)?;
        Ok(SubscriptionAct::Change {
            from: item.price,
            to,
            quantity: item.quantity.unwrap_or(1),
            at_period_end,
        })
    }

    async fn seats_act(
        &self,
        account: &AccountId,
        provided: &Provided,
        seats: Quantity,
    ) -> Result<SubscriptionAct, ActError> {
        let catalog = self.engine().catalog_now();
        let item = self.item_of(account, provided, &catalog).await?;
        Ok(SubscriptionAct::Change {
            from: item.price.clone(),
            to: item.price,
            quantity: seats.get().into(),
            at_period_end: false,
        })
    }

    /// What the provider sells as the plan that is held.
    async fn item_of(
        &self,
        account: &AccountId,
        provided: &Provided,
        catalog: &Catalog,
    ) -> Result<ProviderItem, ActError> {
        let is_plans = |item: &ProviderItem| {
            let plan = catalog.plan_of_price(self.code(), &item.price);
            plan.is_some_and(|plan| plan.code == provided.held.plan)
        };
        for id in self.customers_of(account).await? {
            let fetched = self.provider().customer(&id.customer).await;
            let fetched = fetched.map_err(BillingError::from)?;
            let mut all = fetched.into_iter().flat_map(|one| one.subscriptions);
            let Some(found) = all.find(|one| one.id == provided.subscription) else {
                continue;
            };
            if let Some(item) = found.items.into_iter().find(is_plans) {
                return Ok(item);
            }
        }
        Err(ActError::NotForSale(OrderRefusal::NoPrice {
            what: provided.held.plan.to_string(),
            provider: self.code().clone(),
        }))
    }

    /// The price of a plan that stands where `price` stands among those of the plan before, so that months follow months; else its first.
    pub(super) fn price_like(
        &self,
        price: &PriceId,
        (before, after): (&PlanCode, &PlanCode),
        catalog: &Catalog,
    ) -> Result<PriceId, ActError> {
        let prices = |code: &PlanCode| {
            let plan = catalog.plan(code, None);
            let known = plan.and_then(|plan| plan.provider_prices.get(self.code()));
            known.cloned().unwrap_or_default()
        };
        let place = prices(before).iter().position(|known| known == price);
        let known = prices(after);
        let alike = place.and_then(|place| known.get(place));
        alike.or_else(|| known.first()).cloned().ok_or_else(|| {
            ActError::NotForSale(OrderRefusal::NoPrice {
                what: after.to_string(),
                provider: self.code().clone(),
            })
        })
    }
}
