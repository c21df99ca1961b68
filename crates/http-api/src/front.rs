//! The way in. Most requests are checks and consumes: they go past the router, whose looking up, boxing and noting of
//! the path cost as much as some of their own parts. All others, and whatever is odd about these two, go through it.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler as _;
use axum::http::Method;
use axum::response::Response;
use futures::FutureExt as _;
use tower::Service;

use crate::ApiState;
use crate::edge::{Answering, EdgeLayer};
use crate::meters::RouteName;
use crate::routes::{check, consume};

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
                let work = |request| check::check.call(request, state);
                let route = Some(RouteName::Direct(CHECK));
                self.edge.around(route, request, work)
            }
            Some(CONSUME) => {
                let work = |request| consume::consume.call(request, state);
                let route = Some(RouteName::Direct(CONSUME));
                self.edge.around(route, request, work)
            }
            _ => self.routes.call(request).boxed(),
        }
    }
}
