//! Amounts and limits: integers only, no magic number means "no limit".

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::quantity::Quantity;

/// Largest amount of one request and largest limit, in stored units.
pub const AMOUNT_MAX: u64 = 1_000_000_000_000_000;
/// Largest value that a counter may reach: what fits 63 bits, rounded down, so that every store can keep it.
pub const COUNT_MAX: u64 = 9_000_000_000_000_000_000;

/// An amount outside 1 to 10^15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("amount must be a whole number from 1 to {AMOUNT_MAX}")]
pub struct InvalidAmount;

/// An amount that a request asks for: 1 to 10^15 stored units.
///
/// ```
/// use quota_core::amount::Amount;
/// assert_eq!(Amount::new(5)?.get(), 5);
/// assert!(Amount::new(0).is_err());
/// # Ok::<(), quota_core::amount::InvalidAmount>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Amount(u64);

impl Amount {
    /// Takes a number over as an amount.
    ///
    /// # Errors
    /// [`InvalidAmount`] outside 1 to 10^15.
    pub fn new(value: u64) -> Result<Self, InvalidAmount> {
        if (1..=AMOUNT_MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(InvalidAmount)
        }
    }

    /// The amount as a number, 1 to 10^15.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 1 to {AMOUNT_MAX}")
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Amount, E> {
                let wrong = |_| E::invalid_value(Unexpected::Unsigned(value), &self);
                Amount::new(value).map_err(wrong)
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
                let wrong = |_| E::invalid_value(Unexpected::Signed(value), &self);
                u64::try_from(value)
                    .map_err(wrong)
                    .and_then(|value| self.visit_u64(value))
            }
        }
        deserializer.deserialize_u64(Whole)
    }
}

/// What a plan or an override allows of a feature.
///
/// As JSON or TOML it is a whole number or `"unlimited"`; the older `-1` is read as unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// No ceiling.
    Unlimited,
    /// At most this many, 0 to 10^15.
    Of(u64),
}

impl Limit {
    /// The ceiling, or `None` when there is none.
    pub fn ceiling(self) -> Option<u64> {
        match self {
            Self::Unlimited => None,
            Self::Of(value) => Some(value),
        }
    }

    /// This limit in stored units, where one shown unit is `scale` of them; bounded by [`COUNT_MAX`].
    #[must_use]
    pub fn scaled(self, scale: u64) -> Self {
        match self {
            Self::Unlimited => Self::Unlimited,
            Self::Of(value) => Self::Of(value.saturating_mul(scale).min(COUNT_MAX)),
        }
    }

    /// Whether this limit is more than can be counted, where one shown unit is `scale` stored ones.
    pub(crate) fn overflows(self, scale: u64) -> bool {
        let stored = |value: u64| value.checked_mul(scale);
        matches!(self, Self::Of(value) if stored(value).is_none_or(|stored| stored > COUNT_MAX))
    }

    /// This limit and `more` beside it, in stored units; bounded by [`COUNT_MAX`].
    #[must_use]
    pub fn plus(self, more: u64) -> Self {
        match self {
            Self::Unlimited => Self::Unlimited,
            Self::Of(value) => Self::Of(value.saturating_add(more).min(COUNT_MAX)),
        }
    }

    /// This limit so many times, in stored units; bounded by [`COUNT_MAX`].
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Self {
        self.scaled(quantity.get().into())
    }

    /// This limit and another one together, in stored units: unlimited if either is.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match other {
            Self::Unlimited => Self::Unlimited,
            Self::Of(more) => self.plus(more),
        }
    }

    /// This limit without `less`, in stored units.
    #[must_use]
    pub(crate) fn minus(self, less: u64) -> Self {
        match self {
            Self::Unlimited => Self::Unlimited,
            Self::Of(value) => Self::Of(value.saturating_sub(less)),
        }
    }

    /// This limit, or `least` where that is more.
    #[must_use]
    pub(crate) fn at_least(self, least: u64) -> Self {
        match self {
            Self::Unlimited => Self::Unlimited,
            Self::Of(value) => Self::Of(value.max(least)),
        }
    }

    /// How much more fits when `taken` is used or held already.
    pub fn room(self, taken: u64) -> u64 {
        match self {
            Self::Unlimited => COUNT_MAX.saturating_sub(taken),
            Self::Of(ceiling) => ceiling.saturating_sub(taken),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Of(value) => value.fmt(f),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unlimited => serializer.serialize_str("unlimited"),
            Self::Of(value) => serializer.serialize_u64(*value),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeOrUnlimited { most: AMOUNT_MAX })
    }
}

