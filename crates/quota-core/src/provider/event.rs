//! What a provider told: kept once by its id, and worked on until its effect is there (P1, P3).

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{CustomerRef, EventRef, InvalidId, ProviderCode, shard_of};
use crate::payment::{PaymentId, PaymentMode};

/// An event of a provider. As text `stripe:live:evt_1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The provider that told it: ids of events are unique within one provider and mode.
    pub provider: ProviderCode,
    /// Whether the event is of real money or of the provider's place for tests.
    pub mode: PaymentMode,
    /// As the provider names it.
    pub event: EventRef,
}

impl EventId {
    /// The shard of this id, from 0 to 63, the same for ever, since it is stored.
    pub fn shard(&self) -> u8 {
        shard_of(&self.to_string())
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            provider,
            mode,
            event,
        } = self;
        write!(f, "{provider}:{}:{event}", mode.as_str())
    }
}

impl FromStr for EventId {
    type Err = InvalidId;

    /// Reads what [`Display`](std::fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let PaymentId {
            provider,
            mode,
            payment,
        } = text.parse()?;
        Ok(Self {
            provider,
            mode,
            event: EventRef::new(payment.as_str())?,
        })
    }
}

/// What an object of a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Whoever pays.
    Customer,
    /// A subscription.
    Subscription,
    /// What will become of a subscription.
    Schedule,
    /// A page on which somebody pays.
    Session,
    /// A bill.
    Invoice,
    /// A payment that is made, or tried.
    Intent,
    /// Money that was taken.
    Charge,
    /// Money that goes back.
    Refund,
    /// Money that a bank wants back.
    Dispute,
}

/// An object of a provider, which is fetched before anything is believed of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProviderObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id there.
    pub id: String,
}

/// Where the work on an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// It is worked on, or waits for that.
    Waiting,
    /// Its effect is there, or was there already.
    Done,
    /// It is about nothing that is looked at here.
    Ignored,
    /// What it is about is not there any more.
    Gone,
    /// It was tried too often; a person may try it again.
    GivenUp,
}

impl EventState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Done,
        Self::Ignored,
        Self::Gone,
        Self::GivenUp,
    ];
}

/// An event as it is kept: its kind and which object to fetch, and nothing else that it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEvent {
    /// Its id, by which it is kept once.
    pub id: EventId,
    /// What happened, in the provider's word.
    pub kind: String,
    /// The object that it is about, if that is one that is looked at here.
    pub about: Option<ProviderObject>,
    /// Whose object it is, where the event says so: a hint.
    pub customer: Option<CustomerRef>,
    /// When it happened, by the provider's clock.
    pub made_at: DateTime<Utc>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Where the work on it stands.
    pub state: EventState,
    /// How often it was tried; each try has its own number, and only the last one may end it.
    pub tries: u32,
    /// When it may be tried next; while somebody works on it, when that one is taken for dead.
    pub next_try_at: DateTime<Utc>,
    /// Why the last try failed.
    pub error: Option<String>,
}
