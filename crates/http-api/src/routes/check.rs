//! `POST /v1/check`: what a request would be answered now.

use std::time::Instant;

use api_types::{CheckBody, DecisionBody};
use axum::extract::State;
use axum::response::Response;
use quota_core::ids::AccountId;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Reads;
use crate::decision::{check_body, respond};
use crate::meters::Verb;
use crate::problem::Problem;

/// Says what a consume would be answered now; draws nothing.
#[utoipa::path(post, path = "/v1/check", tag = "decide", request_body = CheckBody,
    responses((status = 200, description = "Allowed or not: see `allowed`", body = DecisionBody)))]
pub(crate) async fn check(
    State(state): State<ApiState>,
    _caller: Reads,
    JsonBody(body): JsonBody<CheckBody>,
) -> Result<Response, Problem> {
    let account = AccountId::user(&body.user);
    let began = Instant::now();
    let checked = state
        .engine()
        .check(&account, body.token.as_ref(), &body.feature, body.amount)
        .await?;
    state.meters().decided(Verb::Check, began.elapsed());
    let now = state.engine().now();
    let answer = check_body(&checked, body.amount.get(), now);
    Ok(respond(&answer, now))
}
