//! What will change a subscription, and when.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
    /// Whose it is.
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    /// What it changes.
    #[serde(default, deserialize_with = "id")]
    pub subscription: Option<String>,
    /// The phase that runs.
    #[serde(default, deserialize_with = "maybe")]
    pub current_phase: Option<CurrentPhase>,
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

/// When the phase runs that runs now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CurrentPhase {
    /// Its first instant.
    #[serde(default, deserialize_with = "instant")]
    pub start_date: Option<DateTime<Utc>>,
    /// The instant at which it is over.
    #[serde(default, deserialize_with = "instant")]
    pub end_date: Option<DateTime<Utc>>,
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
    /// Until when it is a trial.
    #[serde(default, deserialize_with = "instant")]
    pub trial_end: Option<DateTime<Utc>>,
    /// What is taken off in it.
    #[serde(default, deserialize_with = "array")]
    pub discounts: Vec<PhaseDiscount>,
    /// What is sold in it.
    #[serde(default, deserialize_with = "array")]
    pub items: Vec<PhaseItem>,
    /// What was attached to it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
}

/// What is taken off in a phase: one of the three names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct PhaseDiscount {
    /// A coupon.
    #[serde(default, deserialize_with = "id")]
    pub coupon: Option<String>,
    /// A discount that is there already.
    #[serde(default, deserialize_with = "id")]
    pub discount: Option<String>,
    /// A code.
    #[serde(default, deserialize_with = "id")]
    pub promotion_code: Option<String>,
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
