//! What the commands about bought credits and boosts say; see [`payload`](super::payload) on what is hashed of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::amount::Amount;
use crate::ids::{Currency, FeatureCode, PaymentRef, ProviderCode};
use crate::purchase::{PaymentFacts, PaymentLine};

/// Adds credits that were paid for as a grant of its own, or units of a feature as a boost of its own, named after the line of
/// the payment (P1, P8). Said again, it adds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditPurchase {
    /// Which line of which payment.
    pub line: PaymentLine,
    /// How many credits the line buys; of a boost, how many stored units.
    pub credits: Amount,
    /// The feature whose units it buys, as a boost (C13); credits when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boost: Option<FeatureCode>,
    /// What the whole payment came to, in minor units of the currency; 0 to [`crate::amount::AMOUNT_MAX`].
    pub money: u64,
    /// In which currency.
    pub currency: Currency,
    /// The lower number burns first (F5).
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: u32,
    /// First instant at which what is left is lost. When absent: of credits never, of a boost with the period that runs when it
    /// is credited. Of what waits first, so much later (P18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// What came back of the payment already.
    #[serde(default, skip_serializing_if = "is_default")]
    pub facts: PaymentFacts,
    /// When the fetch began that told all this.
    pub fetched_at: DateTime<Utc>,
}

/// Sets what came back of a payment, for all grants and boosts that it bought (P6, P9, P11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPaymentFacts {
    /// Who took the payment.
    pub provider: ProviderCode,
    /// The payment, as the provider names it.
    pub payment: PaymentRef,
    /// All that came back of it by then.
    pub facts: PaymentFacts,
    /// When the fetch began that told it: nothing changes where one that began later was told already.
    pub fetched_at: DateTime<Utc>,
}

/// Forgives credits that were spent of what was taken back (P10).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgiveDebt {
    /// How many; the whole debt when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<Amount>,
}
