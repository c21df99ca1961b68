//! The edge of every request: its id, bounds on time and number, panics, metrics and the access log.
//! One layer instead of five, because consume and check pass through it tens of thousands of times a second.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tower::{Layer, Service};

use crate::ApiState;
use crate::meters::RouteName;
use crate::outage::Away;
use crate::problem::Problem;
use crate::unread::{Rest, refused};

/// Longest request id that is taken over from a caller.
const REQUEST_ID_CHARS_MAX: usize = 128;
/// Where a trace id stands in a `traceparent`: `00-<32 hexadecimal digits>-…`.
const TRACE_ID: std::ops::Range<usize> = 3..35;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The id of a request: the caller's `X-Request-Id`, its trace's id, or a new one.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    fn of(headers: &HeaderMap, state: &ApiState) -> Self {
        let is_plain = |value: &&HeaderValue| {
            let text = value.as_bytes();
            (1..=REQUEST_ID_CHARS_MAX).contains(&text.len())
                && text.iter().all(u8::is_ascii_graphic)
        };
        if let Some(own) = headers.get(&X_REQUEST_ID).filter(is_plain) {
            return Self(own.clone());
        }
        if let Some(trace) = headers.get(&TRACEPARENT).and_then(trace_id) {
            return Self(trace);
        }
        let id = state.engine().next_id().simple();
        let mut digits = [0; uuid::fmt::Simple::LENGTH];
        let text = id.encode_lower(&mut digits);
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none")))
    }
}

fn trace_id(traceparent: &HeaderValue) -> Option<HeaderValue> {
    let trace = traceparent.to_str().ok()?.get(TRACE_ID)?;
    let is_hex = trace.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| HeaderValue::from_str(trace).ok())?
}

/// Wraps every route.
#[derive(Clone)]
pub(crate) struct EdgeLayer {
    state: ApiState,
    at_work: Arc<AtomicUsize>,
    /// Probes are answered however busy the others are.
    is_bounded: bool,
}

impl EdgeLayer {
    pub(crate) fn new(state: &ApiState, is_bounded: bool) -> Self {
        Self {
            state: state.clone(),
            at_work: Arc::default(),
            is_bounded,
        }
    }
}

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, inner: S) -> Edge<S> {
        Edge {
            inner,
            edge: self.clone(),
        }
    }
}

/// A route with its edge.
#[derive(Clone)]
pub(crate) struct Edge<S> {
    inner: S,
    edge: EdgeLayer,
}

/// A request that is being answered.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// One request at work; counts itself out when it goes, answered or not.
struct AtWork(Arc<AtomicUsize>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl EdgeLayer {
    fn enter(&self) -> Option<AtWork> {
        let before = self.at_work.fetch_add(1, Ordering::Relaxed);
        let entered = AtWork(Arc::clone(&self.at_work));
        let has_room = !self.is_bounded || before < self.state.settings().requests_max;
        has_room.then_some(entered)
    }

    /// Has a request carried out by `work`, with all that the edge sees to. The direct routes see to a body that they
    /// do not read themselves; that of all others is lent.
    pub(crate) fn around<F>(
        &self,
        route: Option<RouteName>,
        mut request: Request,
        work: impl FnOnce(Request) -> F,
    ) -> Answering
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let began = Instant::now();
        let state = self.state.clone();
        let id = RequestId::of(request.headers(), &state);
        request.extensions_mut().insert(id.clone());
        let method = request.method().clone();
        let is_direct = matches!(route, Some(RouteName::Direct(_)));
        let rest = if is_direct {
            None
        } else {
            Rest::lend(&mut request)
        };
        let entered = self.enter();
        let work = match &entered {
            // Kilobytes, which each layer around it would move: see docs/PERFORMANCE.md.
            Some(_) => Ok(Box::pin(work(request))),
            None => Err(request),
        };
        Box::pin(async move {
            let mut response = match work {
                Ok(work) => bounded(work, &state).await,
                Err(request) => refused(overloaded(), request).await.into_response(),
            };
            drop(entered);
            if let Some(rest) = rest {
                rest.settle(&mut response).await;
            }
            let (status, took) = (response.status(), began.elapsed());
            let name = route.as_ref().map_or("none", RouteName::as_str);
            note_outage(&state, (&method, name), &response);
            tracing::debug!(
                %method,
                route = name,
                status = status.as_u16(),
                micros = took.as_micros(),
                request_id = id.as_str(),
                "answered"
            );
            state.meters().answered(route, &method, status, took);
            response.headers_mut().insert(X_REQUEST_ID.clone(), id.0);
            Ok(response)
        })
    }
}

impl<S> Service<Request> for Edge<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let work = |request| {
            self.inner.call(request).map(|answer| {
                let Ok(response) = answer;
                response
            })
        };
        self.edge
            .around(route.map(RouteName::Matched), request, work)
    }
}

/// Where the work was cut off nobody knows how much of the body was read: the connection ends.
async fn bounded<F>(work: F, state: &ApiState) -> Response
where
    F: Future<Output = Response>,
{
    let caught = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(state.settings().request_timeout, caught).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            tracing::error!("a request ended in a panic");
            Problem::internal().closing().into_response()
        }
        Err(_elapsed) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            "no answer in time; try again with the same Idempotency-Key",
        )
        .retry_after(1)
        .closing()
        .into_response(),
    }
}

/// Has the log told when the database goes and when it answers again. Reads and checks may come from the cache and prove nothing, nor
/// does a batch, of which each operation may have failed.
fn note_outage(state: &ApiState, (method, route): (&Method, &str), response: &Response) {
    if let Some(Away(cause)) = response.extensions().get() {
        state.outage().refused(cause);
        return;
    }
    let is_read = *method == Method::GET || ["/v1/check", "/v1/batch"].contains(&route);
    if response.status().is_success() && (!is_read || route == "/readyz") {
        state.outage().passed();
    }
}

fn overloaded() -> Problem {
    let detail = "too many requests at once";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(1)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use quota_core::ports::FixedClock;
    use quota_service::{Engine, EngineParts, EngineSettings, NoCache, TimeIds};
    use testkit::memory::MemoryStore;
    use tower::ServiceExt as _;

    use super::*;
    use crate::ApiSettings;

    async fn state() -> ApiState {
        let parts = EngineParts {
            storage: Arc::new(MemoryStore::new()),
            cache: Arc::new(NoCache),
            clock: Arc::new(FixedClock::at(chrono::DateTime::UNIX_EPOCH)),
            ids: Arc::new(TimeIds),
        };
        let engine = Engine::start(parts, EngineSettings::patient()).await;
        ApiState::new(engine.expect("it starts"), None, ApiSettings::default())
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_the_next_request_is_answered() {
        async fn panicking() -> &'static str {
            assert!(std::hint::black_box(false), "on purpose");
            "never"
        }
        let routes = Router::new()
            .route("/panic", get(panicking))
            .route("/fine", get(async || "fine"))
            .layer(EdgeLayer::new(&state().await, true));
        for (path, status) in [("/panic", 500), ("/fine", 200), ("/panic", 500)] {
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let answer = routes.clone().oneshot(request).await.expect("an answer");
            assert_eq!(answer.status().as_u16(), status, "{path}");
            assert!(answer.headers().contains_key("x-request-id"), "{path}");
        }
    }
}
