//! What a provider's subscriptions are told with; see [`payload`](super::payload) on what is hashed of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::ProviderCode;
use crate::provider::ProviderSubscription;

/// Gives the account what its provider's subscriptions make of it. Said again, it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncSubscription {
    /// Whose subscriptions they are.
    pub provider: ProviderCode,
    /// All subscriptions of a customer, in whatever state.
    pub subscriptions: Vec<ProviderSubscription>,
    /// When the fetch began that saw them: nothing changes where one that began later was told already.
    pub fetched_at: DateTime<Utc>,
}
