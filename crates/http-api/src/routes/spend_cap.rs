//! An account's own cap on what it spends on demand.

use api_types::{ChangeBody, ClearSpendCapBody, SpendCapBody, SpendCapBy};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use quota_core::command::{ClearSpendCap, Command, SetSpendCap};
use serde::Deserialize;

use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::Writes;
use crate::note::Note;
use crate::params::{Account, query};
use crate::problem::Problem;
use crate::submit::change;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNothing {}

/// A route that has no parameters in its query: one that is sent is a mistake.
pub(crate) struct NoQuery;

impl FromRequestParts<ApiState> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let _none: RawNothing = query(parts)?;
        Ok(Self)
    }
}

/// Sets the account's own cap on what it spends on demand in a period, over all features.
///
/// An operator's may be lower than the plan's caps together, or higher, and then it takes their place. The owner's (`by`) may be as
/// high as that, or as the plan's caps together where there is none; the lower of both counts. It counts from the next request on.
#[utoipa::path(put, path = "/{id}/spend-cap", tag = "money", request_body = SpendCapBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Set", body = ChangeBody), (status = 409, description = "The owner may not go so far", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn set_spend_cap(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    _query: NoQuery,
    JsonBody(body): JsonBody<SpendCapBody>,
) -> Result<Response, Problem> {
    let command = Command::SetSpendCap(SetSpendCap {
        amount: body.amount,
        by_owner: body.by == SpendCapBy::Owner,
    });
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}

/// Removes the account's own caps, its owner's too: those of the plan are back. By the owner (`by`) only what it set itself.
#[utoipa::path(delete, path = "/{id}/spend-cap", tag = "money", request_body = Option<ClearSpendCapBody>,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Cleared", body = ChangeBody)))]
pub(crate) async fn clear_spend_cap(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    _query: NoQuery,
    OptionalBody(body): OptionalBody<ClearSpendCapBody>,
) -> Result<Response, Problem> {
    let by_owner = body.by == SpendCapBy::Owner;
    let command = Command::ClearSpendCap(ClearSpendCap { by_owner });
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}
