//! Fields that keep their value when they are absent: `null` says nothing of them, and is refused.

use chrono::{DateTime, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Reads a field that may be absent and not `null`.
pub fn deserialize<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    must_be_said(Option::deserialize(from)?)
}

/// Reads an instant that may be absent and not `null`.
pub fn deserialize_instant<'de, D>(from: D) -> Result<Option<DateTime<Utc>>, D::Error>
where
    D: Deserializer<'de>,
{
    must_be_said(crate::instant::deserialize_option(from)?)
}

fn must_be_said<T, E: Error>(said: Option<T>) -> Result<Option<T>, E> {
    if said.is_none() {
        let why = "must not be null: leave it out, and it stays as it is";
        return Err(E::custom(why));
    }
    Ok(said)
}
