//! Which account of a provider is ours, and which of its customers is which account here (P14, P17).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, CustomerRef, ProviderCode, SubscriptionRef, shard_of};
use crate::payment::PaymentMode;

/// A customer of a provider. As text `stripe:live:cus_1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId {
    /// The provider that has this customer: ids are unique within one provider and mode.
    pub provider: ProviderCode,
    /// Whether it is of real money or of the provider's place for tests.
    pub mode: PaymentMode,
    /// As the provider names it.
    pub customer: CustomerRef,
}

impl CustomerId {
    /// The shard of this id, from 0 to 63, the same for ever, since it is stored.
    ///
    /// ```
    /// use quota_core::ids::{CustomerRef, ProviderCode};
    /// use quota_core::payment::PaymentMode;
    /// use quota_core::provider::CustomerId;
    ///
    /// let id = CustomerId {
    ///     provider: ProviderCode::new("stripe")?,
    ///     mode: PaymentMode::Live,
    ///     customer: CustomerRef::new("cus_1")?,
    /// };
    /// assert_eq!(id.to_string(), "stripe:live:cus_1");
    /// assert!(id.shard() < 64);
    /// # Ok::<(), quota_core::ids::InvalidId>(())
    /// ```
    pub fn shard(&self) -> u8 {
        shard_of(&self.to_string())
    }
}

impl std::fmt::Display for CustomerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            provider,
            mode,
            customer,
        } = self;
        write!(f, "{provider}:{}:{customer}", mode.as_str())
    }
}

/// Which account a customer is. The first link stays until it is taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerLink {
    /// The customer.
    pub id: CustomerId,
    /// The account that it pays for.
    pub account: AccountId,
    /// Since when.
    pub linked_at: DateTime<Utc>,
    /// When the fetch of its account's subscriptions began that was taken last (P6).
    pub synced_at: Option<DateTime<Utc>>,
}

/// The account at a provider that this engine is connected to. The first one stays: another is not ours (P14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The provider, `stripe`.
    pub provider: ProviderCode,
    /// Whether it is of real money or of the provider's place for tests.
    pub mode: PaymentMode,
    /// The account there, as the provider names it.
    pub account: String,
    /// What was paid before this is history, and not credit (P17): when the first connection was made.
    pub money_starts_at: DateTime<Utc>,
    /// How far the sync job came.
    pub progress: SyncProgress,
}

/// How far the sync job came with a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncProgress {
    /// Up to when all events were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_read_until: Option<DateTime<Utc>>,
    /// When the list of subscriptions that was read to its end was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_at: Option<DateTime<Utc>>,
    /// When the list was begun that is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_began_at: Option<DateTime<Utc>>,
    /// The last subscription of that list that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_after: Option<SubscriptionRef>,
}
