//! Offers: what would end a denial.

use quota_core::amount::Amount;
use quota_core::catalog::Interval;
use quota_core::command::ChangeWhen;
use quota_core::draw::Scope;
use quota_core::ids::{AccountId, PackCode, PlanCode};
use quota_core::quantity::Quantity;
use serde::{Deserialize, Serialize};

/// What the catalog sells that would end a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// A plan to subscribe to, or to change to.
    Plan,
    /// An add-on beside the plan.
    Addon,
    /// More seats of the plan.
    Seats,
    /// Credits.
    Credits,
    /// A pack of credits.
    Pack,
}

/// Something that would end the denial. Any one of them is enough: with it, this very request would be allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfferBody {
    /// A plan, an add-on, seats, credits, or a pack of them.
    pub kind: OfferKind,
    /// Who would have to buy it: the user, or the org where that denied the request.
    pub account: AccountId,
    /// Whose plan or wallet it is.
    pub scope: Scope,
    /// Code of the plan or the add-on, as in the catalog; of seats, the plan that the account has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "article_pro"))]
    pub plan: Option<PlanCode>,
    /// Code of the pack, as in the catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "credits_500"))]
    pub pack: Option<PackCode>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "Pro"))]
    pub name: Option<String>,
    /// Its price for one interval, of an add-on and of a pack for one of it, in minor units of `currency`; of seats the price that
    /// the catalog names for the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 4900))]
    pub price: Option<u64>,
    /// Three-letter currency code, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "usd"))]
    pub currency: Option<String>,
    /// The length of one period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Plans only: `now` where the change has to be asked for with `when: now`, since it would wait for the period's end. It
    /// drops then what was paid for of the running period; `dry_run` says what else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<ChangeWhen>,
    /// Of an add-on and of seats how many the account must have, `held` included; of a pack how many to buy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Add-ons and seats only: how many count for the account now. An add-on that was bought beside a plan which has ended does
    /// not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 0))]
    pub held: Option<u32>,
    /// Of credits how many are enough, those that pay a debt first among them; of a pack how many one of it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<Amount>,
}
