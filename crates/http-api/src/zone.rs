//! Time zones in bodies.

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};

/// A zone of the tz database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zone(pub(crate) Tz);

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let name = String::deserialize(deserializer)?;
        let zone = name.parse().map(Self);
        zone.map_err(|_| {
            D::Error::custom("is not a zone of the tz database, such as `Europe/Berlin`")
        })
    }
}
