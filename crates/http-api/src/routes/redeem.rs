//! A code is redeemed.

use api_types::{RedeemBody, RedemptionBody};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use quota_core::code::CodeGift;
use quota_core::ids::{BoostId, GrantId};
use quota_service::{Redeem, Redeemed};

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::{Writes, replayed_header};
use crate::note::Note;
use crate::params::Account;
use crate::problem::Problem;
use crate::routes::codes::{codes_of, gift_body};

/// The answer to a redemption: 201 for what the account had not.
fn redeemed_answer(redeemed: Redeemed) -> Response {
    let status = if redeemed.is_news {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut headers = HeaderMap::new();
    if redeemed.is_replay {
        let (name, value) = replayed_header();
        headers.insert(name, value);
    }
    let (code, used) = (redeemed.code, redeemed.used);
    let (grant, boost) = match code.gift {
        CodeGift::Credits(_) => (Some(GrantId::of_code(code.id)), None),
        CodeGift::Boost(_) => (None, Some(BoostId::of_code(code.id))),
        CodeGift::Plan(_) => (None, None),
    };
    let body = RedemptionBody {
        account: used.account,
        code_id: code.id,
        batch: code.batch,
        gift: gift_body(code.gift),
        grant,
        boost,
        redeemed_at: used.done_at.unwrap_or(used.claimed_at),
    };
    (status, headers, Json(body)).into_response()
}

/// Redeems a code for the account: once, however often it is sent. Of a text that is no code nothing is told but that; ten of those
/// in a minute, and nothing that the account sends is looked at until the minute is over.
#[utoipa::path(post, path = "/{id}/redeem", tag = "money", request_body = RedeemBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 201, description = "Redeemed: the account has what the code gives", body = RedemptionBody),
        (status = 200, description = "The account had redeemed it before; nothing changed", body = RedemptionBody),
        (status = 404, description = "There is no such account, or no such code", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The code is used up, revoked, not to be redeemed now, or gives what this account cannot be given", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The account sent too many texts that are no code", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn redeem(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<RedeemBody>,
) -> Result<Response, Problem> {
    let asked = Redeem {
        account,
        code: body.code,
        key: caller.idempotency_key.clone(),
        origin: caller.origin(Note::default()),
    };
    let redeemed = codes_of(&state)?.redeem(asked).await;
    // What the code gives is no field of the request: the code is.
    let of_code = |problem: Problem| problem.all_at("/code");
    redeemed
        .map(redeemed_answer)
        .map_err(|error| of_code(error.into()))
}
