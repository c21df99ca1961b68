//! Boosts: units of one feature given until an instant, what is left of them, and what is taken back.

use api_types::{BoostBody, BoostList, ChangeBody, GrantState, NewBoostBody, ReasonBody};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use quota_core::balance::{Balance, Bucket};
use quota_core::command::{Command, GiveBoost, TakeBackBoost};

use super::credits::{given_state, purchase_body};
use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::{Reads, Writes};
use crate::note::Note;
use crate::params::{Account, OfBoost, Page};
use crate::problem::Problem;
use crate::submit::change;

/// The boosts among balances.
pub(crate) fn boost_bodies(balances: &[Balance], now: DateTime<Utc>) -> Vec<BoostBody> {
    let boost = |balance: &Balance| boost_body(balance, now);
    balances.iter().filter_map(boost).collect()
}

/// A balance as a boost, if it is one.
fn boost_body(balance: &Balance, now: DateTime<Utc>) -> Option<BoostBody> {
    let Bucket::Boost(feature, id) = &balance.bucket else {
        return None;
    };
    let backing = balance.backing.as_deref();
    Some(BoostBody {
        id: id.clone(),
        feature: feature.clone(),
        state: given_state(balance, now),
        granted: balance.worth(),
        used: balance.used,
        held: balance.held,
        remaining: balance.remaining(now),
        revoked: backing.map_or(0, |backing| backing.revoked),
        frozen: balance.frozen(),
        purchase: backing.and_then(|backing| backing.purchase.as_ref().map(purchase_body)),
        starts_at: balance.starts_at,
        ends_at: balance.ends_at,
    })
}

/// Shows an account's boosts: live and ended.
#[utoipa::path(get, path = "/{id}/boosts", tag = "money",
    params(("id" = String, Path, description = "The account's id"),
        ("after" = Option<String>, Query, description = "The `next` of the previous page"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many ended boosts a page has: 1 to 1,000; 100 by default")),
    responses((status = 200, body = BoostList)))]
pub(crate) async fn boosts(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    page: Page,
) -> Result<Json<BoostList>, Problem> {
    let after = page.after_boost()?;
    let boosts = state.engine().boosts(&account).await?;
    let is_live = |boost: &BoostBody| boost.state == GrantState::Live;
    let all = boost_bodies(&boosts, state.engine().now()).into_iter();
    let (mut shown, mut ended): (Vec<_>, Vec<_>) = all.partition(is_live);
    if let Some(after) = after {
        shown.clear();
        ended.retain(|boost| after < boost.id);
    }
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let has_more = limit < ended.len();
    ended.truncate(limit);
    let next = ended.last().filter(|_| has_more);
    let next = next.map(|last| last.id.to_string());
    shown.extend(ended);
    Ok(Json(BoostList {
        boosts: shown,
        next,
    }))
}

/// Gives units of one feature until an instant.
#[utoipa::path(post, path = "/{id}/boosts", tag = "money", request_body = NewBoostBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 201, description = "Given", body = ChangeBody), (status = 404, description = "There is no such account or feature", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The boost already exists, or the account has the maximum number of boosts", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn give_boost(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<NewBoostBody>,
) -> Result<Response, Problem> {
    let command = Command::GiveBoost(GiveBoost {
        boost: body.id,
        feature: body.feature,
        amount: body.amount,
        ends_at: body.ends_at,
    });
    change(&state, &caller, account, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.at_instead("/boost", "/id"))
}

/// Takes back what nobody has used or reserved of a boost.
#[utoipa::path(delete, path = "/{id}/boosts/{boost}", tag = "money", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The account's id"), ("boost" = String, Path, description = "The boost's id")),
    responses((status = 200, description = "Taken back", body = ChangeBody), (status = 404, description = "There is no such account or boost", body = Problem, content_type = "application/problem+json"), (status = 409, description = "Nothing of the boost is left, or it was bought", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn take_back_boost(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfBoost(boost): OfBoost,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let command = Command::TakeBackBoost(TakeBackBoost { boost });
    change(&state, &caller, account, command, Note::reason(body.reason)).await
}
