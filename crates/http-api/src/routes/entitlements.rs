//! What an account may do, in short, for services that ask often: the same answer has the same tag.

use std::collections::BTreeMap;

use api_types::{EntitlementsBody, LeftBody};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use quota_core::answer::ScopeBalance;
use quota_core::ids::AccountId;
use quota_core::rules::entitlements::Entitlements;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::ApiState;
use crate::caller::Reads;
use crate::params::Account;
use crate::problem::Problem;

/// Shows what an account may do: flags, settings, and what is left of each limit.
#[utoipa::path(get, path = "/{id}/entitlements", tag = "accounts",
    params(("id" = String, Path, description = "The account's id"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the answer that you have: 304 when it is still right")),
    responses((status = 200, body = EntitlementsBody, headers(("ETag" = String, description = "Another one as soon as anything in the answer is another"))),
        (status = 304, description = "The answer with one of these tags is still right", headers(("ETag" = String, description = "The tag of that answer")))))]
pub(crate) async fn entitlements(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entitlements = state.engine().entitlements(&account).await?;
    let body = serde_json::to_vec(&body(account, entitlements)).unwrap_or_default();
    let tag = tag_of(&body);
    let tagged = [(header::ETAG, tag.clone())];
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, tagged).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, tagged, body).into_response())
}

fn body(account: AccountId, entitlements: Entitlements) -> EntitlementsBody {
    let limits = entitlements.limits.iter();
    let limits = limits.filter_map(|balance| Some((balance.feature.clone()?, left_body(balance))));
    EntitlementsBody {
        account,
        in_force: entitlements.is_in_force,
        denied: entitlements.denied,
        seats: entitlements.seats,
        addons: entitlements.addons,
        limits: limits.collect::<BTreeMap<_, _>>(),
        flags: entitlements.had.flags,
        settings: entitlements.had.settings,
    }
}

fn left_body(balance: &ScopeBalance) -> LeftBody {
    LeftBody {
        scope: balance.scope,
        limit: balance.granted,
        remaining: balance.remaining,
        boosts: Some(balance.boosts).filter(|left| *left != 0),
        room: balance.room.map(|room| room.remaining),
        credits: balance.credits,
        on_demand: balance.on_demand.as_ref().map(|sold| sold.remaining),
        trial: balance.trial,
        resets_at: balance.resets_at,
    }
}

/// A tag that no other answer has, on whichever node it is made.
fn tag_of(body: &[u8]) -> HeaderValue {
    let digest: [u8; 32] = Sha256::digest(body).into();
    let mut start = [0; 16];
    start.copy_from_slice(&digest[..16]);
    let tag = format!("\"{}\"", Uuid::from_bytes(start).simple());
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the caller has the answer with this tag. Tags are compared without regard to a `W/` that somebody between us put
/// before one.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let sent = headers.get_all(header::IF_NONE_MATCH).iter();
    let sent = sent.filter_map(|value| value.to_str().ok());
    let mut tags = sent.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|sent| sent == "*" || sent.trim_start_matches("W/").as_bytes() == tag.as_bytes())
}
