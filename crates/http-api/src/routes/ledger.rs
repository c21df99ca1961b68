//! The ledger of an account: what happened, newest first.

use api_types::{EntryBody, LedgerBody, Named, OperationBody, OriginBody, PriceBody, public_id};
use axum::Json;
use axum::extract::State;
use quota_core::answer::Answer;
use quota_core::balance::Bucket;
use quota_core::operation::{Entry, Operation, OperationKind};
use quota_core::origin::Origin;

use crate::ApiState;
use crate::caller::Reads;
use crate::decision::{operation_id, reservation_id};
use crate::params::{Account, OfOperation, Page};
use crate::problem::Problem;

fn origin_body(origin: Origin) -> OriginBody {
    OriginBody {
        actor: origin.actor,
        request_id: origin.request_id,
        resource_type: origin.resource_type,
        resource_id: origin.resource_id,
        reason: origin.reason,
    }
}

fn operation_body(operation: Operation) -> OperationBody {
    let (mut reason, mut scope, mut changed, mut detail) = (None, None, None, None);
    match &operation.answer {
        Answer::Denied { denial, .. } => {
            (reason, scope) = (Some(denial.reason), Some(denial.scope));
        }
        Answer::Changed {
            change, detail: to, ..
        } => {
            (changed, detail) = (Some(change.as_str().to_owned()), to.clone());
        }
        Answer::Allowed { .. }
        | Answer::Reserved { .. }
        | Answer::Settled { .. }
        | Answer::Refunded { .. }
        | Answer::Released { .. }
        | Answer::Unchanged => {}
    }
    let refers_to = operation
        .refers_to
        .filter(|_| operation.kind == OperationKind::Refund)
        .map(|id| public_id(Named::Operation, &operation.account, id));
    OperationBody {
        id: operation_id(&operation),
        reservation: reservation_id(&operation),
        sequence: operation.sequence,
        at: operation.at,
        kind: operation.kind,
        allowed: operation.is_allowed(),
        reason,
        scope,
        changed,
        detail,
        idempotency_key: operation.key,
        refers_to,
        entries: operation
            .entries
            .iter()
            .map(|entry| entry_body(entry, &operation.answer))
            .collect(),
        origin: origin_body(operation.origin),
        account: operation.account,
    }
}

/// At which price units were sold, as the answer of then says.
fn price(entry: &Entry, answer: &Answer) -> Option<PriceBody> {
    let Bucket::OnDemand(_, start) = &entry.bucket else {
        return None;
    };
    let mut balances = answer.balances().iter();
    let sold = balances.find_map(|balance| {
        let is_of = balance.scope == entry.scope && balance.feature == entry.feature;
        let sold = balance.on_demand.as_ref().filter(|_| is_of)?;
        (sold.starts_at.timestamp_micros() == *start).then_some(sold)
    })?;
    Some(PriceBody {
        price: sold.sale.price,
        per: sold.sale.per,
        currency: sold.sale.currency.clone(),
    })
}

fn entry_body(entry: &Entry, answer: &Answer) -> EntryBody {
    EntryBody {
        price: price(entry, answer),
        scope: entry.scope,
        account: entry.account.clone(),
        bucket: entry.bucket.to_string(),
        feature: entry.feature.clone(),
        source: entry.source,
        used: entry.used,
        held: entry.held,
        overage: entry.overage,
        granted: entry.granted,
        used_at: entry.used_at,
    }
}

/// Lists an account's operations, newest first; an org's with those of its members, a user's with those from before it
/// joined or left an org.
#[utoipa::path(get, path = "/{id}/ledger", tag = "accounts",
    params(("id" = String, Path, description = "The account's id"),
        ("after" = Option<String>, Query, description = "The `next` of the previous page"),
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
        items: operations.into_iter().map(operation_body).collect(),
    }))
}

/// Shows one operation.
#[utoipa::path(get, path = "/v1/operations/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The operation: `op.<account>.<uuid>`")),
    responses((status = 200, body = OperationBody), (status = 404, description = "There is no such operation", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn operation(
    State(state): State<ApiState>,
    _caller: Reads,
    OfOperation(account, id): OfOperation,
) -> Result<Json<OperationBody>, Problem> {
    let operation = state.engine().operation(&account, id).await?;
    Ok(Json(operation_body(operation)))
}
