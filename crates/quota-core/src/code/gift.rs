//! What a code gives. As JSON it is stored with the code and its batch.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::absent::is_default;
use crate::amount::Amount;
use crate::ids::{FeatureCode, PlanCode};
use crate::quantity::Quantity;

/// Longest time for which a code gives something, in days of 24 hours: as long as the credits of a pack may last.
pub const GIFT_DAYS_MAX: u32 = 36_500;

/// What a code gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CodeGift {
    /// Credits, as a grant of their own.
    Credits(CreditsGift),
    /// Units of one feature.
    Boost(BoostGift),
    /// A plan for a time.
    Plan(PlanGift),
}

/// Credits that a code gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditsGift {
    /// How many.
    pub credits: Amount,
    /// The lower number burns first (F5).
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: u32,
    /// For how many days of 24 hours they last, from when they are given: 1 to [`GIFT_DAYS_MAX`]; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// When a boost that a code gives is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GiftEnd {
    /// At the end of the subscription's running period: whoever has none in force cannot redeem it.
    #[default]
    Period,
    /// At this instant; nor can the code be redeemed from then on.
    At(DateTime<Utc>),
    /// So many days of 24 hours after it was given: 1 to [`GIFT_DAYS_MAX`].
    Days(u32),
}

/// Units of one feature that a code gives (C13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoostGift {
    /// The feature whose units they are; a consumable.
    pub feature: FeatureCode,
    /// How many, in stored units.
    pub amount: Amount,
    /// When what is left is lost.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ends: GiftEnd,
}

/// A plan that a code gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanGift {
    /// Code of the plan; its newest version counts, when it is redeemed.
    pub plan: PlanCode,
    /// For how many days of 24 hours: 1 to [`GIFT_DAYS_MAX`].
    pub days: u32,
    /// For how many seats (C12).
    #[serde(default, skip_serializing_if = "is_default")]
    pub seats: Quantity,
}

impl CodeGift {
    /// From when on it cannot be given any more, if that is so.
    pub fn over_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Boost(BoostGift {
                ends: GiftEnd::At(at),
                ..
            }) => Some(*at),
            Self::Boost(_) | Self::Credits(_) | Self::Plan(_) => None,
        }
    }
}
