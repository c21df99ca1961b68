//! Meters, and what is told to them.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{Listed, instant, maybe};

/// What counts use that is paid for afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Meter {
    /// Its id.
    pub id: String,
    /// The name that its events have.
    #[serde(default, deserialize_with = "maybe")]
    pub event_name: Option<String>,
    /// What people read.
    #[serde(default, deserialize_with = "maybe")]
    pub display_name: Option<String>,
    /// `active` or `inactive`.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<String>,
}

/// Use that was told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MeterEvent {
    /// Our id of it, once in at least a day.
    #[serde(default, deserialize_with = "maybe")]
    pub identifier: Option<String>,
    /// The meter.
    #[serde(default, deserialize_with = "maybe")]
    pub event_name: Option<String>,
    /// When it was made.
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
}

/// What a meter counted of one customer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MeterSum {
    /// Its id.
    pub id: String,
    /// How much; whole as far as we told it.
    #[serde(default, deserialize_with = "maybe")]
    pub aggregated_value: Option<serde_json::Number>,
    /// From when.
    #[serde(default, deserialize_with = "instant")]
    pub start_time: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default, deserialize_with = "instant")]
    pub end_time: Option<DateTime<Utc>>,
}

impl Listed for Meter {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for MeterSum {
    fn id(&self) -> &str {
        &self.id
    }
}
