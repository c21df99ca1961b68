//! What is told of a payment and does not fit it, and what cannot be paid for.

use crate::ids::{BoostId, Currency, LineRef, PackCode, PaymentRef};
use crate::rejection_class::RejectionClass;

/// Why something cannot be told of a payment, or a payment cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each message says what it is about")]
pub enum PaymentMisfit {
    #[error("`{0}` is of a payment of another account")]
    OfAnotherAccount(PaymentRef),
    #[error("the payment is known with other {field}: {known}")]
    Differs { field: &'static str, known: String },
    #[error("the line of this payment is credited already, with other {field}")]
    LineDiffers { field: &'static str },
    #[error("the payment is in `{0}`")]
    OtherCurrency(Currency),
    #[error("line `{0}` is there twice")]
    LineTwice(LineRef),
    #[error("pack `{0}` is not in the catalog")]
    UnknownPack(PackCode),
    #[error("pack `{0}` has no price: it cannot be bought")]
    PackWithoutPrice(PackCode),
    #[error("pack `{0}` gives no credits: it cannot be bought when they are low")]
    PackWithoutCredits(PackCode),
    #[error("boost `{0}` was bought: what comes back of its payment is told by its provider")]
    BoostBought(BoostId),
    #[error("the payment has {most} {what}s, which is the maximum")]
    Full { what: &'static str, most: usize },
}

impl PaymentMisfit {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OfAnotherAccount(_) => "payment_of_another_account",
            Self::Differs { .. } => "payment_differs",
            Self::LineDiffers { .. } => "purchase_differs",
            Self::OtherCurrency(_) => "other_currency",
            Self::LineTwice(_) => "line_twice",
            Self::BoostBought(_) => "boost_bought",
            Self::UnknownPack(_) => "unknown_pack",
            Self::PackWithoutPrice(_) | Self::PackWithoutCredits(_) => "not_for_sale",
            Self::Full { .. } => "too_many",
        }
    }

    /// What kind of mistake it is.
    pub fn class(&self) -> RejectionClass {
        match self {
            Self::UnknownPack(_) => RejectionClass::NotFound,
            Self::OfAnotherAccount(_)
            | Self::BoostBought(_)
            | Self::PackWithoutPrice(_)
            | Self::PackWithoutCredits(_)
            | Self::Differs { .. }
            | Self::LineDiffers { .. }
            | Self::Full { .. } => RejectionClass::Conflict,
            Self::OtherCurrency(_) | Self::LineTwice(_) => RejectionClass::Invalid,
        }
    }

    /// The field of the request that is at fault, as it is called in JSON, if it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::OfAnotherAccount(_) | Self::LineTwice(_) => Some("ref"),
            Self::Differs { field, .. } | Self::LineDiffers { field } => Some(field),
            Self::OtherCurrency(_) => Some("currency"),
            Self::UnknownPack(_) | Self::PackWithoutPrice(_) | Self::PackWithoutCredits(_) => {
                Some("pack")
            }
            Self::BoostBought(_) | Self::Full { .. } => None,
        }
    }
}
