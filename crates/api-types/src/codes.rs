//! Codes that are redeemed for credits, a boost or a plan for a time.

use chrono::{DateTime, Utc};
use quota_core::amount::Amount;
use quota_core::code::CodeState;
use quota_core::ids::{AccountId, BoostId, FeatureCode, GrantId, PlanCode};
use quota_core::quantity::Quantity;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Label;

/// Credits that a code gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreditsGiftBody {
    /// How many: 1 to 10^15.
    #[cfg_attr(feature = "openapi", schema(example = 100))]
    pub amount: Amount,
    /// Credits with a lower number are spent first; 0 by default.
    #[serde(default)]
    pub priority: u32,
    /// For how many days of 24 hours they last, from when they are given, 1 to 36,500; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 36_500, example = 90)
    )]
    pub days: Option<u32>,
}

/// Units of one feature that a code gives. Without `until` and `days` they end with the running period of the account's
/// subscription: whoever has none in force cannot redeem the code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BoostGiftBody {
    /// Code of the feature; a consumable.
    pub feature: FeatureCode,
    /// How much of it, in stored units: 1 to 10^15.
    #[cfg_attr(feature = "openapi", schema(example = 50))]
    pub amount: Amount,
    /// First instant at which what is left is lost; nor can the code be redeemed from then on.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub until: Option<DateTime<Utc>>,
    /// For how many days of 24 hours they last, from when they are given, 1 to 36,500; in place of `until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 36_500))]
    pub days: Option<u32>,
}

fn one() -> Quantity {
    Quantity::ONE
}

/// A plan that a code gives: at once where nothing that was paid for runs, else behind all of that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlanGiftBody {
    /// Code of the plan; no add-on. Its newest version counts, when the code is redeemed.
    pub plan: PlanCode,
    /// For how many days of 24 hours: 1 to 36,500.
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 36_500, example = 30)
    )]
    pub days: u32,
    /// For how many seats: 1 by default.
    #[serde(default = "one")]
    pub seats: Quantity,
}

/// What a code gives: one of these.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"credits": {"amount": 100}})))]
#[serde(deny_unknown_fields)]
pub struct GiftBody {
    /// Credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<CreditsGiftBody>,
    /// Units of one feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boost: Option<BoostGiftBody>,
    /// A plan for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanGiftBody>,
}

fn once() -> u32 {
    1
}

/// Codes that are to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCodesBody {
    /// What they are for, in your words.
    #[cfg_attr(feature = "openapi", schema(example = "spring sale"))]
    pub name: Label,
    /// What each of them gives.
    pub gift: GiftBody,
    /// How many codes: 1 to 1,000.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000, example = 3))]
    pub count: u32,
    /// How many accounts may redeem each code, each of them once: 1 to 1,000,000; 1 by default.
    #[serde(default = "once")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub uses_max: u32,
    /// First instant at which they can be redeemed; at once when absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub from: Option<DateTime<Utc>>,
    /// First instant at which they cannot be redeemed any more; for ever when absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub until: Option<DateTime<Utc>>,
}

/// Codes that were made together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeBatchBody {
    /// Its id, to list its codes and to revoke it by.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What each of its codes gives.
    pub gift: GiftBody,
    /// How many codes it has.
    pub count: u32,
    /// How many accounts may redeem each of them.
    pub uses_max: u32,
    /// How many uses all of them have together; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// First instant at which they can be redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// First instant at which they cannot be redeemed any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was revoked, with all its codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A code that was just made, with its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewCodeBody {
    /// Its id, to find it and to revoke it by.
    pub id: Uuid,
    /// Its place in the batch, from 1.
    pub number: u32,
    /// What is handed out and redeemed: only in the answer that makes it.
    #[cfg_attr(feature = "openapi", schema(example = "5D9BT-JPM5D-9BTJP-M5D9B-TJPM5"))]
    pub code: String,
}

/// Codes that were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeCodesBody {
    /// Their batch.
    pub batch: CodeBatchBody,
    /// The codes with their secrets, which are told this once; absent where the request repeats an earlier one with its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<Vec<NewCodeBody>>,
}

/// A code, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeBody {
    /// Its id.
    pub id: Uuid,
    /// The batch that it is of.
    pub batch: Uuid,
    /// Its place in the batch, from 1.
    pub number: u32,
    /// Its first five digits.
    #[cfg_attr(feature = "openapi", schema(example = "5D9BT"))]
    pub prefix: String,
    /// What can be done with it.
    pub state: CodeState,
    /// What it gives.
    pub gift: GiftBody,
    /// How many accounts have redeemed it.
    pub uses: u32,
    /// How many may.
    pub uses_max: u32,
    /// First instant at which it can be redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// First instant at which it cannot be redeemed any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Codes, by id: those of one batch by their numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeList {
    /// A page of them.
    pub items: Vec<CodeBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Batches of codes, the one that was made last first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeBatchList {
    /// A page of them.
    pub items: Vec<CodeBatchBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An account's use of a code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeUseBody {
    /// Who redeemed it.
    pub account: AccountId,
    /// When it was claimed for the account.
    pub claimed_at: DateTime<Utc>,
    /// When the account had what the code gives; absent where the call broke off before: the same call again ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeemed_at: Option<DateTime<Utc>>,
}

/// The uses of a code, by account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeUseList {
    /// A page of them.
    pub items: Vec<CodeUseBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A code that is to be redeemed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RedeemBody {
    /// The code as it was typed: capital and small letters are alike, spaces and dashes are left out, O is read as 0, and I and L as 1.
    #[cfg_attr(feature = "openapi", schema(example = "5D9BT-JPM5D-9BTJP-M5D9B-TJPM5"))]
    pub code: String,
}

/// What an account got by a code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedemptionBody {
    /// Who has it.
    pub account: AccountId,
    /// The code's id.
    pub code_id: Uuid,
    /// The code's batch.
    pub batch: Uuid,
    /// What it gave.
    pub gift: GiftBody,
    /// The grant that the credits are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The boost that the units are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boost: Option<BoostId>,
    /// When the account got it.
    pub redeemed_at: DateTime<Utc>,
}
