//! An entry of the ledger on its way to the meter.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::absent::is_default;
use crate::ids::{CustomerRef, InvalidId};

/// Our id of a ledger entry: its operation, and its place in that, from 0. As text `019b….3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EntryId {
    /// The operation that booked it.
    pub operation: Uuid,
    /// Its place among the entries of that.
    pub place: u32,
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.operation, self.place)
    }
}

impl From<EntryId> for String {
    fn from(id: EntryId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for EntryId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl FromStr for EntryId {
    type Err = InvalidId;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let refused = || InvalidId {
            what: "entry id",
            why: "must be an operation's id, a dot, and a number".into(),
        };
        let (operation, place) = text.split_once('.').ok_or_else(refused)?;
        Ok(Self {
            operation: operation.parse().map_err(|_| refused())?,
            place: place.parse().map_err(|_| refused())?,
        })
    }
}

/// How far an entry came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterState {
    /// It is yet to be told.
    Waiting,
    /// It is being told: whether it arrived is not known.
    Sending,
    /// The provider counts it.
    Told,
    /// It is being cancelled: whether the provider counts it still is not known.
    Cancelling,
    /// All of it was given back before it was told.
    Netted,
    /// It gives back, and is never told by itself.
    Refund,
    /// It is too old to be told.
    TooOld,
    /// Nobody can tell any more whether the provider counts it.
    Unknown,
}

impl MeterState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Sending,
        Self::Told,
        Self::Cancelling,
        Self::Netted,
        Self::Refund,
        Self::TooOld,
        Self::Unknown,
    ];

    /// The state as a word, the same as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Told => "told",
            Self::Cancelling => "cancelling",
            Self::Netted => "netted",
            Self::Refund => "refund",
            Self::TooOld => "too_old",
            Self::Unknown => "unknown",
        }
    }

    /// Whether something is still to be done for it.
    pub fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Sending | Self::Cancelling => true,
            Self::Told | Self::Netted | Self::Refund | Self::TooOld | Self::Unknown => false,
        }
    }

    /// Whether it is not known if the provider counts it.
    pub fn is_in_doubt(self) -> bool {
        match self {
            Self::Sending | Self::Cancelling => true,
            Self::Waiting
            | Self::Told
            | Self::Netted
            | Self::Refund
            | Self::TooOld
            | Self::Unknown => false,
        }
    }
}

/// A ledger entry that sold on demand, or gave back what was sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterEntry {
    /// The ledger entry that sold, or gave back.
    pub id: EntryId,
    /// Stored units that it sold, or gave back.
    pub units: u64,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// When it counts at the provider: a whole second within its period.
    pub at: DateTime<Utc>,
    /// How far it came.
    pub state: MeterState,
    /// How often it was cancelled: each time it is told anew under another identifier.
    #[serde(default, skip_serializing_if = "is_default")]
    pub generation: u32,
    /// Units of it that need not be told, since as many were given back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub netted: u64,
    /// Units that are, or are being, told under the identifier.
    #[serde(default, skip_serializing_if = "is_default")]
    pub told: u64,
    /// Of which customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerRef>,
    /// When it was told first under the identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<DateTime<Utc>>,
    /// Whether the provider refused to cancel it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_final: bool,
}

impl MeterEntry {
    /// Under which id the provider counts it once.
    pub fn identifier(&self) -> String {
        match self.generation {
            0 => self.id.to_string(),
            again => format!("{}.{again}", self.id),
        }
    }
}
