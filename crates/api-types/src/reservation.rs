//! One reservation, as it is read.

use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, FeatureCode, TokenId};
use quota_core::reservation::ReservationState;
use serde::{Deserialize, Serialize};

use crate::DrawBody;

/// A reservation: what it holds, until when, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReservationBody {
    /// Id of the reservation: `res.<account>.<uuid>`.
    pub id: String,
    /// The user's account, such as `user:alice`.
    pub account: AccountId,
    /// Id of the user's API token that it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// How much was reserved, in stored units.
    pub amount: u64,
    /// Its state now; `expired` from the deadline on.
    pub state: ReservationState,
    /// First instant at which it holds nothing any more, unless it ended before.
    pub expires_at: DateTime<Utc>,
    /// When it was committed or released, or passed its deadline; absent while it is open, or when the ledger no longer
    /// says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Units that were committed, in time or after it expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// What was reserved, in the order in which it is spent.
    pub draws: Vec<DrawBody>,
}
