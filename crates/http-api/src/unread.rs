//! What is left of a request's body when its answer is ready. A connection carries a next request only when all of the
//! last one was taken off it: a small rest is read and thrown away, else the answer says `Connection: close`.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use http_body_util::BodyExt as _;

use crate::problem::{Problem, close_after};

/// Largest rest that is thrown away; for a larger one a new connection is cheaper.
const REST_BYTES_MAX: u64 = 256 * 1024;
/// Longest time that a rest is waited for: most callers have sent it before they look for an answer.
const REST_TIME_MAX: Duration = Duration::from_secs(1);

/// Where a body comes back to that was not read to its end.
type Slot = Arc<Mutex<Option<Body>>>;

/// What a handler leaves of the body that was lent to it.
pub(crate) struct Rest {
    slot: Slot,
    waits: bool,
}

impl Rest {
    /// Lends a request's body to whoever takes the request; nothing where there is no body.
    pub(crate) fn lend(request: &mut Request) -> Option<Self> {
        if request.body().is_end_stream() {
            return None;
        }
        let slot = Slot::default();
        let body = Some(std::mem::take(request.body_mut()));
        let lent = Lent {
            body,
            slot: Arc::clone(&slot),
        };
        *request.body_mut() = Body::new(lent);
        Some(Self {
            slot,
            waits: waits(request.headers()),
        })
    }

    /// Takes the rest off the connection, or has the answer say that the connection ends.
    pub(crate) async fn settle(self, response: &mut Response) {
        let left = self
            .slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(body) = left else { return };
        if response.headers().contains_key(header::CONNECTION) {
            return;
        }
        if !is_thrown_away(body, self.waits).await {
            close_after(response.headers_mut());
        }
    }
}

/// Refuses a request that still has its body.
pub(crate) async fn refused(problem: Problem, request: Request) -> Problem {
    let waits = waits(request.headers());
    if is_thrown_away(request.into_body(), waits).await {
        return problem;
    }
    problem.closing()
}

/// Whether the caller sends the body only when it is asked for it.
fn waits(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}

/// Reads the rest of a body and throws it away; false where it is too much, too slow, or not sent before it is asked for.
async fn is_thrown_away(body: Body, waits: bool) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if waits || body.size_hint().lower() > REST_BYTES_MAX {
        return false;
    }
    let read = tokio::time::timeout(REST_TIME_MAX, is_read(body)).await;
    read.unwrap_or(false)
}

async fn is_read(mut body: Body) -> bool {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let data = frame.data_ref().map_or(0, Bytes::len);
        bytes += u64::try_from(data).unwrap_or(u64::MAX);
        if bytes > REST_BYTES_MAX {
            return false;
        }
    }
    true
}

/// A body that comes back when it is let go before its end.
struct Lent {
    /// Taken at its end.
    body: Option<Body>,
    slot: Slot,
}

impl Drop for Lent {
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| !body.is_end_stream());
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        let hint = self.body.as_ref().map(HttpBody::size_hint);
        hint.unwrap_or_else(|| http_body::SizeHint::with_exact(0))
    }
}
