//! Packs: credits, or units of a feature, that are sold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::payment::usd;
use crate::absent::is_default;
use crate::amount::Amount;
use crate::ids::{FeatureCode, PackCode, PriceId, ProviderCode};

/// Credits, or units of one feature as a boost (C13), that are sold once, as often as wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its code, unique among the packs of the catalog.
    pub code: PackCode,
    /// A name for people.
    pub name: String,
    /// How many credits it gives: 1 to 10^15; or it gives a `boost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub credits: Option<Amount>,
    /// The boost that it gives, in place of `credits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub boost: Option<PackBoost>,
    /// Its price in minor units of `currency`.
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000_000_000_000_u64))]
    pub price: u64,
    /// Three-letter currency code, lower case.
    #[serde(default = "usd")]
    pub currency: String,
    /// For how many days of 24 hours its credits last, from when they are credited, 1 to 36,500; for ever when absent. A boost
    /// says this for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 36_500, nullable = false)
    )]
    pub days: Option<u32>,
    /// Grants with a lower number are spent first; not of a boost.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(maximum = 4_294_967_295_u32))]
    pub priority: u32,
    /// Its prices at each provider: who pays one of them bought the pack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provider_prices: BTreeMap<ProviderCode, Vec<PriceId>>,
}

/// Units of one feature that a pack gives, until an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PackBoost {
    /// The feature whose units it gives; a consumable.
    pub feature: FeatureCode,
    /// How many, in shown units: 1 to 10^15.
    pub amount: Amount,
    /// For how many days of 24 hours it lasts, from when it is credited, 1 to 36,500; when absent, to the end of the
    /// subscription's running period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 36_500, nullable = false)
    )]
    pub days: Option<u32>,
}
