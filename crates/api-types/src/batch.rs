//! `POST /v1/batch`: operations in a list, independent of each other.

use chrono::{DateTime, Utc};
use quota_core::amount::Amount;
use quota_core::ids::{FeatureCode, IdempotencyKey, TokenId, UserId};
use serde::{Deserialize, Serialize};

use crate::{DecisionBody, ItemBody, Label, Problem};

/// What an operation of the list does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationVerb {
    /// The same as `POST /v1/consume`.
    #[default]
    Consume,
    /// The same as `POST /v1/track`.
    Track,
}

/// One operation of the list: a consume or a track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchItem {
    /// Whether it is a consume or a track; `consume` when absent.
    #[serde(default, rename = "operation")]
    pub verb: OperationVerb,
    /// The operation's own idempotency key, in place of the header's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// Id of the user.
    #[cfg_attr(feature = "openapi", schema(example = "alice"))]
    pub user: UserId,
    /// The user's API token that the request came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Code of the feature, as in the catalog; not together with `items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "articles_per_month"))]
    pub feature: Option<FeatureCode>,
    /// How much of the feature, in stored units: 1 to 10^15.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub amount: Option<Amount>,
    /// Several features at once, 1 to 100: all of them or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemBody>>,
    /// For a track, when it was used, if that is told late; see `POST /v1/track`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::instant::deserialize_option"
    )]
    pub at: Option<DateTime<Utc>>,
    /// For a consume, whether a denial lists what would end it: plans, add-ons and credits.
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

/// Operations in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// 1 to 1,000 operations. Each succeeds or fails on its own; they are carried out in no particular order.
    pub operations: Vec<BatchItem>,
}

/// The result of one operation of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchResult {
    /// It was decided: allowed, denied or recorded.
    Decision(Box<DecisionBody>),
    /// It could not be decided.
    Problem(Problem),
}

#[cfg(feature = "openapi")]
mod schemas {
    use utoipa::openapi::schema::AnyOfBuilder;
    use utoipa::openapi::{Ref, RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{BatchResult, DecisionBody, Problem};

    impl PartialSchema for BatchResult {
        fn schema() -> RefOr<Schema> {
            // A denial has the members of both: not `oneOf`, which is what a derived schema would say.
            AnyOfBuilder::new()
                .description(Some(
                    "The result of one operation of the list: a decision, or a problem.",
                ))
                .item(Ref::from_schema_name(DecisionBody::name()))
                .item(Ref::from_schema_name(Problem::name()))
                .into()
        }
    }

    impl ToSchema for BatchResult {
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            DecisionBody::schemas(schemas);
            Problem::schemas(schemas);
        }
    }
}

/// One result for each operation of the list, in the same order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchAnswer {
    /// One result for each operation, in the order in which they were sent.
    pub results: Vec<BatchResult>,
}
