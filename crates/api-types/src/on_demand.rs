//! On demand: what is sold beyond all that is paid for, and how far an account lets it go.

use chrono::{DateTime, Utc};
use quota_core::ids::FeatureCode;
use serde::{Deserialize, Serialize};

use crate::Label;

/// A feature that the plan sells on demand, in the running period of the subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnDemandBody {
    /// Sold and used, in stored units.
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    pub held: u64,
    /// What can still be sold, in stored units.
    pub remaining: u64,
    /// Price in minor units of the currency for each `per` stored units.
    pub price: u64,
    /// For how many stored units that is the price.
    pub per: u64,
    /// Three-letter currency code.
    pub currency: String,
    /// What the used units come to, in minor units of the currency.
    pub owed: u64,
    /// Most money for this feature in the period, in minor units of the currency.
    pub cap: u64,
    /// When the period ends: what is sold begins at 0.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub period_ends_at: Option<DateTime<Utc>>,
}

/// What an account owes for use on demand in the running period, over all features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SpendingBody {
    /// Owed for what is used, in minor units of the currency.
    pub owed: u64,
    /// Most that it may come to, in minor units of the currency.
    pub cap: u64,
    /// Three-letter currency code.
    pub currency: String,
    /// When the period ends: what is owed begins at 0.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub period_ends_at: Option<DateTime<Utc>>,
    /// The account's own cap, as an operator set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_cap: Option<u64>,
    /// The account's own cap, as its owner set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_cap: Option<u64>,
    /// What is owed beside it of periods that were left before their end, until that comes; newest first. `GET …/spending` lists
    /// every period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<SoldPeriodBody>,
}

/// What was sold to an account in one period of its subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SoldPeriodBody {
    /// First instant of the period.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub starts_at: DateTime<Utc>,
    /// The end of the period, exclusive; it may have been left before.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub ends_at: Option<DateTime<Utc>>,
    /// Owed for what is used of all features, in minor units of the currency.
    pub owed: u64,
    /// Three-letter currency code.
    pub currency: String,
    /// What was sold of each feature in the period.
    pub features: Vec<SoldFeatureBody>,
}

/// What was sold of one feature in a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SoldFeatureBody {
    /// Code of the feature.
    pub feature: FeatureCode,
    /// Sold and used, in stored units.
    pub used: u64,
    /// Reserved and not yet settled, in stored units.
    pub held: u64,
    /// Price in minor units of the currency for each `per` stored units.
    pub price: u64,
    /// For how many stored units that is the price.
    pub per: u64,
    /// What the used units come to, in minor units of the currency.
    pub owed: u64,
}

/// A page of the periods in which something was sold to an account, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SpendingList {
    /// The periods.
    pub items: Vec<SoldPeriodBody>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The account's own cap on what it spends on demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SpendCapBody {
    /// Most money in a period over all features, in minor units of the plan's currency: 0 to 10^15. More than the plan's caps
    /// together takes their place.
    #[cfg_attr(
        feature = "openapi",
        schema(example = 5000, maximum = 1_000_000_000_000_000_u64)
    )]
    pub amount: u64,
    /// Who asks. The owner may go as far as the operator's cap, or without one as the plan's caps together.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by: SpendCapBy,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// Whose own cap is taken away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClearSpendCapBody {
    /// Who asks: the owner's own cap goes, or by the operator both.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by: SpendCapBy,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// Who asks for a cap of an account. Your service knows; the product has no accounts of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpendCapBy {
    /// Who runs the service: also above the plan's caps.
    #[default]
    Operator,
    /// The account's owner: only below.
    Owner,
}

/// Whether it is what is meant when nothing is said.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
