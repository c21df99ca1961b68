//! An account's own limits, and what it has of flags and settings by itself.

use api_types::{ChangeBody, FieldError, OverrideBody, ReasonBody};
use axum::extract::State;
use axum::response::Response;
use quota_core::command::{ClearOverride, Command, SetGiven, SetOverride};
use quota_core::ids::FeatureCode;

use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::Writes;
use crate::note::Note;
use crate::params::{Account, OfFeature};
use crate::problem::Problem;
use crate::submit::change;

/// Sets the account's own limit for a feature, or what it has of a flag or a setting by itself. It takes the place of what the plan
/// says; add-ons add to it.
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
    let reason = Note::reason(body.reason.clone());
    let command = command(feature, body)?;
    change(&state, &caller, account, command, reason)
        .await
        .map_err(|problem| of_value(problem).in_path("/feature", "feature"))
}

fn command(feature: FeatureCode, body: OverrideBody) -> Result<Command, Problem> {
    let expires_at = body.expires_at;
    let (field, why) = match (body.limit, body.value) {
        (Some(limit), None) => {
            return Ok(Command::SetOverride(SetOverride {
                feature,
                limit,
                expires_at,
            }));
        }
        (None, Some(value)) => {
            return Ok(Command::SetGiven(SetGiven {
                feature,
                value,
                expires_at,
            }));
        }
        (None, None) => ("/limit", "is required, or `value` of a flag or a setting"),
        (Some(_), Some(_)) => ("/value", "is of a flag or a setting, which has no `limit`"),
    };
    Err(Problem::invalid_body(FieldError::at(field, why)))
}

/// That what is not counted has no limit, with what it has instead.
fn of_value(mut problem: Problem) -> Problem {
    if problem.body.code == "not_countable" {
        let next = "; an override of it has a `value`";
        problem.body.detail.push_str(next);
        for error in &mut problem.body.errors {
            error.detail.push_str(next);
        }
    }
    problem
}

/// Removes what the account has of a feature by itself: what the plan says counts again.
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
