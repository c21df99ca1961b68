//! `POST /v1/check`: the answer that a consume would get now.

use std::time::Instant;

use api_types::{CheckBody, DecisionBody};
use axum::extract::State;
use axum::response::Response;
use quota_core::amount::Amount;
use quota_core::command::Consume;
use quota_core::ids::AccountId;

use super::consume::{in_items, items};
use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Reads;
use crate::decision::{check_body, respond};
use crate::meters::Verb;
use crate::offers::add_offers;
use crate::problem::Problem;

/// Says what a consume would be answered now, without spending anything.
#[utoipa::path(post, path = "/v1/check", tag = "decide", request_body = CheckBody,
    responses((status = 200, description = "Allowed or not: see `allowed`", body = DecisionBody),
        (status = 409, description = "A counter would exceed its maximum", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn check(
    State(state): State<ApiState>,
    _caller: Reads,
    JsonBody(body): JsonBody<CheckBody>,
) -> Result<Response, Problem> {
    let account = AccountId::user(&body.user);
    let one = Amount::new(1).ok();
    let is_named = body.feature.is_some() && body.items.is_none();
    let amount = body.amount.or(one.filter(|_| is_named));
    let (items, requested) = items((body.feature, amount, body.items), "")?;
    let (engine, token) = (state.engine(), body.token.as_ref());
    let offers_for = body.offers.then(|| Consume {
        token: token.cloned(),
        items: items.clone(),
    });
    let began = Instant::now();
    let checked = match items.as_slice() {
        [one] => {
            engine
                .check_item(&account, token, &one.feature, one.amount)
                .await
        }
        several => {
            let (token, items) = (token.cloned(), several.to_vec());
            engine.check_items(&account, Consume { token, items }).await
        }
    };
    let is_single = requested.is_some();
    let checked = checked.map_err(|error| in_items(Problem::from(error), is_single))?;
    state.meters().decided(Verb::Check, began.elapsed());
    let now = engine.now();
    let mut answer = check_body(&checked, requested, now);
    if let Some(asked) = offers_for {
        Box::pin(add_offers(&state, &mut answer, (&account, &asked))).await;
    }
    Ok(respond(&answer, now))
}
