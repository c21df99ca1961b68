//! What a payment provider sends: believed by its signature, kept, answered; worked on behind that.

use api_types::{FieldError, WebhookAnswer};
use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use quota_core::ids::ProviderCode;
use quota_core::ports::WebhookRefusal;

use crate::ApiState;
use crate::body::read_body;
use crate::params::{part, why};
use crate::problem::Problem;
use crate::routes::billing::connected;

/// The provider that the path names.
pub(crate) struct OfProvider(ProviderCode);

impl FromRequestParts<ApiState> for OfProvider {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let read = |text: &str| ProviderCode::new(text).map_err(why);
        part(parts, "provider", read).await.map(Self)
    }
}

/// Takes an event of a payment provider.
///
/// No API key is needed: the provider signs the body. The event is kept before it is answered, so that a 200 is a promise.
#[utoipa::path(post, path = "/v1/webhooks/{provider}", tag = "billing", security(()),
    params(("provider" = String, Path, description = "Whose event: `stripe`"), ("Stripe-Signature" = Option<String>, Header, description = "How Stripe signed the body, which is believed by nothing else")),
    request_body(content = Object, content_type = "application/json", description = "The body as the provider signed it"),
    responses((status = 200, description = "The event is kept", body = WebhookAnswer), (status = 400, description = "It is not signed by the provider, too old, of the other mode, or cannot be read", body = Problem, content_type = "application/problem+json"), (status = 404, description = "No such provider is connected", body = Problem, content_type = "application/problem+json"), (status = 502, description = "Whether the event is of the account that is connected cannot be asked: the provider refuses", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn webhook(
    State(state): State<ApiState>,
    OfProvider(provider): OfProvider,
    request: Request,
) -> Result<Json<WebhookAnswer>, Problem> {
    let connected = connected(&state)?;
    if connected.billing.provider().code() != &provider {
        let detail = format!("`{provider}` is not connected");
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_billing", detail));
    }
    let (parts, body) = request.into_parts();
    let body = read_body(body, state.settings().body_bytes_max).await?;
    let header = connected.webhooks.signature_header();
    let signatures: Vec<&[u8]> = parts
        .headers
        .get_all(header)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let now = state.engine().now();
    let read = connected.webhooks.read(&signatures, &body, now);
    let webhook = read.map_err(|refusal| {
        if matches!(refusal, WebhookRefusal::OtherMode(_)) {
            tracing::error!(%provider, "a webhook was refused: {refusal}");
        } else {
            tracing::warn!(%provider, "a webhook was refused: {refusal}");
        }
        refused(header, &refusal)
    })?;
    let is_new = connected.billing.take_webhook(webhook).await?;
    Ok(Json(WebhookAnswer { is_new }))
}

fn refused(header: &'static str, refusal: &WebhookRefusal) -> Problem {
    let code = match refusal {
        WebhookRefusal::NotSigned(_) => "webhook_not_signed",
        WebhookRefusal::OtherMode(_) => "webhook_of_other_mode",
        WebhookRefusal::Unreadable(_) => "webhook_unreadable",
    };
    let detail = refusal.to_string();
    let place = match refusal {
        WebhookRefusal::NotSigned(_) => FieldError::header(header, detail.clone()),
        WebhookRefusal::OtherMode(_) | WebhookRefusal::Unreadable(_) => {
            FieldError::at("", detail.clone())
        }
    };
    Problem::new(StatusCode::BAD_REQUEST, code, detail).about(place)
}
