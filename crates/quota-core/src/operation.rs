//! Operations: the append-only ledger. One operation is one accepted effect, or one denial that carries a key.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::answer::Answer;
use crate::balance::Bucket;
use crate::ids::{AccountId, FeatureCode, IdempotencyKey};
use crate::rules::decide::Scope;
use crate::rules::funding::Source;

/// A change of one balance. Every balance is the sum of its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// At which scope the request drew.
    pub scope: Scope,
    /// Whose balance.
    pub account: AccountId,
    /// Which balance.
    pub bucket: Bucket,
    /// What for; none for a change that is about no feature, such as a new grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// What kind of source.
    pub source: Source,
    /// Change of `used`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub used: i64,
    /// Change of `held`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held: i64,
    /// Change of `overage`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overage: i64,
    /// Change of `granted`; only grants have it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub granted: i64,
    /// What one unit of the feature cost in this balance: credits for a grant, 1 elsewhere.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub unit_cost: u64,
}

pub(crate) fn one() -> u64 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_one(value: &u64) -> bool {
    *value == 1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// What kind of effect an operation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Decided and spent.
    Consume,
    /// Recorded after the fact.
    Track,
    /// Decided and held.
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

/// Who asked, and about what: the part of an operation that no rule looks at (X7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The request it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The type of what was made or deleted, such as `article`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The id of what was made or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id; grows with time.
    pub id: Uuid,
    /// The account that the request names; scope of the key.
    pub account: AccountId,
    /// Its place in the home's history, without gaps.
    pub sequence: u64,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// What it did.
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
