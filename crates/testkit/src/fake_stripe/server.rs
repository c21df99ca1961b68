//! The fake over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use futures::stream;
use tokio::net::TcpListener;

use super::control;
use super::handle::{FakeStripe, Server};
use super::reply::{Call, Sent};
use super::state::{Begun, Core};

impl FakeStripe {
    /// Starts one on a free port. Its clock stands at the machine's time.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts one on this address of this machine.
    ///
    /// # Panics
    /// When the address cannot be had.
    pub async fn start_on(address: SocketAddr) -> Self {
        let listener = match TcpListener::bind(address).await {
            Ok(listener) => listener,
            Err(error) => panic!("{address} cannot be had: {error}"),
        };
        let address = match listener.local_addr() {
            Ok(address) => address,
            Err(error) => panic!("the listener has no address: {error}"),
        };
        let url = format!("http://{address}");
        let mut core = Core::default();
        core.store.now = chrono::Utc::now().timestamp();
        core.base_url.clone_from(&url);
        let mut fake = Self {
            core: Arc::new(core.into()),
            endpoints: Arc::default(),
            delivered: Arc::default(),
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .unwrap_or_default(),
            url,
            server: None,
        };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                panic!("the fake Stripe ended: {error}");
            }
        });
        fake.server = Some(Arc::new(Server(serving.abort_handle())));
        fake
    }
}

async fn answer(
    State(fake): State<FakeStripe>,
    (method, uri): (Method, Uri),
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    if let Some(path) = uri.path().strip_prefix("/_fake/") {
        let asked = control::Asked {
            is_get: method == Method::GET,
            path,
            query: uri.query().unwrap_or_default(),
            body: &body,
        };
        return control::answer(&fake, &asked).await;
    }
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let bearer = header("authorization");
    let call = Call {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        body,
        bearer: bearer.and_then(|text| Some(text.strip_prefix("Bearer ")?.to_owned())),
        version: header("stripe-version"),
        key: header("idempotency-key"),
    };
    let begun = fake.core().begin(&call);
    let sent = match begun {
        Begun::Answered(sent) => sent,
        Begun::AtWork(latency, fault) => {
            if latency != Duration::ZERO {
                tokio::time::sleep(latency).await;
            }
            fake.core().end(&call, fault)
        }
    };
    match sent {
        Sent::Reply(reply) => {
            let mut response = Response::builder()
                .status(reply.status)
                .header(header::CONTENT_TYPE, "application/json")
                .header("request-id", "req_fake");
            for (name, value) in reply.headers {
                response = response.header(name, value);
            }
            built(response.body(Body::from(format!("{:#}", reply.body))))
        }
        Sent::Text(status, text) => {
            built(Response::builder().status(status).body(Body::from(text)))
        }
        Sent::Broken => {
            // The head is sent, and the body breaks off.
            let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("broken")) });
            built(Response::builder().body(Body::from_stream(broken)))
        }
        Sent::Nothing => std::future::pending().await,
    }
}

fn built(response: Result<Response, axum::http::Error>) -> Response {
    response.unwrap_or_else(|error| {
        let mut response = Response::new(Body::from(error.to_string()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
