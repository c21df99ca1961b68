//! Auto top-up: packs that are bought by themselves when credits run low.

use chrono::{DateTime, Utc};
use quota_core::amount::Amount;
use quota_core::ids::{Currency, PackCode, PaymentRef};
use quota_core::provider::TopUpState;
use quota_core::terms::{TopUpFailure, TopUpOffReason};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Label;

/// What is to be bought when credits run low.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetTopUpBody {
    /// Code of the pack that is bought, once at a time.
    #[cfg_attr(feature = "openapi", schema(example = "credits_500"))]
    pub pack: PackCode,
    /// It is bought when fewer credits than this can be spent: 1 to the credits of the pack.
    #[cfg_attr(feature = "openapi", schema(example = 100))]
    pub below: Amount,
    /// How many are bought in a calendar month of the account's time zone at most: 1 to 100.
    #[cfg_attr(feature = "openapi", schema(example = 5, minimum = 1, maximum = 100))]
    pub most_per_month: u32,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// That auto top-up was switched off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopUpOffBody {
    /// Since when nothing is bought.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub at: DateTime<Utc>,
    /// What switched it off: failures in a row, or money that came back.
    pub why: TopUpOffReason,
}

/// A top-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopUpBody {
    /// Its id; the provider has it beside the payment.
    pub id: Uuid,
    /// `open` until the provider says that it is paid or will not be.
    pub state: TopUpState,
    /// What it buys.
    pub pack: PackCode,
    /// What is paid for it, in minor units of the currency.
    pub amount: u64,
    /// That of the pack in the catalog.
    pub currency: Currency,
    /// When it was begun.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub opened_at: DateTime<Utc>,
    /// When it was paid or failed; absent while it is open.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub ended_at: Option<DateTime<Utc>>,
    /// The payment, once the provider has told of one; `GET …/payments` has it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentRef>,
    /// What kept it from being paid; absent unless it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<TopUpFailure>,
    /// What the provider said last of what stands in its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How auto top-up stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AutoTopUpBody {
    /// Code of the pack that is bought.
    pub pack: PackCode,
    /// It is bought when fewer credits than this can be spent.
    pub below: u64,
    /// How many are bought in a calendar month of the account's time zone at most.
    pub most_per_month: u32,
    /// Whether anything is bought by it. One that was switched off is switched on by setting it again.
    pub on: bool,
    /// Why it was switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<TopUpOffBody>,
    /// When it was set last.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub set_at: DateTime<Utc>,
    /// How many of this month are paid or open.
    pub bought_this_month: u64,
    /// When this month ends.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub month_ends_at: Option<DateTime<Utc>>,
    /// Failures in a row; the third switches it off.
    pub failures: u32,
    /// What the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<TopUpFailure>,
    /// Nothing is tried before this, after a failure.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::instant::serialize_option"
    )]
    pub next_try_at: Option<DateTime<Utc>>,
    /// The last ten top-ups, the one that was begun last first.
    pub last: Vec<TopUpBody>,
}
