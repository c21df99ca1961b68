//! The way in. Checks and consumes, which are most requests, go past axum's router; all others, and whatever is odd about
//! these two, go through it.
//!
//! What it saves is matching the path, boxing the handler and noting the route. In a loop in one thread on a busy machine,
//! with 67 routes and a handler with the same extractors, a request took 7.4 µs through the router and 3.3 µs past it: a
//! hint of the size, not a measurement of the server.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{FromRequest as _, FromRequestParts, Request, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use serde::de::DeserializeOwned;
use tower::Service;

use crate::ApiState;
use crate::body::JsonBody;
use crate::edge::{Answering, EdgeLayer};
use crate::meters::RouteName;
use crate::problem::Problem;
use crate::routes::{check, consume};
use crate::unread::refused;

const CHECK: &str = "/v1/check";
const CONSUME: &str = "/v1/consume";

/// All routes over one engine. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    state: ApiState,
    edge: EdgeLayer,
    routes: Router,
}

impl Front {
    /// The router with its edge, and the edge by itself: both count the same requests.
    pub(crate) fn new(state: ApiState, edge: EdgeLayer, routes: Router) -> Self {
        Self {
            state,
            edge,
            routes,
        }
    }
}

/// Calls a handler as a router does, but that the body of a caller who is refused is seen to.
async fn direct<C, T, F>(
    request: Request,
    state: ApiState,
    handler: fn(State<ApiState>, C, JsonBody<T>) -> F,
) -> Response
where
    C: FromRequestParts<ApiState, Rejection = Problem>,
    T: DeserializeOwned,
    F: Future<Output = Result<Response, Problem>>,
{
    let (mut parts, body) = request.into_parts();
    let caller = C::from_request_parts(&mut parts, &state).await;
    let request = Request::from_parts(parts, body);
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => return refused(problem, request).await.into_response(),
    };
    match JsonBody::from_request(request, &state).await {
        Ok(body) => handler(State(state), caller, body).await.into_response(),
        Err(problem) => problem.into_response(),
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let path = (request.method() == Method::POST).then(|| request.uri().path());
        let state = self.state.clone();
        match path {
            Some(CHECK) => {
                let work = |request| direct(request, state, check::check);
                let route = Some(RouteName::Direct(CHECK));
                self.edge.around(route, request, work)
            }
            Some(CONSUME) => {
                let work = |request| direct(request, state, consume::consume);
                let route = Some(RouteName::Direct(CONSUME));
                self.edge.around(route, request, work)
            }
            _ => self.routes.call(request).boxed(),
        }
    }
}
