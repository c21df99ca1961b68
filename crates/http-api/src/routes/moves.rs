//! A user joins an org, leaves it, or goes over to another.

use std::time::Instant;

use api_types::{ChangeBody, FieldError, MoveBody, OrgField};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quota_core::answer::Rejection;
use quota_core::ids::{AccountId, OrgId};
use quota_service::EngineError;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Writes;
use crate::meters::Verb;
use crate::note::Note;
use crate::params::Account;
use crate::problem::Problem;
use crate::submit::changed;

/// `null` in a body that changes a user does not take the user out of its org, and must not look as if it did.
pub(crate) async fn stays_in_org(
    state: &ApiState,
    user: &AccountId,
    org: &OrgField,
) -> Result<(), Problem> {
    if *org != OrgField::Null {
        return Ok(());
    }
    match state.engine().account(user).await {
        Ok(row) if row.account.terms.org.is_some() => Err(not_here(row.account.terms.org)),
        Ok(_) | Err(EngineError::Rejected(Rejection::UnknownAccount)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn not_here(current: Option<OrgId>) -> Problem {
    let detail = "this request does not move the user out of its org; use `PUT /v1/users/{id}/org`";
    let code = Rejection::OtherOrg { current }.code();
    Problem::new(StatusCode::CONFLICT, code, detail).about(FieldError::at("/org", detail))
}

/// Moves a user into an org or out of it, with its balances, tokens and subscription. What its org was charged stays
/// with that org, but for capacity that the user holds there.
#[utoipa::path(put, path = "/v1/users/{id}/org", tag = "accounts", request_body = MoveBody,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "Moved, or already there", body = ChangeBody),
        (status = 409, description = "It has open reservations, or the org has all the members that it may have", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "There is no such org", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn move_user(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(user): Account,
    JsonBody(body): JsonBody<MoveBody>,
) -> Result<Response, Problem> {
    let origin = caller.origin(Note::reason(body.reason));
    let (org, key) = (body.org.as_ref(), caller.idempotency_key);
    let began = Instant::now();
    let moved = state.engine().move_user(&user, org, key, origin).await;
    state.meters().decided(Verb::Change, began.elapsed());
    Ok(changed(&moved?))
}
