//! Refund of a consumption, release of a capacity, and reset by an operator.

use api_types::{ChangeBody, DecisionBody, FieldError, RefundBody, ReleaseCapacityBody, ResetBody};
use axum::extract::State;
use axum::response::Response;
use quota_core::command::{Command, Refund, ReleaseCapacity, Reset};
use quota_core::ids::AccountId;

use super::consume::of_user;
use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::Writes;
use crate::decision::{decision_body, respond};
use crate::meters::Verb;
use crate::note::Note;
use crate::params::{Account, OfOperation};
use crate::problem::Problem;
use crate::submit::{change, submit};

/// Refunds a consumption: it goes back to where it came from, what was taken last first. Of a capacity, what was released of it
/// meanwhile is not given back again; but what credits or the trial paid comes back as credits or free uses, released or not, and the
/// `room` that they bought is taken away.
#[utoipa::path(post, path = "/v1/consumptions/{id}/refund", tag = "decide", request_body = Option<RefundBody>,
    params(("id" = String, Path, description = "The operation: `op.<account>.<uuid>`")),
    responses((status = 200, description = "Reversed: see `returned`", body = DecisionBody), (status = 404, description = "There is no such operation, or it is not about this feature", body = Problem, content_type = "application/problem+json"), (status = 409, description = "It cannot be refunded, or only a smaller amount", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn refund(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    OfOperation(account, operation): OfOperation,
    OptionalBody(body): OptionalBody<RefundBody>,
) -> Result<Response, Problem> {
    let command = Command::Refund(Refund {
        operation,
        feature: body.feature,
        amount: body.amount,
    });
    let note = Note::reason(body.reason);
    let reply = submit(&state, &caller, Verb::GiveBack, account, command, note).await?;
    Ok(respond(&decision_body(&reply, None), state.engine().now()))
}

/// Gives occupied capacity back; `used` does not fall below 0. `released` says how much, at the user and at its org: the
/// org gets back at most what it was charged for this user. What credits or the trial paid for comes back as free `room`, not
/// as credits; a refund of the consumption gives the credits back and takes that room away. It is taken to be of what was consumed
/// first, and what the limit paid of that is not refunded again. `allowed` is false when there was nothing to give back.
#[utoipa::path(post, path = "/v1/capacity/release", tag = "decide", request_body = ReleaseCapacityBody,
    responses((status = 200, description = "Given back: see `released`", body = DecisionBody),
        (status = 404, description = "There is no such user or feature", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn release_capacity(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    JsonBody(body): JsonBody<ReleaseCapacityBody>,
) -> Result<Response, Problem> {
    let command = Command::ReleaseCapacity(ReleaseCapacity {
        feature: body.feature,
        amount: body.amount,
    });
    let note = Note {
        resource_type: body.resource_type,
        resource_id: body.resource_id,
        reason: body.reason,
    };
    let account = AccountId::user(&body.user);
    let reply = submit(&state, &caller, Verb::GiveBack, account, command, note);
    let reply = reply.await.map_err(of_user)?;
    Ok(respond(&decision_body(&reply, None), state.engine().now()))
}

/// Sets `used` of the current windows to 0, or that of a token.
#[utoipa::path(post, path = "/{id}/reset", tag = "accounts", request_body = Option<ResetBody>,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "Reset", body = ChangeBody), (status = 404, description = "There is no such account, feature or token", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn reset(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OptionalBody(body): OptionalBody<ResetBody>,
) -> Result<Response, Problem> {
    if body.features.as_ref().is_some_and(Vec::is_empty) {
        let detail = "must name at least one feature; leave `features` out to reset all of them";
        return Err(Problem::invalid_body(FieldError::at("/features", detail)));
    }
    let command = Command::Reset(Reset {
        features: body.features.unwrap_or_default(),
        token: body.token,
    });
    change(&state, &caller, account, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.in_list("/features", ""))
}
