//! Calls over HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};

use super::settings::{API_VERSION, HttpSettings, OpenError};
use super::transport::{Answer, Method, Request, Transport, TransportFault};

/// A page of a hundred subscriptions with all that is expanded is about one MiB.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Calls over HTTP, encrypted but on this machine.
#[derive(Debug)]
pub struct HttpTransport {
    http: reqwest::Client,
    base_url: String,
}

impl HttpTransport {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`OpenError`] when TLS or the key cannot be used.
    pub fn open(settings: &HttpSettings) -> Result<Self, OpenError> {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", settings.key.expose());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| OpenError::Key)?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
        headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .default_headers(headers)
            .user_agent(concat!("quota-engine/", env!("CARGO_PKG_VERSION")))
            // The key goes to the address that was set, and to no other.
            .redirect(Policy::none())
            .https_only(!settings.base_url.is_plain())
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout);
        if settings.base_url.is_plain() {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build().map_err(OpenError::Http)?,
            base_url: settings.base_url.as_str().to_owned(),
        })
    }
}

/// The roots that are built in: the same on every machine, and in an image without any files.
fn tls() -> Result<ClientConfig, OpenError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(OpenError::Tls)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: &Request) -> Result<Answer, TransportFault> {
        let url = format!("{}{}", self.base_url, request.path);
        let mut builder = match request.method {
            Method::Get => self.http.get(url),
            Method::Post => self.http.post(url),
            Method::Delete => self.http.delete(url),
        };
        if let Some(key) = &request.idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        if let Some(form) = &request.form {
            builder = builder
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone());
        }
        let mut response = builder.send().await.map_err(|error| fault(&error))?;
        let headers = response.headers();
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let retry_after = text(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
        let mut answer = Answer {
            status: response.status().as_u16(),
            body: Vec::new(),
            retry_after: retry_after.map(Duration::from_secs),
            should_retry: text("stripe-should-retry").map(|text| text == "true"),
            is_replay: text("idempotent-replayed") == Some("true"),
            request_id: text("request-id").map(str::to_owned),
        };
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            if ANSWER_BYTES_MAX < answer.body.len() + chunk.len() {
                return Err(TransportFault::TooLong(ANSWER_BYTES_MAX));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

fn fault(error: &reqwest::Error) -> TransportFault {
    if error.is_timeout() {
        return TransportFault::TimedOut;
    }
    let why = innermost(error);
    if error.is_connect() {
        TransportFault::NoConnection(why)
    } else {
        TransportFault::Broken(why)
    }
}

/// The last of the causes says what happened; the others repeat the address.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
