//! API keys.

use api_types::{KeyBody, KeyList, NewKeyBody};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use quota_core::ports::ApiKey;

use crate::ApiState;
use crate::body::JsonBody;
use crate::caller::Admin;
use crate::params::OfUuid;
use crate::problem::Problem;

fn key_body(key: ApiKey, secret: Option<String>) -> KeyBody {
    KeyBody {
        id: key.id,
        name: key.name,
        scope: key.scope,
        prefix: key.prefix,
        created_at: key.created_at,
        revoked_at: key.revoked_at,
        secret,
    }
}

/// Lists the keys.
#[utoipa::path(get, path = "/v1/keys", tag = "operate",
    responses((status = 200, body = KeyList)))]
pub(crate) async fn list_keys(
    State(state): State<ApiState>,
    Admin(_caller): Admin,
) -> Result<Json<KeyList>, Problem> {
    let keys = state.engine().keys().await?;
    let items = keys.into_iter().map(|key| key_body(key, None));
    Ok(Json(KeyList {
        items: items.collect(),
    }))
}

/// Creates an API key. Its secret is in this answer only. An `Idempotency-Key` has no effect here.
#[utoipa::path(post, path = "/v1/keys", tag = "operate", request_body = NewKeyBody,
    responses((status = 201, description = "Created", body = KeyBody)))]
pub(crate) async fn create_key(
    State(state): State<ApiState>,
    Admin(_caller): Admin,
    JsonBody(body): JsonBody<NewKeyBody>,
) -> Result<Response, Problem> {
    let name = body.name.into_text();
    let made = state.engine().create_key(&name, body.scope).await?;
    let body = key_body(made.key, Some(made.secret));
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Revokes a key: refused within half a second on every node.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "operate",
    params(("id" = Uuid, Path, description = "The key's id")),
    responses((status = 204, description = "Revoked"), (status = 404, description = "There is no such key", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn revoke_key(
    State(state): State<ApiState>,
    Admin(_caller): Admin,
    OfUuid(id): OfUuid,
) -> Result<StatusCode, Problem> {
    if state.engine().revoke_key(id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_key",
        format!("there is no API key with the id {id}; `GET /v1/keys` lists those that there are"),
    ))
}
