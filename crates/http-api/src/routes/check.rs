//! `POST /v1/check`: what a request would be answered now.

use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use quota_core::amount::Amount;
use quota_core::ids::{AccountId, FeatureCode, TokenId, UserId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Reads;
use crate::decision::DecisionBody;
use crate::meters::Verb;
use crate::problem::Problem;

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckBody {
    /// The user.
    #[schema(value_type = String, example = "alice")]
    user: UserId,
    /// The API token of the user that the request would come with.
    #[schema(value_type = Option<String>)]
    token: Option<TokenId>,
    /// The feature.
    #[schema(value_type = String, example = "articles_per_month")]
    feature: FeatureCode,
    /// How much, in stored units: 1 to 10^15.
    #[schema(value_type = u64, minimum = 1, example = 1)]
    amount: Amount,
}

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
    Ok(DecisionBody::checked(&checked, body.amount.get(), now).answer(now))
}
