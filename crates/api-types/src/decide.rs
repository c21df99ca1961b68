//! Requests about use: check, consume, track, reserve and its settlement, refund, capacity.

use chrono::{DateTime, Utc};
use quota_core::amount::Amount;
use quota_core::ids::{FeatureCode, TokenId, UserId};
use serde::{Deserialize, Serialize};

use crate::Label;

/// One feature and how much of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ItemBody {
    /// Code of the feature, as in the catalog.
    pub feature: FeatureCode,
    /// How much, in stored units: 1 to 10^15.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub amount: Amount,
}

/// A use: one `feature` and `amount`, or several in `items`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", schema(example = json!({"user": "alice", "feature": "articles_per_month", "amount": 1})))]
pub struct ConsumeBody {
    /// Id of the user.
    pub user: UserId,
    /// The user's API token that the request came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Code of the feature, as in the catalog; not together with `items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// How much of the feature, in stored units: 1 to 10^15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Several features at once, 1 to 100: all of them or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemBody>>,
    /// Whether a denial lists what would end it: plans, add-ons and credits. It changes the answer and not the request: an
    /// `Idempotency-Key` stands for the same request with and without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub offers: bool,
    /// The type of what is made, such as `article`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Label>,
    /// The id of what is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Label>,
    /// Why; booked with the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A use that already happened: one `feature` and `amount`, or several in `items`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", schema(example = json!({"user": "alice", "feature": "articles_per_month", "amount": 1})))]
pub struct TrackBody {
    /// Id of the user.
    pub user: UserId,
    /// The user's API token that the use came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Code of the feature, as in the catalog; not together with `items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// How much of the feature, in stored units: 1 to 10^15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Several features at once, 1 to 100: all of them are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemBody>>,
    /// When it was used, if that is told late: up to 35 days ago, not in the future, and not before the account began. It is
    /// booked in the usage windows of that instant, closed or not, and the answer's `balances` are those of these windows.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub at: Option<DateTime<Utc>>,
    /// The type of what is made, such as `article`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Label>,
    /// The id of what is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Label>,
    /// Why; booked with the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// What to check: one `feature` and `amount`, or several in `items`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckBody {
    /// Id of the user.
    pub user: UserId,
    /// The user's API token that the request would come with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Code of the feature, as in the catalog; not together with `items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "articles_per_month"))]
    pub feature: Option<FeatureCode>,
    /// How much of the feature, in stored units: 1 to 10^15; 1 when it is left out. Of a flag or a setting nothing is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub amount: Option<Amount>,
    /// Several features at once, 1 to 100: all of them or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemBody>>,
    /// Whether a denial lists what would end it: plans, add-ons and credits. It changes the answer and not the request: an
    /// `Idempotency-Key` stands for the same request with and without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub offers: bool,
}

/// What to reserve, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReserveBody {
    /// Id of the user.
    pub user: UserId,
    /// The user's API token that the request came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Code of the feature, as in the catalog.
    #[cfg_attr(feature = "openapi", schema(example = "llm_tokens"))]
    pub feature: FeatureCode,
    /// How much, in stored units: 1 to 10^15.
    #[cfg_attr(feature = "openapi", schema(example = 1000))]
    pub amount: Amount,
    /// How long the reservation lasts, in seconds: 1 to 2,592,000 (30 days).
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 2_592_000, example = 60)
    )]
    #[serde(deserialize_with = "crate::ttl::deserialize")]
    pub ttl_seconds: u32,
    /// Whether a denial lists what would end it: plans, add-ons and credits. It changes the answer and not the request: an
    /// `Idempotency-Key` stands for the same request with and without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub offers: bool,
    /// The type of what is made, such as `article`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Label>,
    /// The id of what is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Label>,
    /// Why; booked with the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// How much of a reservation was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CommitBody {
    /// Units used, 0 to 10^15. What was used beyond the reservation is charged too; if nothing can pay for it, it is overage.
    #[cfg_attr(feature = "openapi", schema(example = 740))]
    pub actual: u64,
    /// The type of what was made, such as `article`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Label>,
    /// The id of what was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Label>,
    /// Why; booked with the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A reason, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseBody {
    /// Why; booked with the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// A reservation's new deadline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExtendBody {
    /// How long the reservation lasts from now on, in seconds: 1 to 2,592,000 (30 days).
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = 1, maximum = 2_592_000, example = 60)
    )]
    #[serde(deserialize_with = "crate::ttl::deserialize")]
    pub ttl_seconds: u32,
    /// Why; booked with the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// How much of a consumption to refund; all of it when empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefundBody {
    /// Code of the feature; required with `amount` when the consumption had several features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// How much of it, in stored units: 1 to 10^15; everything not yet refunded when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Why; booked with the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// The capacity that is free again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseCapacityBody {
    /// Id of the user.
    pub user: UserId,
    /// Code of the feature, which must be of kind `capacity`.
    #[cfg_attr(feature = "openapi", schema(example = "gallery_albums"))]
    pub feature: FeatureCode,
    /// How much, in stored units: 1 to 10^15.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub amount: Amount,
    /// The type of what was deleted, such as `album`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Label>,
    /// The id of what was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Label>,
    /// Why; booked with the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}
