//! The ledger of an account.

use chrono::{DateTime, Utc};
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::ids::{AccountId, FeatureCode, IdempotencyKey};
use quota_core::operation::OperationKind;
use serde::{Deserialize, Serialize};

/// At which price units are sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceBody {
    /// Minor units of the currency for each `per` stored units.
    pub price: u64,
    /// For how many stored units that is the price.
    pub per: u64,
    /// Three-letter currency code.
    pub currency: String,
}

/// A change of one balance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryBody {
    /// Whose balance: the token's, the user's or the org's.
    pub scope: Scope,
    /// The account whose balance changed, such as `org:acme`.
    pub account: AccountId,
    /// The balance: what it counts, and from when on.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "window:articles_per_month:1790000000000000")
    )]
    pub bucket: String,
    /// Code of the feature, as in the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureCode>,
    /// What paid, or was given back.
    pub source: Source,
    /// Change of `used`, in credits for a grant and in stored units elsewhere; below 0 where it fell.
    pub used: i64,
    /// Change of `held`, in the same units; below 0 where a reservation ended.
    pub held: i64,
    /// Change of `overage`, in the same units; below 0 where it fell.
    pub overage: i64,
    /// Change of `granted`: in credits of a grant, in stored units of a boost or of bought room; others have none.
    pub granted: i64,
    /// For what was sold on demand: at which price. Absent where a period is refunded that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceBody>,
    /// When it was used, if that was told late: the balance is the one of this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<DateTime<Utc>>,
}

/// An operation of the ledger: what was asked, what it came to, and what it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationBody {
    /// Id of the operation: `op.<account>.<uuid>`.
    pub id: String,
    /// The account that it is about, such as `user:alice`.
    pub account: AccountId,
    /// Its number in the history of the account, or of the account's org.
    pub sequence: u64,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// What kind of operation it is.
    pub kind: OperationKind,
    /// Whether it was carried out; false for a denial.
    pub allowed: bool,
    /// Why it was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Whose limit denied it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What changed, such as `override_set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// The new value, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The idempotency key of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// Id of the reservation that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<String>,
    /// Id of the operation that it refunds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refers_to: Option<String>,
    /// The balances that it changed.
    pub entries: Vec<EntryBody>,
    /// Who asked for it, and what for.
    pub origin: OriginBody,
}

/// Who asked for an operation, and what for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OriginBody {
    /// The name of the API key, or `job:` and the name of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Id of the request, as in its `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The type of what was made or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The id of what was made or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The reason that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A page of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerBody {
    /// The operations, newest first.
    pub items: Vec<OperationBody>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
