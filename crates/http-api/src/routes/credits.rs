//! Prepaid credits: grants by hand, and what is left.

use api_types::{ChangeBody, CreditsBody, GrantBody, NewGrantBody};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use quota_core::amount::Limit;
use quota_core::balance::{Balance, Bucket};
use quota_core::command::{Command, GrantCredits};
use quota_core::rules::funding::credits_left;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::{Reads, Writes};
use crate::note::Note;
use crate::params::Account;
use crate::problem::Problem;
use crate::submit::change;

/// The grants among balances.
pub(crate) fn grant_bodies(balances: &[Balance], now: DateTime<Utc>) -> Vec<GrantBody> {
    let grant = |balance: &Balance| {
        let Bucket::Grant(id) = &balance.bucket else {
            return None;
        };
        Some(GrantBody {
            id: id.clone(),
            granted: balance.granted.ceiling().unwrap_or_default(),
            used: balance.used,
            held: balance.held,
            remaining: balance.remaining(now),
            priority: balance.priority,
            starts_at: balance.starts_at,
            expires_at: balance.ends_at,
        })
    };
    balances.iter().filter_map(grant).collect()
}

/// Shows an account's credits.
#[utoipa::path(get, path = "/{id}/credits", tag = "money",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = CreditsBody)))]
pub(crate) async fn credits(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
) -> Result<Json<CreditsBody>, Problem> {
    let overview = state.engine().overview(&account).await?;
    debug_assert!(
        overview
            .grants
            .iter()
            .all(|grant| grant.granted != Limit::Unlimited),
        "a grant is a number of credits"
    );
    Ok(Json(CreditsBody {
        balance: credits_left(&overview.grants, overview.at),
        grants: grant_bodies(&overview.grants, overview.at),
    }))
}

/// Grants credits.
#[utoipa::path(post, path = "/{id}/credits", tag = "money", request_body = NewGrantBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 201, description = "Granted", body = ChangeBody), (status = 409, description = "The grant already exists, or the account has the maximum number of grants", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn grant_credits(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<NewGrantBody>,
) -> Result<Response, Problem> {
    let command = Command::GrantCredits(GrantCredits {
        grant: body.id,
        credits: body.amount,
        priority: body.priority,
        expires_at: body.expires_at,
    });
    change(&state, &caller, account, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.at_instead("/grant", "/id"))
}
