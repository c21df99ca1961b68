//! How long a reservation lasts: a mistake is told with the least and the most, in seconds.

use std::fmt;

use quota_core::reservation::TTL_SECONDS_MAX;
use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = u32;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            text,
            "a whole number of seconds from 1 to {TTL_SECONDS_MAX}"
        )
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<u32, E> {
        let wrong = |_| E::invalid_value(Unexpected::Unsigned(seconds), &self);
        u32::try_from(seconds).map_err(wrong)
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<u32, E> {
        let wrong = |_| E::invalid_value(Unexpected::Signed(seconds), &self);
        u32::try_from(seconds).map_err(wrong)
    }
}

/// Reads a time to live. That it is in range is a rule, and held where the others are.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_u32(Seconds)
}
