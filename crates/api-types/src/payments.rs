//! Payments of any provider: what was paid, what it bought, and what came back.

use chrono::{DateTime, Utc};
use quota_core::amount::Amount;
use quota_core::ids::{AccountId, Currency, FeatureCode, LineRef, PaymentRef, ProviderCode};
use quota_core::payment::{DisputeStatus, PaymentMode, PaymentStatus, RefundStatus};
use serde::{Deserialize, Serialize};

use crate::Label;

/// A line of a payment: it buys credits, or units of a feature as a boost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PaymentLineBody {
    /// The line, as the provider or you name it; unique within the payment, without a colon.
    #[serde(rename = "ref")]
    pub line: LineRef,
    /// How many credits it buys: 1 to 10^15; or it buys a `boost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 100))]
    pub credits: Option<Amount>,
    /// The boost that it buys, in place of `credits`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boost: Option<BoughtBoostBody>,
    /// Credits with a lower number are spent first; 0 by default. Not of a boost.
    #[serde(default)]
    pub priority: u32,
    /// First instant at which what is left is lost. When absent: of credits never; of a boost the end of the subscription's
    /// running period when it is credited, or 31 days later where none runs.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Units of one feature that a payment buys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BoughtBoostBody {
    /// Code of the feature; a consumable.
    pub feature: FeatureCode,
    /// How much of it, in stored units: 1 to 10^15.
    #[cfg_attr(feature = "openapi", schema(example = 50))]
    pub amount: Amount,
}

/// A payment that was paid, and what it buys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPurchaseBody {
    /// Who took the payment: `alipay`, `bank`.
    #[cfg_attr(feature = "openapi", schema(example = "bank"))]
    pub provider: ProviderCode,
    /// The payment, as the provider names it. It is booked once, however often it is sent.
    #[serde(rename = "ref")]
    pub payment: PaymentRef,
    /// What was paid, in minor units of the currency: 0 to 10^15.
    #[cfg_attr(
        feature = "openapi",
        schema(example = 1000, maximum = 1_000_000_000_000_000_u64)
    )]
    pub amount: u64,
    /// In which currency.
    pub currency: Currency,
    /// What it buys; at most 100 lines.
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub lines: Vec<PaymentLineBody>,
    /// When it was paid; now when absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub paid_at: Option<DateTime<Utc>>,
    /// Other ids that the provider has for it, at most 20: it is found by each of them, and none can be booked again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub ids: Vec<PaymentRef>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

fn succeeded() -> RefundStatus {
    RefundStatus::Succeeded
}

/// Where a refund of a payment stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPaymentRefundBody {
    /// Who took the payment.
    #[cfg_attr(feature = "openapi", schema(example = "bank"))]
    pub provider: ProviderCode,
    /// The payment, by any of its ids.
    pub payment: PaymentRef,
    /// The refund, as the provider names it. Sent again with another status, it is the same refund.
    #[serde(rename = "ref")]
    pub refund: PaymentRef,
    /// How much, in minor units of the payment's currency: 1 to what is left of the payment.
    #[cfg_attr(feature = "openapi", schema(example = 250))]
    pub amount: Amount,
    /// Where it stands: `succeeded` when absent. Those that `failed` or were `canceled` take no credits.
    #[serde(default = "succeeded")]
    pub status: RefundStatus,
    /// That of the payment, if you want it compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// Where a dispute about a payment stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPaymentDisputeBody {
    /// Who took the payment.
    #[cfg_attr(feature = "openapi", schema(example = "bank"))]
    pub provider: ProviderCode,
    /// The payment, by any of its ids.
    pub payment: PaymentRef,
    /// The dispute, as the provider names it. Sent again with another status, it is the same dispute.
    #[serde(rename = "ref")]
    pub dispute: PaymentRef,
    /// How much is disputed, in minor units of the payment's currency: 1 to the whole payment.
    #[cfg_attr(feature = "openapi", schema(example = 1000))]
    pub amount: Amount,
    /// Where it stands: `open` freezes credits, `won` frees them, `lost` takes them.
    pub status: DisputeStatus,
    /// That of the payment, if you want it compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentRefundBody {
    /// As the provider names it.
    #[serde(rename = "ref")]
    pub refund: PaymentRef,
    /// How much, in minor units of the payment's currency.
    pub amount: u64,
    /// Where it stands.
    pub status: RefundStatus,
}

/// A dispute about a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentDisputeBody {
    /// As the provider names it.
    #[serde(rename = "ref")]
    pub dispute: PaymentRef,
    /// How much is disputed, in minor units of the payment's currency.
    pub amount: u64,
    /// Where it stands.
    pub status: DisputeStatus,
}

/// A payment of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentBody {
    /// Who paid.
    pub account: AccountId,
    /// Who took the payment.
    pub provider: ProviderCode,
    /// The id that it is kept by.
    #[serde(rename = "ref")]
    pub payment: PaymentRef,
    /// Whether it was money.
    pub mode: PaymentMode,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What was paid, in minor units of the currency.
    pub amount: u64,
    /// In which currency.
    pub currency: Currency,
    /// What it bought. The grant or the boost of a line is named `provider:ref:line`.
    pub lines: Vec<PaymentLineBody>,
    /// Its refunds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<PaymentRefundBody>,
    /// Its disputes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<PaymentDisputeBody>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<DateTime<Utc>>,
    /// When it was told here first.
    pub created_at: DateTime<Utc>,
    /// When it was told here last.
    pub changed_at: DateTime<Utc>,
}

/// Payments of an account, the one that was told last first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentList {
    /// A page of them.
    pub items: Vec<PaymentBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Credits to forgive that an account owes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ForgiveBody {
    /// How many credits: 1 to 10^15; all that it owes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 30))]
    pub amount: Option<Amount>,
    /// Why; booked with the change.
    pub reason: Label,
}
