//! Metrics: handles are made once and kept; labels are bounded and never name a user.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use quota_core::ids::FeatureCode;

/// Describes the metrics of this crate to the recorder.
pub fn describe_metrics() {
    metrics::describe_counter!("quota_consume_total", "Consumes by feature and outcome");
    metrics::describe_histogram!(
        "quota_decide_duration_seconds",
        "Time from a decoded request to its durable answer, by operation"
    );
    metrics::describe_counter!(
        "http_requests_total",
        "Requests by method, route and status"
    );
    metrics::describe_histogram!(
        "http_request_duration_seconds",
        "Time of a request by route"
    );
}

/// What was decided; the label of the duration histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Check,
    Consume,
    Batch,
    Track,
    Reserve,
    Settle,
    GiveBack,
    Change,
}

type ByStatus = HashMap<&'static str, Counter>;
type RouteKey = (RouteName, &'static str, u16);

/// A route's template; cheap to clone.
#[derive(Clone)]
pub(crate) enum RouteName {
    /// Of a route that goes past the router.
    Direct(&'static str),
    /// As the router found it.
    Matched(MatchedPath),
}

impl RouteName {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Direct(path) => path,
            Self::Matched(path) => path.as_str(),
        }
    }
}

impl PartialEq for RouteName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
impl Eq for RouteName {}
impl std::hash::Hash for RouteName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// The handles.
pub(crate) struct Meters {
    consumed: RwLock<HashMap<FeatureCode, ByStatus>>,
    unknown: RwLock<ByStatus>,
    decided: [Histogram; 8],
    routes: RwLock<HashMap<RouteKey, (Counter, Histogram)>>,
    unmatched: Counter,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let decided = [
            "check",
            "consume",
            "batch",
            "track",
            "reserve",
            "settle",
            "give_back",
            "change",
        ];
        Self {
            consumed: RwLock::default(),
            unknown: RwLock::default(),
            decided: decided
                .map(|verb| histogram!("quota_decide_duration_seconds", "operation" => verb)),
            routes: RwLock::default(),
            unmatched: counter!("http_requests_total", "method" => "other", "route" => "none", "status" => "404"),
        }
    }

    /// Counts a consume. A feature that is not in the catalog must be given as none: all of them share one label.
    pub(crate) fn count_consume(&self, feature: Option<&FeatureCode>, status: &'static str) {
        match feature {
            Some(feature) => self.count_known(feature, status),
            None => count(&self.unknown, status),
        }
    }

    fn count_known(&self, feature: &FeatureCode, status: &'static str) {
        {
            let consumed = self.consumed.read().unwrap_or_else(PoisonError::into_inner);
            let found = consumed.get(feature).and_then(|own| own.get(status));
            if let Some(counter) = found {
                counter.increment(1);
                return;
            }
        }
        let made =
            counter!("quota_consume_total", "feature" => feature.to_string(), "status" => status);
        made.increment(1);
        let mut consumed = self
            .consumed
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        consumed
            .entry(feature.clone())
            .or_default()
            .insert(status, made);
    }

    /// Records how long a decision took.
    pub(crate) fn decided(&self, verb: Verb, took: Duration) {
        let place = match verb {
            Verb::Check => 0,
            Verb::Consume => 1,
            Verb::Batch => 2,
            Verb::Track => 3,
            Verb::Reserve => 4,
            Verb::Settle => 5,
            Verb::GiveBack => 6,
            Verb::Change => 7,
        };
        if let Some(histogram) = self.decided.get(place) {
            histogram.record(took);
        }
    }

    /// Counts an answered request.
    pub(crate) fn answered(
        &self,
        route: Option<RouteName>,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let Some(route) = route else {
            self.unmatched.increment(1);
            return;
        };
        let key = (route, method_label(method), status.as_u16());
        {
            let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((counter, histogram)) = routes.get(&key) {
                counter.increment(1);
                histogram.record(took);
                return;
            }
        }
        let route = key.0.as_str().to_owned();
        let counter = counter!(
            "http_requests_total",
            "method" => key.1,
            "route" => route.clone(),
            "status" => status.as_u16().to_string()
        );
        let histogram = histogram!("http_request_duration_seconds", "route" => route);
        counter.increment(1);
        histogram.record(took);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.insert(key, (counter, histogram));
    }
}

fn count(kept: &RwLock<ByStatus>, status: &'static str) {
    {
        let kept = kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = kept.get(status) {
            counter.increment(1);
            return;
        }
    }
    let made = counter!("quota_consume_total", "feature" => "unknown", "status" => status);
    made.increment(1);
    let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
    kept.insert(status, made);
}

/// Methods that callers make up share one label.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
