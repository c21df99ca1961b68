//! Offers: what would end a denial.

use quota_core::amount::Amount;
use quota_core::catalog::Interval;
use quota_core::command::ChangeWhen;
use quota_core::draw::Scope;
use quota_core::ids::{AccountId, PlanCode};
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
    /// Credits.
    Credits,
}

/// Something that would end the denial. Any one of them is enough: with it, this very request would be allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfferBody {
    /// A plan, an add-on, or credits.
    pub kind: OfferKind,
    /// Who would have to buy it: the user, or the org where that denied the request.
    pub account: AccountId,
    /// Whose plan or wallet it is.
    pub scope: Scope,
    /// Code of the plan or the add-on, as in the catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "article_pro"))]
    pub plan: Option<PlanCode>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "Pro"))]
    pub name: Option<String>,
    /// Its price for one interval, of an add-on for one of it, in minor units of `currency`.
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
    /// Add-ons only: how many the account must have, `held` included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Add-ons only: how many the account has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 0))]
    pub held: Option<u32>,
    /// Credits only: how many are enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<Amount>,
}
