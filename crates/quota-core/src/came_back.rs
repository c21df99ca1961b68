//! What came back of a payment: its refunds and its disputes (P9, P11).

use serde::{Deserialize, Serialize};

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// It waits for the one who paid.
    RequiresAction,
    /// The money is back.
    Succeeded,
    /// The money could not be given back: the payment stands.
    Failed,
    /// It was called off: the payment stands.
    Canceled,
    /// A word of the provider that is not known here; it counts.
    Unknown,
}

impl RefundStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::RequiresAction,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
        Self::Unknown,
    ];

    /// The status that a provider's word stands for.
    ///
    /// ```
    /// use quota_core::payment::RefundStatus;
    ///
    /// assert!(RefundStatus::of_word("pending").counts());
    /// assert!(!RefundStatus::of_word("failed").counts());
    /// assert_eq!(RefundStatus::of_word("of_tomorrow"), RefundStatus::Unknown);
    /// ```
    pub fn of_word(word: &str) -> Self {
        match word {
            "pending" => Self::Pending,
            "requires_action" => Self::RequiresAction,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            _unknown => Self::Unknown,
        }
    }

    /// Whether it takes credits back (P9).
    pub fn counts(self) -> bool {
        match self {
            Self::Pending | Self::RequiresAction | Self::Succeeded | Self::Unknown => true,
            Self::Failed | Self::Canceled => false,
        }
    }
}

/// A refund of a payment, or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    /// In minor units of the payment's currency.
    pub amount: u64,
    /// Where it stands.
    pub status: RefundStatus,
}

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank asks, and no money is held back.
    Inquiry,
    /// It was settled before it began.
    Prevented,
    /// Not decided: the share of the credits is frozen.
    Open,
    /// The money stays.
    Won,
    /// The money is gone.
    Lost,
    /// Lost, and decided upon once more; it counts as lost until then.
    Appeal,
    /// A word of the provider that is not known here; it counts as open.
    Unknown,
}

impl DisputeStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Inquiry,
        Self::Prevented,
        Self::Open,
        Self::Won,
        Self::Lost,
        Self::Appeal,
        Self::Unknown,
    ];

    /// The status that a provider's word stands for (P11).
    ///
    /// ```
    /// use quota_core::payment::DisputeStatus;
    ///
    /// assert_eq!(DisputeStatus::of_word("warning_needs_response"), DisputeStatus::Inquiry);
    /// assert_eq!(DisputeStatus::of_word("charge_refunded"), DisputeStatus::Lost);
    /// assert_eq!(DisputeStatus::of_word("appeal_under_review"), DisputeStatus::Appeal);
    /// assert_eq!(DisputeStatus::of_word("of_tomorrow"), DisputeStatus::Unknown);
    /// ```
    pub fn of_word(word: &str) -> Self {
        match word {
            "needs_response" | "under_review" => Self::Open,
            "won" => Self::Won,
            "prevented" => Self::Prevented,
            "lost" | "charge_refunded" => Self::Lost,
            inquiry if inquiry.starts_with("warning_") => Self::Inquiry,
            appeal if appeal.starts_with("appeal_") => Self::Appeal,
            _unknown => Self::Unknown,
        }
    }
}

/// A dispute about a payment, or about a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disputed {
    /// In minor units of the payment's currency.
    pub amount: u64,
    /// Where it stands.
    pub status: DisputeStatus,
}
