//! What a code gives beside credits and boosts.

use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::ids::PlanCode;
use crate::quantity::Quantity;

/// Gives a plan for a time: at once where nothing that was paid for runs, else behind all of that (P15, S8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivePlan {
    /// Code of the plan; its newest version counts.
    pub plan: PlanCode,
    /// For how many days of 24 hours: 1 to [`crate::code::GIFT_DAYS_MAX`].
    pub days: u32,
    /// For how many seats (C12).
    #[serde(default, skip_serializing_if = "is_default")]
    pub seats: Quantity,
}
