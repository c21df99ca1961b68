//! An account's own limits.

use api_types::{ChangeBody, OverrideBody, ReasonBody};
use axum::extract::State;
use axum::response::Response;
use quota_core::command::{ClearOverride, Command, SetOverride};

use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::Writes;
use crate::note::Note;
use crate::params::{Account, OfFeature};
use crate::problem::Problem;
use crate::submit::change;

/// Sets the account's own limit for a feature.
#[utoipa::path(put, path = "/{id}/overrides/{feature}", tag = "accounts", request_body = OverrideBody,
    params(("id" = String, Path, description = "The account's id"), ("feature" = String, Path, description = "The feature's code")),
    responses((status = 200, description = "Set", body = ChangeBody), (status = 404, description = "There is no such account or feature", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn set_override(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfFeature(feature): OfFeature,
    JsonBody(body): JsonBody<OverrideBody>,
) -> Result<Response, Problem> {
    let command = Command::SetOverride(SetOverride {
        feature,
        limit: body.limit,
        expires_at: body.expires_at,
    });
    change(&state, &caller, account, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.in_path("/feature", "feature"))
}

/// Removes the account's own limit for a feature.
#[utoipa::path(delete, path = "/{id}/overrides/{feature}", tag = "accounts", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The account's id"), ("feature" = String, Path, description = "The feature's code")),
    responses((status = 200, description = "Cleared, or there was none", body = ChangeBody), (status = 404, description = "There is no such account or feature", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn clear_override(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfFeature(feature): OfFeature,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let command = Command::ClearOverride(ClearOverride { feature });
    change(&state, &caller, account, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.in_path("/feature", "feature"))
}
