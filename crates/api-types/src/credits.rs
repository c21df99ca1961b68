//! Prepaid credits.

use chrono::{DateTime, Utc};
use quota_core::amount::Amount;
use quota_core::ids::{Currency, GrantId, LineRef, PaymentRef, ProviderCode};
use serde::{Deserialize, Serialize};

use crate::Label;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Where a grant of credits or a boost stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Something of it can be spent, or is reserved, disputed, or owed to it.
    Live,
    /// All of it is spent, but for what was taken back.
    Spent,
    /// Its time is over; what was left is lost.
    Expired,
    /// All of it was taken back before any was spent.
    TakenBack,
}

/// With what a grant or a boost was bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantPurchaseBody {
    /// Who took the payment.
    #[cfg_attr(feature = "openapi", schema(example = "bank"))]
    pub provider: ProviderCode,
    /// The payment, by the id that it is kept by.
    pub payment: PaymentRef,
    /// The line of it.
    pub line: LineRef,
    /// What the whole payment came to, in minor units of the currency.
    pub amount: u64,
    /// In which currency.
    pub currency: Currency,
}

/// A grant of credits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantBody {
    /// Its id, unique within the account.
    pub id: GrantId,
    /// Whether something of it is left.
    pub state: GrantState,
    /// Credits that were granted, less what was taken back.
    pub granted: u64,
    /// Credits spent for good.
    pub used: u64,
    /// Credits that open reservations hold.
    pub held: u64,
    /// Credits that can still be spent or reserved.
    pub remaining: u64,
    /// Credits that were taken back: by refunds, lost disputes, or by hand.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revoked: u64,
    /// Credits whose payment is disputed; they can be spent again if the dispute is won.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub frozen: u64,
    /// Credits that cover what was spent of other grants before it was taken back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub covers: u64,
    /// Credits that were spent of it and taken back since; other grants cover them, or they are debt.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub short: u64,
    /// With what it was bought; absent when it was granted by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<GrantPurchaseBody>,
    /// Grants with a lower number are spent first.
    pub priority: u32,
    /// When it was granted.
    pub starts_at: DateTime<Utc>,
    /// First instant at which what is left is lost; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// An account's credits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreditsBody {
    /// Credits that can be spent, of all grants together.
    pub balance: u64,
    /// Credits whose payment is disputed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub frozen: u64,
    /// Credits that were spent of what was taken back since, and that no grant covers: what is granted next pays them first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub debt: u64,
    /// Credits that were bought and wait until other grants are spent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waiting: u64,
    /// On the first page those of which something is left or reserved. Then those that ended, by id: spent, expired and
    /// taken back, with `remaining` 0.
    pub grants: Vec<GrantBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A new grant of credits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewGrantBody {
    /// Your id for the grant; an account never has the same id twice.
    pub id: GrantId,
    /// How many credits: 1 to 10^15.
    #[cfg_attr(feature = "openapi", schema(example = 50))]
    pub amount: Amount,
    /// Grants with a lower number are spent first; 0 by default.
    #[serde(default)]
    pub priority: u32,
    /// First instant at which what is left is lost; never when absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// Credits to take back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TakeBackBody {
    /// How many credits: 1 to 10^15, also such as were spent: other grants pay them, or they are debt. Everything that is
    /// left of the grant when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 50))]
    pub amount: Option<Amount>,
    /// Why; booked with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}
