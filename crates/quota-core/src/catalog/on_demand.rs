//! What a plan sells of a feature when all else is spent (C11).

use serde::{Deserialize, Serialize};

use super::feature::{Feature, Kind};
use super::invalid::Fault;
use super::plan_limit::PlanValue;
use crate::absent::{is_one, one};
use crate::amount::{AMOUNT_MAX, COUNT_MAX, Limit};
use crate::ids::MeterName;
use crate::sale::Sale;

/// What a plan sells of a feature beyond all that is paid for, up to a cap in money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OnDemand {
    /// Minor units of the plan's currency for each shown unit, or for each `per` of them; at least 1.
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 1_000_000_000_000_000_u64)
    )]
    pub price: u64,
    /// For how many shown units that is the price; 1 when absent.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 1_000_000_000_000_000_u64)
    )]
    pub per: u64,
    /// Most money in one period of the subscription, in minor units of the plan's currency.
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000_000_000_000_u64))]
    pub cap: u64,
    /// The plan's currency, if it is said once more: no other is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, min_length = 3, max_length = 3)
    )]
    pub currency: Option<String>,
    /// The payment provider's meter that is told what is used, by the name of its events; one that is added counts from the next
    /// period on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub meter: Option<MeterName>,
}

impl OnDemand {
    /// The price of stored units of `feature` in a plan of this currency.
    pub(crate) fn sale(&self, currency: &str, feature: &Feature) -> Sale {
        Sale {
            price: self.price,
            per: self.per.saturating_mul(feature.scale).min(COUNT_MAX),
            currency: currency.to_owned(),
            meter: self.meter.clone(),
        }
    }

    /// Whether a plan of this currency may sell `feature` so, of which it says `value`.
    pub(super) fn check(
        &self,
        currency: &str,
        (feature, value): (&Feature, Option<&PlanValue>),
    ) -> Vec<Fault> {
        if let Err(unsold) = may_be_sold(feature, value) {
            return vec![unsold];
        }
        let mut found = Vec::new();
        if !(1..=AMOUNT_MAX).contains(&self.price) {
            let why = "must have a `price` of 1 to 10^15";
            found.push(Fault::at("price", why));
        }
        if !(1..=AMOUNT_MAX).contains(&self.per) || Limit::Of(self.per).overflows(feature.scale) {
            let why = "must have a `per` of 1 to 10^15, and at most 9 * 10^18 stored units";
            found.push(Fault::at("per", why));
        }
        let has_price = found.is_empty();
        if AMOUNT_MAX < self.cap {
            found.push(Fault::at("cap", "must have a `cap` of at most 10^15"));
        }
        if self.currency.as_ref().is_some_and(|own| own != currency) {
            let other = self.currency.as_deref().unwrap_or_default();
            let why =
                format!("must be sold in the plan's currency, `{currency}`, and not in `{other}`");
            found.push(Fault::at("currency", why));
        }
        let least = self.sale(currency, feature).owed(1);
        if has_price && self.cap != 0 && self.cap < least {
            let why = format!(
                "must have a `cap` that one unit fits, {least} or more: or 0, and then only an account's own cap has it sold"
            );
            found.push(Fault::at("cap", why));
        }
        found
    }
}

/// Whether `feature` may be sold at all, of which a plan says `value`.
fn may_be_sold(feature: &Feature, value: Option<&PlanValue>) -> Result<(), Fault> {
    match feature.kind {
        Kind::Consumable => {}
        Kind::Capacity => {
            let why = "cannot be sold: what is occupied of a capacity is still there when the period that paid for it ends";
            return Err(why.into());
        }
        Kind::Flag | Kind::Setting => {
            let kind = feature.kind.as_str();
            return Err(format!("cannot be sold: nothing of a {kind} is counted").into());
        }
    }
    let Some(value) = value else {
        return Err("cannot be sold: the plan's `limits` do not name it".into());
    };
    let limits = value.limits();
    if limits.iter().all(|limit| limit.limit == Limit::Unlimited) {
        return Err("cannot be sold: the plan does not limit it".into());
    }
    Ok(())
}
