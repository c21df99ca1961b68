//! An API over a store, on a port of its own, and a client that speaks to it.

use std::sync::Arc;

use axum::extract::Request;
use cache_memory::MemoryCache;
use chrono::{DateTime, TimeDelta, Utc};
use http_api::{ApiSettings, ApiState, service};
use jobs::{JobSettings, LogSink, Runner};
use quota_core::ports::{FixedClock, KeyScope, Storage};
use quota_service::{Engine, EngineParts, EngineSettings, TimeIds};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::memory::MemoryStore;
use tokio::net::TcpListener;

/// The catalog that most tests use: the article platform, the shop and the gateway together.
pub(crate) const CATALOG: &str = concat!(
    include_str!("../../../../crates/quota-core/catalogs/article-platform.toml"),
    include_str!("../../../../crates/quota-core/catalogs/llm-gateway.toml"),
    include_str!("../../../../crates/quota-core/catalogs/try-on-shop.toml"),
);

/// An API on a port of its own.
pub(crate) struct Api {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) engine: Engine,
    pub(crate) address: String,
    pub(crate) admin: String,
    client: reqwest::Client,
}

/// What was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// This answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The draws as `scope source amount`.
    pub(crate) fn draws(&self) -> Vec<String> {
        let draws = self.body["draws"].as_array().cloned().unwrap_or_default();
        let text = |draw: &Value| {
            let part = |name: &str| draw[name].to_string().replace('"', "");
            format!("{} {} {}", part("scope"), part("source"), part("amount"))
        };
        draws.iter().map(text).collect()
    }

    /// The balance of a scope.
    pub(crate) fn balance(&self, scope: &str) -> Value {
        let balances = self.body["balances"].as_array();
        let found = balances.and_then(|balances| {
            balances
                .iter()
                .find(|balance| balance["scope"] == scope)
                .cloned()
        });
        found.unwrap_or(Value::Null)
    }
}

/// The real runner, with nobody who listens to events.
fn runner(engine: &Engine) -> Runner {
    let (settings, owner) = (JobSettings::default(), "api-of-the-test".to_owned());
    Runner::new(engine.clone(), Arc::new(LogSink), settings, owner)
}

/// The first instant of most tests.
pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a literal instant")
}

impl Api {
    /// An API over an empty store in memory, with the catalog applied.
    pub(crate) async fn in_memory() -> Self {
        Self::over(Arc::new(MemoryStore::new())).await
    }

    /// An API over a store, with the catalog applied.
    pub(crate) async fn over(storage: Arc<dyn Storage>) -> Self {
        let api = Self::bare(storage, ApiSettings::default()).await;
        api.apply(CATALOG).await;
        api
    }

    /// An API over a store, and nothing in it but an admin key.
    pub(crate) async fn bare(storage: Arc<dyn Storage>, settings: ApiSettings) -> Self {
        Self::built(storage, settings, false).await
    }

    /// An API that runs jobs when it is asked to, with the catalog applied.
    pub(crate) async fn with_jobs(storage: Arc<dyn Storage>) -> Self {
        let api = Self::built(storage, ApiSettings::default(), true).await;
        api.apply(CATALOG).await;
        api
    }

    async fn built(storage: Arc<dyn Storage>, settings: ApiSettings, has_jobs: bool) -> Self {
        let engine = Self::engine(storage).await;
        Self::serving(engine, settings, has_jobs).await
    }

    /// An engine over a store, and the clock that it goes by.
    pub(crate) async fn engine(storage: Arc<dyn Storage>) -> (Engine, Arc<FixedClock>) {
        let clock = Arc::new(FixedClock::at(noon()));
        let parts = EngineParts {
            storage,
            cache: Arc::new(MemoryCache::default()),
            clock: Arc::clone(&clock) as Arc<dyn quota_core::ports::Clock>,
            ids: Arc::new(TimeIds),
        };
        let engine = Engine::start(parts, EngineSettings::patient()).await;
        (engine.expect("an engine starts"), clock)
    }

    /// An API over an engine, on a port of its own.
    pub(crate) async fn serving(
        (engine, clock): (Engine, Arc<FixedClock>),
        settings: ApiSettings,
        has_jobs: bool,
    ) -> Self {
        let admin = engine
            .create_key("admin of the test", KeyScope::Admin)
            .await;
        let admin = admin.expect("a key is made").secret;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let bound = listener.local_addr().expect("a bound port");
        let jobs = has_jobs.then(|| runner(&engine));
        let state = ApiState::new(engine.clone(), jobs, settings);
        let routes = axum::ServiceExt::<Request>::into_make_service(service(state));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            clock,
            engine,
            address: format!("http://{bound}"),
            admin,
            client: reqwest::Client::new(),
        }
    }

    /// Applies a catalog file.
    pub(crate) async fn apply(&self, toml: &str) {
        let answer = self.post_toml("/v1/catalog/apply", toml).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Posts a catalog file, to be planned or applied.
    pub(crate) async fn post_toml(&self, path: &str, toml: &str) -> Answer {
        let headers = [("content-type", "application/toml")];
        let toml = toml.as_bytes().to_vec();
        self.send(Method::POST, path, &headers, toml).await
    }

    /// Sends a request with the admin's key unless the headers bring another.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let url = format!("{}{path}", self.address);
        let mut request = self.client.request(method, url).body(body);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.bearer_auth(&self.admin);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a text");
        Answer {
            status: StatusCode::as_u16(&status),
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    pub(crate) async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string().into_bytes())
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, &body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, &body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, &body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Vec::new()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// Posts under an idempotency key.
    pub(crate) async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        let body = body.to_string().into_bytes();
        self.send(Method::POST, path, &headers, body).await
    }

    /// Consumes for a user.
    pub(crate) async fn consume(&self, user: &str, feature: &str, amount: u64) -> Answer {
        let body = json!({"user": user, "feature": feature, "amount": amount});
        self.post("/v1/consume", body).await
    }

    /// A user that exists, with a plan if one is given.
    pub(crate) async fn user(&self, id: &str, plan: Option<&str>) {
        self.put(&format!("/v1/users/{id}"), json!({}))
            .await
            .expect(201);
        if let Some(plan) = plan {
            self.subscribe(&format!("users/{id}"), json!({"plan": plan}))
                .await;
        }
    }

    /// Starts a subscription.
    pub(crate) async fn subscribe(&self, account: &str, body: Value) {
        self.post(&format!("/v1/{account}/subscription"), body)
            .await
            .expect(200);
    }

    /// Grants credits.
    pub(crate) async fn credits(&self, account: &str, id: &str, amount: u64) {
        let body = json!({"id": id, "amount": amount});
        self.post(&format!("/v1/{account}/credits"), body)
            .await
            .expect(201);
    }

    /// How an account stands for a feature.
    pub(crate) async fn standing(&self, account: &str, feature: &str) -> Value {
        let overview = self
            .get(&format!("/v1/{account}/overview"))
            .await
            .expect(200);
        let features = overview.body["features"].as_array().cloned();
        let mut features = features.expect("a list of features").into_iter();
        let found = features.find(|standing| standing["feature"] == feature);
        found.expect("the feature")["own"].clone()
    }

    /// Everything that a request could have changed of an account.
    pub(crate) async fn everything_of(&self, account: &str) -> Value {
        let mut overview = self
            .get(&format!("/v1/{account}/overview"))
            .await
            .expect(200)
            .body;
        overview["at"] = Value::Null;
        let ledger = self.get(&format!("/v1/{account}/ledger")).await.expect(200);
        json!([overview, ledger.body])
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, span: TimeDelta) {
        self.clock.advance(span);
    }
}
