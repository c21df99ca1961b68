//! What may be bought at a provider's checkout (P12, P13, S13).

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalog::{Catalog, PlanKind, ProviderPrices};
use crate::ids::{PackCode, PlanCode, PriceId, ProviderCode};
use crate::quantity::Quantity;
use crate::terms::{Subscription, Terms};

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A plan, or an add-on.
    Plan(PlanCode),
    /// A pack of credits, or of units as a boost.
    Pack(PackCode),
}

/// What is to be paid at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its price there.
    pub price: PriceId,
    /// How many of it.
    pub quantity: Quantity,
    /// Whether it is paid again and again.
    pub is_recurring: bool,
    /// Whole days that it is free at first.
    pub trial_days: Option<u16>,
}

/// Why something cannot be bought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what it is about")]
pub enum OrderRefusal {
    #[error("there is no plan `{0}`")]
    UnknownPlan(PlanCode),
    #[error("there is no pack `{0}`")]
    UnknownPack(PackCode),
    #[error("`{what}` has no price at `{provider}`")]
    NoPrice {
        what: String,
        provider: ProviderCode,
    },
    #[error("`{price}` is no price of `{what}`")]
    OtherPrice { what: String, price: PriceId },
    #[error("the account has a subscription to `{0}`: change that one")]
    AlreadySubscribed(PlanCode),
    #[error(
        "`{0}` is paid with the subscription that the account has: `PUT …/addons/{0}` adds it there"
    )]
    PaidWithPlan(PlanCode),
    #[error("an add-on needs a plan that is in force")]
    NoBasePlan,
    #[error(
        "`{0}` lasts to the end of the running period, and no subscription is in force that has one"
    )]
    NoPeriod(PackCode),
}

/// The order for what an account wants; `price` is one of its prices, the first one when absent. A second base plan is refused while
/// one of a provider goes on (P12), an add-on is paid with such a one (P13), a trial is given once (S13), and what lasts as long as the running period needs one (C13).
///
/// # Errors
/// [`OrderRefusal`] says what stands against it.
pub fn order(
    provider: &ProviderCode,
    (wanted, quantity, price): (&Wanted, Quantity, Option<&PriceId>),
    (terms, catalog): (&Terms, &Catalog),
    (now, grace): (DateTime<Utc>, TimeDelta),
) -> Result<Order, OrderRefusal> {
    let prices = |of: &ProviderPrices| price_of(provider, (wanted, price), of);
    let in_force = || {
        let held = terms.subscription.as_ref()?;
        let current = held.current(catalog, now);
        Some(current).filter(|held| held.is_in_force(now, grace))
    };
    match wanted {
        Wanted::Pack(code) => {
            let pack = catalog.packs.get(code);
            let pack = pack.ok_or_else(|| OrderRefusal::UnknownPack(code.clone()))?;
            let lasts_a_period = pack
                .boost
                .as_ref()
                .is_some_and(|boost| boost.days.is_none());
            if lasts_a_period && in_force().is_none() {
                return Err(OrderRefusal::NoPeriod(code.clone()));
            }
            Ok(Order {
                price: prices(&pack.provider_prices)?,
                quantity,
                is_recurring: false,
                trial_days: None,
            })
        }
        Wanted::Plan(code) => {
            let plan = catalog.plan(code, None);
            let plan = plan.ok_or_else(|| OrderRefusal::UnknownPlan(code.clone()))?;
            let price = prices(&plan.provider_prices)?;
            match (plan.kind, in_force()) {
                (PlanKind::Addon, None) => return Err(OrderRefusal::NoBasePlan),
                (PlanKind::Base, Some(held)) if held.provided.is_some() => {
                    return Err(OrderRefusal::AlreadySubscribed(held.plan.clone()));
                }
                (PlanKind::Addon, Some(held)) if is_of(&held, provider) => {
                    return Err(OrderRefusal::PaidWithPlan(code.clone()));
                }
                (PlanKind::Addon, Some(_)) | (PlanKind::Base, _) => {}
            }
            let had_trial = terms.trial_settled_at.is_some();
            Ok(Order {
                price,
                quantity,
                is_recurring: true,
                trial_days: plan.trial_days.filter(|_| !had_trial),
            })
        }
    }
}

/// Whether this provider decides on a subscription.
fn is_of(held: &Subscription, provider: &ProviderCode) -> bool {
    let of = held.provided.as_ref();
    of.is_some_and(|of| of.provider == *provider)
}

fn price_of(
    provider: &ProviderCode,
    (wanted, price): (&Wanted, Option<&PriceId>),
    of: &ProviderPrices,
) -> Result<PriceId, OrderRefusal> {
    let what = || match wanted {
        Wanted::Plan(code) => code.to_string(),
        Wanted::Pack(code) => code.to_string(),
    };
    let known = of.get(provider).map(Vec::as_slice).unwrap_or_default();
    match price {
        Some(price) if known.contains(price) => Ok(price.clone()),
        Some(price) => Err(OrderRefusal::OtherPrice {
            what: what(),
            price: price.clone(),
        }),
        None => known.first().cloned().ok_or_else(|| OrderRefusal::NoPrice {
            what: what(),
            provider: provider.clone(),
        }),
    }
}
