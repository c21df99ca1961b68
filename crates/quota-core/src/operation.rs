//! Operations: the append-only ledger. One operation is one accepted effect, or one denial that carries a key.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::answer::Answer;
pub use crate::entry::{Elsewhere, Entry};
pub use crate::entry_row::{ReadEntries, WrittenEntries};
use crate::ids::{AccountId, IdempotencyKey};
use crate::origin::Origin;

/// What kind of effect an operation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Decided, and spent unless it was denied.
    Consume,
    /// Recorded after the fact.
    Track,
    /// Decided, and held unless it was denied.
    Reserve,
    /// A hold was settled.
    Commit,
    /// A hold was given back.
    Release,
    /// A hold's deadline was moved.
    Extend,
    /// A hold passed its deadline.
    Expire,
    /// A consumption was reversed.
    Refund,
    /// Capacity was given back.
    ReleaseCapacity,
    /// An operator set `used` to 0.
    Reset,
    /// The account's terms, tokens or grants changed.
    Change,
    /// Windows were closed, or the end of a subscription was recorded.
    Close,
}

impl OperationKind {
    /// Its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consume => "consume",
            Self::Track => "track",
            Self::Reserve => "reserve",
            Self::Commit => "commit",
            Self::Release => "release",
            Self::Extend => "extend",
            Self::Expire => "expire",
            Self::Refund => "refund",
            Self::ReleaseCapacity => "release_capacity",
            Self::Reset => "reset",
            Self::Change => "change",
            Self::Close => "close",
        }
    }
}

/// What is known of every operation of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindTraits {
    /// Whether it counts as use: it may be refunded, and every scope is charged the same for it (O1).
    pub is_use: bool,
    /// Whether what it draws is held and not spent.
    pub holds: bool,
    /// Whether readers are to learn of it at once: it changed limits or windows, not only what is used of them.
    pub is_urgent: bool,
}

impl OperationKind {
    /// What is known of it: the one place where a new kind says so.
    pub fn traits(self) -> KindTraits {
        let (is_use, holds, is_urgent) = match self {
            Self::Consume | Self::Track | Self::Commit => (true, false, false),
            Self::Reserve => (false, true, false),
            Self::Release | Self::Extend | Self::Expire | Self::Refund | Self::ReleaseCapacity => {
                (false, false, false)
            }
            Self::Reset | Self::Change | Self::Close => (false, false, true),
        };
        KindTraits {
            is_use,
            holds,
            is_urgent,
        }
    }
}

/// Bits of an operation's id that hold its sequence.
const SEQUENCE_BITS: u32 = 40;

/// The id of the operation that takes the place `sequence` in its home's history: that of its request, with the place in
/// its last 40 bits. So an operation is found by its id without an index of its own.
///
/// ```
/// use quota_core::operation::{id_at, sequence_of};
///
/// let request = "019b0000-1111-7222-8333-444444444444".parse()?;
/// let id = id_at(request, 7);
/// assert_eq!(id.to_string(), "019b0000-1111-7222-8333-440000000007");
/// assert_eq!(sequence_of(id), 7);
/// # Ok::<_, uuid::Error>(())
/// ```
pub fn id_at(request: Uuid, sequence: u64) -> Uuid {
    let mask = (1_u128 << SEQUENCE_BITS) - 1;
    Uuid::from_u128((request.as_u128() & !mask) | (u128::from(sequence) & mask))
}

/// The place in its home's history that an operation with this id has, if there is one; see [`id_at`].
pub fn sequence_of(id: Uuid) -> u64 {
    let mask = (1_u64 << SEQUENCE_BITS) - 1;
    id.as_u64_pair().1 & mask
}

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id; grows with time and ends with its place, see [`id_at`].
    pub id: Uuid,
    /// The account that the request names; scope of the key.
    pub account: AccountId,
    /// Its place in the home's history, without gaps.
    pub sequence: u64,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// What kind of effect it had.
    pub kind: OperationKind,
    /// The caller's key (X1).
    pub key: Option<IdempotencyKey>,
    /// Hash of what was asked.
    pub body_hash: [u8; 32],
    /// The operation or reservation that this one is about.
    pub refers_to: Option<Uuid>,
    /// What it changed; empty for a denial.
    pub entries: Vec<Entry>,
    /// What the caller was told, but for the draws, which are the entries.
    pub answer: Answer,
    /// Who asked, and about what.
    pub origin: Origin,
}

impl Operation {
    /// Whether the request was carried out; a release of capacity or a refund that gave nothing back was not (X4).
    pub fn is_allowed(&self) -> bool {
        let gave_back = |entry: &Entry| {
            !entry.is_beside() && (entry.used != 0 || entry.held != 0 || entry.overage != 0)
        };
        match &self.answer {
            Answer::Refunded { .. } => self.all_entries().any(gave_back),
            answer @ (Answer::Allowed { .. }
            | Answer::Reserved { .. }
            | Answer::Settled { .. }
            | Answer::Denied { .. }
            | Answer::Released { .. }
            | Answer::Changed { .. }
            | Answer::Unchanged) => answer.is_allowed(),
        }
    }

    /// What it changed in either home: its own entries, and those of the part that is booked elsewhere.
    pub fn all_entries(&self) -> impl Iterator<Item = &Entry> {
        let elsewhere = self.answer.elsewhere();
        let elsewhere = elsewhere.map(|part| part.entries.as_slice());
        self.entries.iter().chain(elsewhere.unwrap_or_default())
    }
}
