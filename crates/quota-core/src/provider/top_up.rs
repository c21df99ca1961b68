//! A top-up: a pack that is bought by itself, from its beginning to its end (P20).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{AccountId, Currency, CustomerRef, PackCode, PaymentRef, ProviderCode};
use crate::payment::PaymentMode;
use crate::terms::TopUpFailure;

/// Where a top-up stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TopUpState {
    /// Nobody knows yet whether it will be paid. An account has one of these at most.
    Open,
    /// It was paid.
    Paid,
    /// It will not be paid.
    Failed,
}

impl TopUpState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Paid, Self::Failed];

    /// The state as a word, the same as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Failed => "failed",
        }
    }
}

/// A pack that is bought by itself. It is written before the provider is asked, and asked for under a key that is made of its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// Who pays, and is credited.
    pub account: AccountId,
    /// Its id; the provider keeps it beside the payment.
    pub id: Uuid,
    /// Where it is paid.
    pub provider: ProviderCode,
    /// Whether that is money.
    pub mode: PaymentMode,
    /// Who pays there: the account's customer as it was begun, if it had one.
    pub customer: Option<CustomerRef>,
    /// The pack that the account had set as this was begun.
    pub pack: PackCode,
    /// What is paid for it, in minor units of the currency.
    pub amount: u64,
    /// That of the pack in the catalog as this was begun.
    pub currency: Currency,
    /// Open until the provider says that it is paid or will not be.
    pub state: TopUpState,
    /// When it was begun.
    pub opened_at: DateTime<Utc>,
    /// How often it was looked at since the provider was asked for it, with that first time; 0 before.
    pub tries: u32,
    /// Not to be looked at before this, by others than who looks now.
    pub next_look_at: DateTime<Utc>,
    /// The payment, once the provider has told of one.
    pub payment: Option<PaymentRef>,
    /// When it was paid or failed; none while it is open.
    pub ended_at: Option<DateTime<Utc>>,
    /// What kept it from being paid; none unless it failed.
    pub failure: Option<TopUpFailure>,
    /// What was heard last of what stands in its way, in words.
    pub error: Option<String>,
    /// 1 as it is begun, and 1 more with every change.
    pub version: u64,
}
