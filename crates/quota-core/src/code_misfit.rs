//! Why a code cannot be redeemed, or not be made.

use chrono::{DateTime, Utc};

use crate::ids::ProviderCode;
use crate::instant;
use crate::rejection_class::RejectionClass;

/// Why a code cannot be redeemed, or not be made. Of a text that is no code nothing more is said, whatever it lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each message says what it is about")]
pub enum CodeMisfit {
    #[error("there is no such code")]
    Unknown,
    #[error("the code has been used as often as it may be")]
    Used,
    #[error("the code is revoked")]
    Revoked,
    #[error("the code can be redeemed from {} on", instant::text(.from))]
    NotBegun { from: DateTime<Utc> },
    #[error("the code could be redeemed until {}", instant::text(.until))]
    Expired { until: DateTime<Utc> },
    #[error("`until` must be later than `from`")]
    EmptyWindow,
    #[error("there is no such batch of codes")]
    UnknownBatch,
    #[error(
        "the code gives units until the end of the subscription's period, and none is in force"
    )]
    NoPeriod,
    #[error("what the code gives cannot be given any more: {why}")]
    NotGivable { why: String },
    #[error(
        "the subscription is one of `{0}`, which decides what follows it: no plan can be given behind it"
    )]
    SubscriptionProvided(ProviderCode),
}

impl CodeMisfit {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_code",
            Self::Used => "code_used",
            Self::Revoked => "code_revoked",
            Self::NotBegun { .. } => "code_not_begun",
            Self::Expired { .. } => "code_expired",
            Self::EmptyWindow => "empty_window",
            Self::UnknownBatch => "unknown_code_batch",
            Self::NoPeriod => "code_needs_subscription",
            Self::NotGivable { .. } => "code_not_givable",
            Self::SubscriptionProvided(_) => "subscription_provided",
        }
    }

    /// What kind of mistake it is.
    pub fn class(&self) -> RejectionClass {
        match self {
            Self::Unknown | Self::UnknownBatch => RejectionClass::NotFound,
            Self::Used
            | Self::Revoked
            | Self::NotBegun { .. }
            | Self::Expired { .. }
            | Self::NoPeriod
            | Self::NotGivable { .. }
            | Self::SubscriptionProvided(_) => RejectionClass::Conflict,
            Self::EmptyWindow => RejectionClass::Invalid,
        }
    }

    /// The field of the request that is at fault, as it is called in JSON, if it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Unknown
            | Self::Used
            | Self::Revoked
            | Self::NotBegun { .. }
            | Self::Expired { .. }
            | Self::NoPeriod
            | Self::NotGivable { .. } => Some("code"),
            Self::EmptyWindow => Some("until"),
            Self::UnknownBatch | Self::SubscriptionProvided(_) => None,
        }
    }
}
