//! An account's own cap on what it spends on demand.

use api_types::{ChangeBody, ReasonBody, SpendCapBody};
use axum::extract::State;
use axum::response::Response;
use quota_core::command::{ClearSpendCap, Command, SetSpendCap};

use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::Writes;
use crate::note::Note;
use crate::params::Account;
use crate::problem::Problem;
use crate::submit::change;

/// Sets the account's own cap on what it spends on demand in a period, over all features.
///
/// It may be lower than the plan's caps together, or higher, and then it takes their place. It counts from the next request on.
#[utoipa::path(put, path = "/{id}/spend-cap", tag = "money", request_body = SpendCapBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Set", body = ChangeBody)))]
pub(crate) async fn set_spend_cap(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<SpendCapBody>,
) -> Result<Response, Problem> {
    let command = Command::SetSpendCap(SetSpendCap {
        amount: body.amount,
        by_owner: false,
    });
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}

/// Removes the account's own caps, its owner's too: those of the plan are back.
#[utoipa::path(delete, path = "/{id}/spend-cap", tag = "money", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Cleared", body = ChangeBody)))]
pub(crate) async fn clear_spend_cap(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let command = Command::ClearSpendCap(ClearSpendCap::default());
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}
