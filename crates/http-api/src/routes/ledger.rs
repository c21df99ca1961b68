//! The ledger of an account: what happened, newest first.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use quota_core::answer::Answer;
use quota_core::denial::Reason;
use quota_core::draw::{Scope, Source};
use quota_core::ids::{AccountId, FeatureCode, IdempotencyKey};
use quota_core::operation::{Operation, OperationKind};
use quota_core::origin::Origin;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Reads;
use crate::decision::{operation_id, reservation_id};
use crate::params::{Account, Page};
use crate::problem::Problem;
use crate::public_id::{Named, public_id};
use crate::{ApiState, schema};

/// A change of one balance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryBody {
    /// At which scope.
    #[schema(value_type = schema::Scope)]
    scope: Scope,
    /// Whose balance.
    #[schema(value_type = String, example = "user:alice")]
    account: AccountId,
    /// Which balance.
    #[schema(example = "window:articles_per_month:1790000000000000")]
    bucket: String,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    feature: Option<FeatureCode>,
    /// What kind of source.
    #[schema(value_type = schema::Source)]
    source: Source,
    /// Change of `used`.
    used: i64,
    /// Change of `held`.
    held: i64,
    /// Change of `overage`.
    overage: i64,
    /// Change of `granted`.
    granted: i64,
}

/// One operation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationBody {
    /// Its id.
    id: String,
    /// The account that it is about.
    #[schema(value_type = String, example = "user:alice")]
    account: AccountId,
    /// Its place in the history of the account, or of its org.
    sequence: u64,
    /// When it was decided.
    at: DateTime<Utc>,
    /// What it did.
    #[schema(value_type = schema::OperationKind)]
    kind: OperationKind,
    /// Whether it was carried out.
    allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Reason>)]
    reason: Option<Reason>,
    /// Who bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Scope>)]
    scope: Option<Scope>,
    /// What changed, such as `override_set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
    /// To what, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The caller's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    idempotency_key: Option<IdempotencyKey>,
    /// The reservation that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<String>,
    /// The operation that it reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    refers_to: Option<String>,
    /// What it changed.
    entries: Vec<EntryBody>,
    /// Who asked, and about what.
    origin: OriginBody,
}

/// Who asked, and about what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OriginBody {
    /// The API key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// The request it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// The type of what was made or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<String>,
    /// The id of what was made or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<Origin> for OriginBody {
    fn from(origin: Origin) -> Self {
        Self {
            actor: origin.actor,
            request_id: origin.request_id,
            resource_type: origin.resource_type,
            resource_id: origin.resource_id,
            reason: origin.reason,
        }
    }
}

impl OperationBody {
    fn of(operation: Operation) -> Self {
        let (mut reason, mut scope, mut changed, mut detail) = (None, None, None, None);
        match &operation.answer {
            Answer::Denied { denial, .. } => {
                (reason, scope) = (Some(denial.reason), Some(denial.scope));
            }
            Answer::Changed { what, detail: to } => {
                (changed, detail) = (Some(what.clone()), to.clone());
            }
            _ => {}
        }
        let refers_to = operation
            .refers_to
            .filter(|_| operation.kind == OperationKind::Refund)
            .map(|id| public_id(Named::Operation, &operation.account, id));
        Self {
            id: operation_id(&operation),
            reservation: reservation_id(&operation),
            sequence: operation.sequence,
            at: operation.at,
            kind: operation.kind,
            allowed: operation.answer.is_allowed(),
            reason,
            scope,
            changed,
            detail,
            idempotency_key: operation.key,
            refers_to,
            entries: operation.entries.into_iter().map(entry_body).collect(),
            origin: operation.origin.into(),
            account: operation.account,
        }
    }
}

fn entry_body(entry: quota_core::operation::Entry) -> EntryBody {
    EntryBody {
        scope: entry.scope,
        account: entry.account,
        bucket: entry.bucket.to_string(),
        feature: entry.feature,
        source: entry.source,
        used: entry.used,
        held: entry.held,
        overage: entry.overage,
        granted: entry.granted,
    }
}

/// A page of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerBody {
    /// The operations, newest first.
    items: Vec<OperationBody>,
    /// Pass it as `after` for the page that follows; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists an account's operations, newest first; an org's with those of its members, a user's with those from before it
/// joined or left an org.
#[utoipa::path(get, path = "/{id}/ledger", tag = "accounts",
    params(("id" = String, Path, description = "The account's id"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "1 to 1,000; 100 by default")),
    responses((status = 200, body = LedgerBody)))]
pub(crate) async fn ledger(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    page: Page,
) -> Result<Json<LedgerBody>, Problem> {
    let after = page.after_place()?;
    let engine = state.engine();
    let (operations, next) = engine.ledger(&account, after.as_ref(), page.limit).await?;
    Ok(Json(LedgerBody {
        next: next.map(|next| next.to_string()),
        items: operations.into_iter().map(OperationBody::of).collect(),
    }))
}
