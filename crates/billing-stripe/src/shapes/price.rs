//! Prices, the plans of old, and products.

use serde::Deserialize;

use super::lenient::{Listed, Metadata, OneOf, id, maybe, metadata, one_of};
use super::open::{Open, words};

words! {
    /// How often a price is asked for.
    Interval {
        Day = "day",
        Week = "week",
        Month = "month",
        Year = "year",
    }
}

words! {
    /// Whether a price is asked for once.
    PriceKind {
        OneTime = "one_time",
        Recurring = "recurring",
    }
}

/// What something costs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Price {
    /// Its id.
    pub id: String,
    /// Whether it can be bought.
    #[serde(default, deserialize_with = "maybe")]
    pub active: Option<bool>,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// In the smallest unit of the currency; none when it has fractions or tiers.
    #[serde(default, deserialize_with = "maybe")]
    pub unit_amount: Option<i64>,
    /// Our own name for it.
    #[serde(default, deserialize_with = "maybe")]
    pub lookup_key: Option<String>,
    /// Once, or again and again.
    #[serde(rename = "type")]
    #[serde(default, deserialize_with = "maybe")]
    pub kind: Option<Open<PriceKind>>,
    /// How often.
    #[serde(default, deserialize_with = "maybe")]
    pub recurring: Option<Recurring>,
    /// What is sold.
    #[serde(default, deserialize_with = "one_of")]
    pub product: Option<OneOf<Product>>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// How often a price is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Recurring {
    /// The unit.
    #[serde(default, deserialize_with = "maybe")]
    pub interval: Option<Open<Interval>>,
    /// How many of it.
    #[serde(default, deserialize_with = "maybe")]
    pub interval_count: Option<i64>,
    /// The meter that counts what is used.
    #[serde(default, deserialize_with = "id")]
    pub meter: Option<String>,
}

/// A recurring price, as it was before there were prices. Its id is that of the price.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: String,
    /// In the smallest unit.
    #[serde(default, deserialize_with = "maybe")]
    pub amount: Option<i64>,
    /// Three letters in lower case.
    #[serde(default, deserialize_with = "maybe")]
    pub currency: Option<String>,
    /// The unit of its interval.
    #[serde(default, deserialize_with = "maybe")]
    pub interval: Option<Open<Interval>>,
    /// How many of it.
    #[serde(default, deserialize_with = "maybe")]
    pub interval_count: Option<i64>,
    /// What is sold.
    #[serde(default, deserialize_with = "one_of")]
    pub product: Option<OneOf<Product>>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// What is sold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: String,
    /// Whether it can be bought.
    #[serde(default, deserialize_with = "maybe")]
    pub active: Option<bool>,
    /// Whether it is of the live mode.
    #[serde(default, deserialize_with = "maybe")]
    pub livemode: Option<bool>,
    /// What customers see.
    #[serde(default, deserialize_with = "maybe")]
    pub name: Option<String>,
    /// Its price.
    #[serde(default, deserialize_with = "id")]
    pub default_price: Option<String>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

impl Listed for Price {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for Product {
    fn id(&self) -> &str {
        &self.id
    }
}
