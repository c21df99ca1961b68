//! What the commands about auto top-up say; see [`payload`](super::payload) on what is hashed of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::Amount;
use crate::ids::PackCode;
use crate::terms::TopUpFailure;

/// Has a pack bought when the account's credits fall below a bound (P20). Said again, it is switched on again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetTopUp {
    /// The pack; it must be sold, at a price.
    pub pack: PackCode,
    /// It is bought when fewer credits than this can be spent: 1 to the credits of the pack.
    pub below: Amount,
    /// How many are bought in a calendar month of the account's zone at most: 1 to
    /// [`crate::terms::TOP_UPS_A_MONTH_MAX`].
    pub most_per_month: u32,
}

/// What a top-up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopUpEnd {
    /// It was paid.
    Paid,
    /// It will not be paid.
    Failed(TopUpFailure),
    /// It was paid, and money of it came back since.
    CameBack,
}

/// Says what a top-up came to (P20). Asked by what buys them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndTopUp {
    /// The id of its row; nothing of the books has it.
    pub top_up: Uuid,
    /// What it was to buy.
    pub pack: PackCode,
    /// When it was begun: what was begun before auto top-up was set last counts for nothing.
    pub opened_at: DateTime<Utc>,
    /// What it came to.
    pub end: TopUpEnd,
}
