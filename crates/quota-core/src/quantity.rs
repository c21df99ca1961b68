//! How many of a plan an account has.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Most seats of a subscription, and most of one add-on.
pub const QUANTITY_MAX: u32 = 100_000;

/// A number outside 1 to 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to {QUANTITY_MAX}")]
pub struct InvalidQuantity;

/// How many of a plan an account has: seats of a subscription (C12), or how often an add-on (C13). 1 to 100,000.
///
/// ```
/// use quota_core::quantity::Quantity;
///
/// assert_eq!(Quantity::default(), Quantity::ONE);
/// assert_eq!(Quantity::new(5)?.get(), 5);
/// assert!(Quantity::new(0).is_err());
/// # Ok::<(), quota_core::quantity::InvalidQuantity>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Quantity(u32);

impl Quantity {
    /// One, which is the default.
    pub const ONE: Self = Self(1);

    /// Takes a number over as a quantity.
    ///
    /// # Errors
    /// [`InvalidQuantity`] outside 1 to 100,000.
    pub fn new(value: u32) -> Result<Self, InvalidQuantity> {
        if (1..=QUANTITY_MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(InvalidQuantity)
        }
    }

    /// The quantity as a number, 1 to 100,000.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for Quantity {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl serde::de::Visitor<'_> for Whole {
            type Value = Quantity;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 1 to {QUANTITY_MAX}")
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Quantity, E> {
                let number = u32::try_from(value).ok();
                let quantity = number.and_then(|number| Quantity::new(number).ok());
                let sent = serde::de::Unexpected::Unsigned(value);
                quantity.ok_or_else(|| E::invalid_value(sent, &self))
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Quantity, E> {
                let sent = serde::de::Unexpected::Signed(value);
                match u64::try_from(value) {
                    Ok(value) => self.visit_u64(value),
                    Err(_) => Err(E::invalid_value(sent, &self)),
                }
            }
        }
        deserializer.deserialize_u32(Whole)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Quantity {
    fn schema() -> crate::openapi::SchemaOrRef {
        let words = "How many: 1 to 100,000";
        crate::openapi::whole_number(words, 1, QUANTITY_MAX.into())
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Quantity {}
