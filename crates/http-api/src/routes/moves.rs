//! A user joins an org, leaves it, or goes over to another.

use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use quota_core::ids::OrgId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Writes;
use crate::label::{Label, Note};
use crate::meters::Verb;
use crate::params::Account;
use crate::problem::Problem;
use crate::submit::{ChangeBody, changed};

/// Where a user goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"org": "acme", "reason": "joined the team"}))]
pub(crate) struct MoveBody {
    /// The org that it joins; `null` when it leaves its org. Not left out: an empty body must not move anybody.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<String>, required)]
    org: Option<OrgId>,
    /// Why.
    reason: Option<Label>,
}

/// Moves a user into an org or out of it, with its balances, tokens and subscription. What its org was charged stays
/// with that org; what was consumed before can no longer be refunded.
#[utoipa::path(put, path = "/v1/users/{id}/org", tag = "accounts", request_body = MoveBody,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "Moved, or there already", body = ChangeBody),
        (status = 409, description = "It has open reservations", body = Problem, content_type = "application/problem+json"),
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
