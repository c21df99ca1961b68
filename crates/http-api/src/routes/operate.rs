//! Probes, metrics and the OpenAPI document.

use api_types::{HealthBody, HealthStatus};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use quota_core::ports::KeyScope;

use crate::ApiState;
use crate::caller::known_key;
use crate::problem::Problem;
use crate::refusal::{chain, write_fault_code};

/// Says that the process runs.
#[utoipa::path(get, path = "/healthz", tag = "operate", security(()),
    responses((status = 200, body = HealthBody)))]
pub(crate) async fn healthz() -> Json<HealthBody> {
    Json(HealthBody {
        status: HealthStatus::Ok,
        store: None,
        writes: None,
        cache: None,
        provider: None,
        schema: None,
    })
}

/// Says whether requests can be answered.
#[utoipa::path(get, path = "/readyz", tag = "operate", security(()),
    responses((status = 200, body = HealthBody), (status = 503, description = "The process is stopping (`draining`), the database does not answer, or its schema is not migrated", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn readyz(State(state): State<ApiState>) -> Result<Json<HealthBody>, Problem> {
    if state.is_draining() {
        let detail = "this process is stopping; send requests to another one";
        return Err(unready("draining", detail));
    }
    let health = state.engine().health().await;
    let schema = match &state.settings().schema {
        Some(ask) if health.store.is_ok() => ask().await.map(Some),
        _ => Ok(None),
    };
    let schema = health.store.and(schema).map_err(|error| Problem {
        away: Some(chain(&error)),
        ..unready("store_unavailable", "the database does not answer")
    })?;
    if let Some(lacking) = schema.as_ref().filter(|schema| !schema.is_enough) {
        let detail = format!("the database's schema {}: run `api migrate`", lacking.words);
        return Err(unready("schema_outdated", detail));
    }
    let provider = state.settings().provider.as_ref();
    let trouble = provider.and_then(|connected| connected.billing.trouble());
    Ok(Json(HealthBody {
        status: if health.is_cache_up && health.writes.is_none() && trouble.is_none() {
            HealthStatus::Ok
        } else {
            HealthStatus::Degraded
        },
        store: Some(true),
        writes: Some(health.writes.map_or("ok", write_fault_code).to_owned()),
        cache: Some(health.is_cache_up),
        provider: provider.map(|_| trouble.unwrap_or_else(|| "ok".to_owned())),
        schema: schema.map(|schema| schema.words),
    }))
}

fn unready(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(1)
}

/// The metrics of this process, as Prometheus text. Needs an admin key unless it is set to be open.
#[utoipa::path(get, path = "/metrics", tag = "operate",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain"), (status = 404, description = "This process keeps no metrics", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn metrics(
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !state.settings().metrics_open {
        known_key(&headers, &state, KeyScope::Admin).await?;
    }
    let render =
        state.settings().metrics.as_ref().ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "no_metrics", "no metrics are kept")
        })?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Ok((kind, render()).into_response())
}
