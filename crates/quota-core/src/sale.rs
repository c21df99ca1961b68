//! A sale: at what price units are sold on demand, and what money they come to (C11).

use serde::{Deserialize, Serialize};

use crate::absent::{is_one, one};
use crate::amount::COUNT_MAX;
use crate::ids::MeterName;

/// At what price units of a feature are sold. The short names are those of the stored books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// Minor units of `currency` for each `per` stored units; at least 1.
    #[serde(rename = "p")]
    pub price: u64,
    /// For how many stored units that is the price; at least 1.
    #[serde(rename = "q", default = "one", skip_serializing_if = "is_one")]
    pub per: u64,
    /// Three-letter currency code, lower case.
    #[serde(rename = "c")]
    pub currency: String,
    /// The provider's meter that is told what is used (P21), if one is: that which the period began with.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<MeterName>,
}

impl Sale {
    /// What so many units come to, in minor units of the currency: a part of one is charged whole.
    ///
    /// ```
    /// use quota_core::sale::Sale;
    ///
    /// let sale = Sale { price: 3, per: 1_000, currency: "eur".to_owned(), meter: None };
    /// assert_eq!([0, 1, 333, 334, 1_000].map(|units| sale.owed(units)), [0, 1, 1, 2, 3]);
    /// assert_eq!(sale.units_within(1), 333);
    /// ```
    pub fn owed(&self, units: u64) -> u64 {
        let price = u128::from(units).saturating_mul(self.price.into());
        let money = price.div_ceil(self.per.max(1).into());
        u64::try_from(money).unwrap_or(u64::MAX)
    }

    /// How many units come to no more than `money`; one more would pass it. Bounded by [`COUNT_MAX`].
    pub fn units_within(&self, money: u64) -> u64 {
        let whole = u128::from(money).saturating_mul(self.per.into());
        let units = whole.checked_div(self.price.into()).unwrap_or(0);
        u64::try_from(units).unwrap_or(u64::MAX).min(COUNT_MAX)
    }
}
