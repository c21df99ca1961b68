//! Calls over HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use super::settings::{API_VERSION, HttpSettings, OpenError};
use super::transport::{Answer, Method, Request, Transport, TransportFault};

/// A page of a hundred subscriptions with all that is expanded is about one MiB.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// A connection that nobody uses is closed by us before Stripe closes it.
const IDLE_SECONDS: u64 = 30;

/// Calls over HTTP, encrypted but on this machine. A redirect is not followed: the key goes to the address that was set.
#[derive(Debug)]
pub struct HttpTransport {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    headers: HeaderMap,
    base_url: String,
    timeout: Duration,
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
        let agent = concat!("quota-engine/", env!("CARGO_PKG_VERSION"));
        let form = "application/x-www-form-urlencoded";
        headers.insert(AUTHORIZATION, bearer);
        headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(form));
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(settings.connect_timeout));
        let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls()?);
        let tls = if settings.base_url.is_plain() {
            tls.https_or_http()
        } else {
            tls.https_only()
        };
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(IDLE_SECONDS))
            .build(tls.enable_http1().wrap_connector(tcp));
        Ok(Self {
            http,
            headers,
            base_url: settings.base_url.as_str().to_owned(),
            timeout: settings.timeout,
        })
    }

    fn request(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, http::Error> {
        let method = match request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Delete => http::Method::DELETE,
        };
        let body = request.form.clone().unwrap_or_default().into_bytes();
        let mut built = http::Request::builder()
            .method(method)
            .uri(format!("{}{}", self.base_url, request.path));
        if let Some(key) = &request.idempotency_key {
            built = built.header("idempotency-key", key);
        }
        if let Some(headers) = built.headers_mut() {
            headers.extend(self.headers.clone());
        }
        built.body(Full::new(Bytes::from(body)))
    }

    async fn answered(&self, request: &Request) -> Result<Answer, TransportFault> {
        let request = self
            .request(request)
            .map_err(|error| TransportFault::NoConnection(error.to_string()))?;
        let response = self.http.request(request).await;
        let (head, body) = response.map_err(|error| fault(&error))?.into_parts();
        let text = |name: &str| head.headers.get(name)?.to_str().ok();
        let retry_after = text(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                TransportFault::TooLong(ANSWER_BYTES_MAX)
            } else {
                TransportFault::Broken(innermost(&*error))
            }
        })?;
        Ok(Answer {
            status: head.status.as_u16(),
            body: body.to_bytes().into(),
            retry_after: retry_after.map(Duration::from_secs),
            should_retry: text("stripe-should-retry").map(|text| text == "true"),
            is_replay: text("idempotent-replayed") == Some("true"),
            request_id: text("request-id").map(str::to_owned),
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
        let answered = tokio::time::timeout(self.timeout, self.answered(request)).await;
        answered.unwrap_or(Err(TransportFault::TimedOut))
    }
}

fn fault(error: &Error) -> TransportFault {
    let why = innermost(error);
    if error.is_connect() {
        TransportFault::NoConnection(why)
    } else {
        TransportFault::Broken(why)
    }
}

/// The last of the causes says what happened; the others repeat the address.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