/// Reads a limit in stored units, up to [`COUNT_MAX`]: what a scale, seats and add-ons make of one that was written.
///
/// # Errors
/// Those of the deserializer.
pub fn stored_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Limit, D::Error> {
    deserializer.deserialize_any(WholeOrUnlimited { most: COUNT_MAX })
}

/// [`stored_limit`] where there may be none.
///
/// # Errors
/// Those of the deserializer.
pub fn stored_limit_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Limit>, D::Error> {
    #[derive(Deserialize)]
    struct Stored(#[serde(deserialize_with = "stored_limit")] Limit);
    let stored = Option::<Stored>::deserialize(deserializer)?;
    Ok(stored.map(|Stored(limit)| limit))
}

struct WholeOrUnlimited {
    most: u64,
}

impl Visitor<'_> for WholeOrUnlimited {
    type Value = Limit;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.most;
        write!(f, "a whole number from 0 to {most} or \"unlimited\"")
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Limit, E> {
        if value > self.most {
            return Err(E::invalid_value(Unexpected::Unsigned(value), &self));
        }
        Ok(Limit::Of(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Limit, E> {
        match value {
            -1 => Ok(Limit::Unlimited),
            _ => u64::try_from(value)
                .map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
                .and_then(|value| self.visit_u64(value)),
        }
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Limit, E> {
        if value == "unlimited" {
            return Ok(Limit::Unlimited);
        }
        Err(E::invalid_value(Unexpected::Str(value), &self))
    }
}

#[cfg(feature = "openapi")]
mod schemas {
    use utoipa::{PartialSchema, ToSchema};

    use super::{AMOUNT_MAX, Amount, Limit};
    use crate::openapi::{SchemaOrRef, limit, whole_number};

    impl PartialSchema for Amount {
        fn schema() -> SchemaOrRef {
            let words = "How much, in stored units: 1 to 10^15";
            whole_number(words, 1, AMOUNT_MAX)
        }
    }

    impl ToSchema for Amount {}

    impl PartialSchema for Limit {
        fn schema() -> SchemaOrRef {
            limit(AMOUNT_MAX)
        }
    }

    impl ToSchema for Limit {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c6_a_limit_is_a_whole_number_or_unlimited_and_minus_one_is_read_as_unlimited() {
        // C6: unlimited or an integer >= 0; section 1: -1 is read at the edge, nothing else negative.
        let read = |text: &str| serde_json::from_str::<Limit>(text).ok();
        assert_eq!(read("0"), Some(Limit::Of(0)));
        assert_eq!(read("-1"), Some(Limit::Unlimited));
        assert_eq!(read("\"unlimited\""), Some(Limit::Unlimited));
        for bad in ["-2", "1.5", "\"5\"", "1e3", "1000000000000001", "null"] {
            assert_eq!(read(bad), None, "{bad} is not a limit");
        }
    }

    #[test]
    fn an_amount_is_a_whole_number_from_one_to_ten_to_the_fifteenth() {
        let read = |text: &str| serde_json::from_str::<Amount>(text).ok().map(Amount::get);
        assert_eq!(read("1"), Some(1));
        assert_eq!(read("1000000000000000"), Some(AMOUNT_MAX));
        for bad in [
            "0",
            "-1",
            "1.0",
            "\"1\"",
            "1000000000000001",
            "1e30",
            "true",
        ] {
            assert_eq!(read(bad), None, "{bad} is not an amount");
        }
    }
}
