//! What a catalog says of payment: the prices at a provider, when a renewal grants, and what is had while a payment is overdue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{PriceId, ProviderCode};

/// The prices of something at each provider: for months, for years, in several currencies, and old ones that are still paid.
pub type ProviderPrices = BTreeMap<ProviderCode, Vec<PriceId>>;

/// Most prices at a provider of one plan or pack.
pub const PRICES_MAX: usize = 100;

/// When the next period of a subscription grants (S11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// As soon as it begins; its invoice may be paid an hour later.
    #[default]
    AtOnce,
    /// Once its invoice is paid.
    WhenPaid,
}

/// What is had of a feature while a payment is overdue and the grace runs (S14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Overdue {
    /// All of it.
    #[default]
    Full,
    /// Limits and use are shown, and capacity may be given back; nothing more is granted.
    ReadOnly,
    /// Nothing, as if the subscription were not in force.
    Blocked,
}

/// The currency of a price that does not say its own.
pub(super) fn usd() -> String {
    "usd".to_owned()
}
