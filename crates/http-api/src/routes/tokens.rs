//! A user's API tokens: caps of their own.

use api_types::{ChangeBody, NewTokenBody, ReasonBody, TokenBody, TokenList, TokenTermsBody};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use quota_core::answer::Rejection;
use quota_core::command::{Command, Presence, PutToken, RevokeToken};
use quota_core::ids::{AccountId, TokenId};
use quota_core::rules::scope_balances::Overview;

use crate::ApiState;
use crate::body::{JsonBody, OptionalBody};
use crate::caller::{Caller, Reads, Writes};
use crate::decision::balance_body;
use crate::note::Note;
use crate::params::{Account, OfToken};
use crate::problem::Problem;
use crate::submit::change;

fn token_bodies(overview: &Overview) -> impl Iterator<Item = TokenBody> {
    overview.tokens.iter().filter_map(|(id, balance)| {
        let token = overview.terms.tokens.get(id)?;
        Some(TokenBody {
            id: id.clone(),
            cap: token.cap,
            per: token.per,
            made_at: token.made_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            balance: balance_body(balance),
        })
    })
}

/// Shows a token.
#[utoipa::path(get, path = "/v1/users/{id}/tokens/{token}", tag = "accounts",
    params(("id" = String, Path, description = "The user's id"), ("token" = String, Path, description = "The token's id")),
    responses((status = 200, body = TokenBody), (status = 404, description = "There is no such user or token", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn token(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
    OfToken(token): OfToken,
) -> Result<Json<TokenBody>, Problem> {
    let overview = state.engine().overview(&account).await?;
    let found = token_bodies(&overview).find(|body| body.id == token);
    let found = found.ok_or_else(|| Problem::from(Rejection::UnknownToken(token)));
    Ok(Json(
        found.map_err(|problem| problem.in_path("/token", "token"))?,
    ))
}

/// Lists a user's tokens.
#[utoipa::path(get, path = "/v1/users/{id}/tokens", tag = "accounts",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = TokenList)))]
pub(crate) async fn list_tokens(
    State(state): State<ApiState>,
    _caller: Reads,
    Account(account): Account,
) -> Result<Json<TokenList>, Problem> {
    let overview = state.engine().overview(&account).await?;
    let items = token_bodies(&overview).collect();
    Ok(Json(TokenList { items }))
}

/// Creates a token.
#[utoipa::path(post, path = "/v1/users/{id}/tokens", tag = "accounts", request_body = NewTokenBody,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 201, description = "Created", body = ChangeBody), (status = 409, description = "The token already exists, or the user has the maximum number of tokens", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create_token(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    JsonBody(body): JsonBody<NewTokenBody>,
) -> Result<Response, Problem> {
    let terms = TokenTermsBody {
        cap: body.cap,
        per: body.per,
        expires_at: body.expires_at,
        reason: body.reason,
    };
    put(&state, &caller, account, (body.id, Presence::New), terms)
        .await
        .map_err(|problem| problem.at_instead("/token", "/id"))
}

/// Creates or changes a token.
#[utoipa::path(put, path = "/v1/users/{id}/tokens/{token}", tag = "accounts", request_body = TokenTermsBody,
    params(("id" = String, Path, description = "The user's id"), ("token" = String, Path, description = "The token's id")),
    responses((status = 200, description = "Changed", body = ChangeBody), (status = 201, description = "Created", body = ChangeBody), (status = 409, description = "The token is revoked, or the user has the maximum number of tokens", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn put_token(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfToken(token): OfToken,
    JsonBody(body): JsonBody<TokenTermsBody>,
) -> Result<Response, Problem> {
    put(&state, &caller, account, (token, Presence::Any), body)
        .await
        .map_err(|problem| problem.in_path("/token", "token"))
}

/// Changes a token.
#[utoipa::path(patch, path = "/v1/users/{id}/tokens/{token}", tag = "accounts", request_body = TokenTermsBody,
    params(("id" = String, Path, description = "The user's id"), ("token" = String, Path, description = "The token's id")),
    responses((status = 200, description = "Changed", body = ChangeBody), (status = 404, description = "There is no such user or token", body = Problem, content_type = "application/problem+json"), (status = 409, description = "The token is revoked", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch_token(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfToken(token): OfToken,
    JsonBody(body): JsonBody<TokenTermsBody>,
) -> Result<Response, Problem> {
    put(&state, &caller, account, (token, Presence::Existing), body)
        .await
        .map_err(|problem| problem.in_path("/token", "token"))
}

async fn put(
    state: &ApiState,
    caller: &Caller,
    account: AccountId,
    (token, presence): (TokenId, Presence),
    terms: TokenTermsBody,
) -> Result<Response, Problem> {
    let command = Command::PutToken(PutToken {
        token,
        presence,
        cap: terms.cap,
        per: terms.per,
        expires_at: terms.expires_at,
    });
    change(state, caller, account, command, Note::reason(terms.reason)).await
}

/// Revokes a token: denied from the next request on.
#[utoipa::path(delete, path = "/v1/users/{id}/tokens/{token}", tag = "accounts", request_body = Option<ReasonBody>,
    params(("id" = String, Path, description = "The user's id"), ("token" = String, Path, description = "The token's id")),
    responses((status = 200, description = "Revoked", body = ChangeBody), (status = 404, description = "There is no such user or token", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn revoke_token(
    State(state): State<ApiState>,
    Writes(caller): Writes,
    Account(account): Account,
    OfToken(token): OfToken,
    OptionalBody(body): OptionalBody<ReasonBody>,
) -> Result<Response, Problem> {
    let command = Command::RevokeToken(RevokeToken { token });
    change(&state, &caller, account, command, Note::reason(body.reason))
        .await
        .map_err(|problem| problem.in_path("/token", "token"))
}
