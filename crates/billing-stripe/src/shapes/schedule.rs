//! What will change a subscription, and when.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{Listed, Metadata, array, id, instant, maybe, metadata};
use super::open::{Open, words};

words! {
    /// The state of a schedule.
    ScheduleStatus {
        Active = "active",
        Canceled = "canceled",
        Completed = "completed",
        NotStarted = "not_started",
        Released = "released",
    }
}

/// The phases of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// Its state.
    #[serde(default, deserialize_with = "maybe")]
    pub status: Option<Open<ScheduleStatus>>,
    /// What it changes.
    #[serde(default, deserialize_with = "id")]
    pub subscription: Option<String>,
    /// The phases, in order.
    #[serde(default, deserialize_with = "array")]
    pub phases: Vec<SchedulePhase>,
    /// What comes after the last one.
    #[serde(default, deserialize_with = "maybe")]
    pub end_behavior: Option<String>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SchedulePhase {
    /// Its first instant.
    #[serde(default, deserialize_with = "instant")]
    pub start_date: Option<DateTime<Utc>>,
    /// The instant at which it is over.
    #[serde(default, deserialize_with = "instant")]
    pub end_date: Option<DateTime<Utc>>,
    /// What is sold in it.
    #[serde(default, deserialize_with = "array")]
    pub items: Vec<PhaseItem>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// One price of a phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PhaseItem {
    /// Its price.
    #[serde(default, deserialize_with = "id")]
    pub price: Option<String>,
    /// Its price, as it was before there were prices.
    #[serde(default, deserialize_with = "id")]
    pub plan: Option<String>,
    /// How many.
    #[serde(default, deserialize_with = "maybe")]
    pub quantity: Option<u64>,
}

impl Listed for Schedule {
    fn id(&self) -> &str {
        &self.id
    }
}
