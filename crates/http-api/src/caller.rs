//! Who calls: the API key, what it may do, and what the headers say beside the body.
//!
//! A handler says by the type of its caller which scope it needs, and no other place checks it:
//!
//! | caller | scope of the key | covers |
//! | --- | --- | --- |
//! | [`Reads`] | `read` or more | every GET under `/v1` but API keys and a checkout, and `POST /v1/check` |
//! | [`Writes`] | `write` or more | decisions and what follows them, users, orgs, tokens, overrides, subscriptions, credits, codes |
//! | [`Admin`] | `admin` | planning and applying a catalog, API keys, starting a job; `/metrics`, unless it is open |
//! | none | no key | `/healthz`, `/readyz`, `/docs`, `/openapi.json`, `/v1/catalog/schema`, `POST /v1/webhooks/{provider}`, whose body the provider signs |

use std::sync::Arc;

use crate::ApiState;
use crate::edge::RequestId;
use crate::note::Note;
use crate::problem::Problem;
use api_types::Label;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use quota_core::ids::IdempotencyKey;
use quota_core::origin::Origin;
use quota_core::ports::{ApiKey, KeyScope};

static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Whoever calls, known by its key.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Its API key.
    api_key: Arc<ApiKey>,
    /// The caller's key for this write (X1).
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    request_id: RequestId,
}

impl Caller {
    /// The API key's name.
    pub(crate) fn name(&self) -> &str {
        &self.api_key.name
    }

    /// The same caller with another key for its write.
    pub(crate) fn with_key(&self, idempotency_key: Option<IdempotencyKey>) -> Self {
        Self {
            api_key: Arc::clone(&self.api_key),
            idempotency_key,
            request_id: self.request_id.clone(),
        }
    }

    /// What is booked about who asked (X7).
    pub(crate) fn origin(&self, note: Note) -> Origin {
        let text = |label: Option<Label>| label.map(Label::into_text);
        Origin {
            actor: Some(self.name().to_owned()),
            request_id: Some(self.request_id.as_str().to_owned()),
            resource_type: text(note.resource_type),
            resource_id: text(note.resource_id),
            reason: text(note.reason),
        }
    }
}

/// A caller that may look.
pub(crate) struct Reads;

/// A caller that may decide and change accounts.
pub(crate) struct Writes(pub(crate) Caller);

/// A caller that may do everything.
pub(crate) struct Admin(pub(crate) Caller);

impl FromRequestParts<ApiState> for Reads {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        known_key(&parts.headers, state, KeyScope::Read).await?;
        Ok(Self)
    }
}

impl FromRequestParts<ApiState> for Writes {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        caller(parts, state, KeyScope::Write).await.map(Self)
    }
}

impl FromRequestParts<ApiState> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        caller(parts, state, KeyScope::Admin).await.map(Self)
    }
}

async fn caller(parts: &Parts, state: &ApiState, needed: KeyScope) -> Result<Caller, Problem> {
    let api_key = known_key(&parts.headers, state, needed).await?;
    let idempotency_key = idempotency_key(&parts.headers)?;
    let request_id = parts.extensions.get::<RequestId>().cloned();
    Ok(Caller {
        api_key,
        idempotency_key,
        request_id: request_id.ok_or_else(Problem::internal)?,
    })
}

/// The API key of a request, if it may do what is needed.
pub(crate) async fn known_key(
    headers: &HeaderMap,
    state: &ApiState,
    needed: KeyScope,
) -> Result<Arc<ApiKey>, Problem> {
    let refused = |detail| Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail);
    let secret = secret(headers).ok_or_else(|| {
        refused("an API key is needed: `Authorization: Bearer quota_…` or `X-Api-Key: quota_…`")
    })?;
    // What cannot be a key is not looked for: strangers do not keep the store busy.
    let found = if is_secret(secret) {
        state.engine().key_of(secret).await?
    } else {
        None
    };
    let key = found.ok_or_else(|| refused("the API key is unknown"))?;
    if key.revoked_at.is_some() {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "key_revoked",
            "the API key is revoked",
        ));
    }
    if key.scope < needed {
        let detail = format!(
            "the API key has scope `{}`; this needs `{}`",
            key.scope.as_str(),
            needed.as_str()
        );
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            detail,
        ));
    }
    Ok(key)
}

/// Whether a text has the form of a secret: `quota_` and 64 hexadecimal digits.
fn is_secret(text: &str) -> bool {
    text.strip_prefix("quota_")
        .is_some_and(|rest| rest.len() == 64 && rest.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn secret(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(secret.trim());
    }
    headers.get(&X_API_KEY)?.to_str().ok()
}

/// The `Idempotency-Key`: a structured-field string (`"k-1"`) or the bare text (`k-1`).
fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let invalid = |why: &str| Problem::invalid_header("Idempotency-Key", why);
    let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid("must be sent only once"));
    }
    let text = value
        .to_str()
        .map_err(|_| invalid("may only contain visible ASCII characters"))?;
    let bare = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    IdempotencyKey::new(bare)
        .map(Some)
        .map_err(|error| invalid(&error.why))
}

/// The value that says an answer is an earlier one again.
pub(crate) fn replayed_header() -> (HeaderName, HeaderValue) {
    (
        HeaderName::from_static("idempotent-replayed"),
        HeaderValue::from_static("true"),
    )
}
