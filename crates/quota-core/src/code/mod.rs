//! Codes that are redeemed for credits, a boost or a plan for a time (P15).

mod gift;
mod secret;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{AccountId, IdempotencyKey, SHARDS, shard_of};

pub use gift::{BoostGift, CodeGift, CreditsGift, GIFT_DAYS_MAX, GiftEnd, PlanGift};
pub use secret::{CODE_CHARS, PREFIX_CHARS, plain_code, written_code};

/// Most codes of one batch.
pub const CODES_MAX: u32 = 1_000;
/// Most uses of one code: more than any account list that a code was seen printed for.
pub const USES_MAX: u32 = 1_000_000;

/// SHA-256 of a code in its plain form: what is kept of its secret, and what it is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeHash(pub [u8; 32]);

impl CodeHash {
    /// The shard of this code, from 0 to 63, the same for ever, since it is stored.
    ///
    /// ```
    /// use quota_core::code::CodeHash;
    ///
    /// assert_eq!(CodeHash([65; 32]).shard(), 1);
    /// ```
    pub fn shard(&self) -> u8 {
        let [first, ..] = self.0;
        first.checked_rem(SHARDS).unwrap_or(0)
    }
}

/// When codes may be redeemed: `[from, until)`, each end open where it is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CodeWindow {
    /// First instant.
    pub from: Option<DateTime<Utc>>,
    /// First instant after it.
    pub until: Option<DateTime<Utc>>,
}

/// Codes that were made together, and what each of them gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBatch {
    /// By which it is listed and revoked.
    pub id: Uuid,
    /// What it is for, in the operator's words.
    pub name: String,
    /// What each code gives.
    pub gift: CodeGift,
    /// How many accounts may redeem each code; 1 to [`USES_MAX`].
    pub uses_max: u32,
    /// When its codes may be redeemed.
    pub window: CodeWindow,
    /// How many codes it has; 1 to [`CODES_MAX`].
    pub count: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it is revoked, with all its codes.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Hash of what was asked for, to tell a repeated request from another one under its key (X1).
    pub body_hash: [u8; 32],
}

impl CodeBatch {
    /// The shard of the batch with this id, from 0 to 63, the same for ever, since it is stored.
    pub fn shard(id: Uuid) -> u8 {
        shard_of(&id.to_string())
    }
}

/// A code without its secret, and with what it needs of its batch: so that one row decides whether it may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// By which it is listed and revoked; not the secret.
    pub id: Uuid,
    /// The batch that it is of.
    pub batch: Uuid,
    /// Its place in the batch, from 1.
    pub number: u32,
    /// Hash of the secret.
    pub hash: CodeHash,
    /// The secret's first characters, to tell codes apart.
    pub prefix: String,
    /// What it gives.
    pub gift: CodeGift,
    /// How many accounts may redeem it.
    pub uses_max: u32,
    /// When it may be redeemed.
    pub window: CodeWindow,
    /// How many accounts have redeemed it.
    pub uses: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it is revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// One account's use of a code. It is claimed first, and done once the account has the gift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeUse {
    /// Who redeems.
    pub account: AccountId,
    /// The caller's key of the call that claimed it: the gift is booked under it, whoever ends what that call began.
    pub key: Option<IdempotencyKey>,
    /// When it was claimed.
    pub claimed_at: DateTime<Utc>,
    /// How many calls have begun to give the gift.
    pub tries: u32,
    /// How many of them were told for certain that it cannot be given.
    pub refused: u32,
    /// When the account had the gift.
    pub done_at: Option<DateTime<Utc>>,
}

/// What can be done with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// It can be redeemed.
    Open,
    /// Its window has not begun.
    NotBegun,
    /// Its window is over.
    Expired,
    /// As many accounts have redeemed it as may.
    UsedUp,
    /// It was revoked.
    Revoked,
}

/// How often an account was told that there is no such code, in the span that began at `began_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeFailures {
    /// When the first of them was told.
    pub began_at: DateTime<Utc>,
    /// How many.
    pub failures: u32,
}
