//! An API without a socket, whose every answer is laid beside the document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ::jobs::Runner;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use cache_memory::MemoryCache;
use chrono::{DateTime, Utc};
use http_api::{ApiSettings, ApiState, Front, service};
use http_body_util::BodyExt as _;
use quota_core::ports::{Clock, FixedClock, KeyScope, Storage};
use quota_service::{Codes, Engine, EngineParts, EngineSettings, TimeIds};
use serde_json::{Value, json};
use testkit::fake_stripe::FakeStripe;
use testkit::memory::MemoryStore;
use tower::ServiceExt as _;

use crate::connected;
use crate::jobs;
use crate::pages::codes;
use crate::schema::Schemas;
use crate::wire::again;

/// The article platform, the gateway and the shop together.
pub(crate) const CATALOG: &str = concat!(
    include_str!("../../../quota-core/catalogs/article-platform.toml"),
    include_str!("../../../quota-core/catalogs/llm-gateway.toml"),
    include_str!("../../../quota-core/catalogs/try-on-shop.toml"),
    r#"
[[plan]]
code = "article_more"
name = "More articles"
kind = "addon"
price = 900
limits = { articles_per_month = 50 }
provider_prices = { stripe = ["price_more"] }

[[plan]]
code = "article_few"
name = "Few articles, paid by card"
price = 1900
limits = { articles_per_month = 100 }
provider_prices = { stripe = ["price_few"] }

[[plan]]
code = "article_sold"
name = "Articles, paid by card"
price = 2900
limits = { articles_per_month = 200 }
provider_prices = { stripe = ["price_sold"] }

[[pack]]
code = "pack_sold"
name = "50 credits, paid by card"
credits = 50
price = 900
provider_prices = { stripe = ["price_pack"] }
"#,
);
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const TOML: (&str, &str) = ("content-type", "application/toml");

/// Headers that HTTP itself describes.
const PLAIN: [&str; 3] = ["content-type", "content-length", "connection"];
/// Headers of every answer.
const ALWAYS: [&str; 1] = ["x-request-id"];

/// The document, what was answered, and where the two differ.
pub(crate) struct Record {
    pub(crate) document: Value,
    /// What docs/PROBLEMS.md lists.
    codes: BTreeMap<String, BTreeSet<u16>>,
    seen: Mutex<BTreeSet<(String, String)>>,
    faults: Mutex<Vec<String>>,
}

impl Record {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            document: document(),
            codes: codes(),
            seen: Mutex::default(),
            faults: Mutex::default(),
        })
    }

    /// Each operation, as `get /v1/users/{id}`.
    pub(crate) fn operations(&self) -> Vec<(String, &Value)> {
        operations(&self.document)
    }

    /// Where an answer was not as the document says.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.lock().expect("a list").clone()
    }

    /// What the document declares and no request was answered.
    pub(crate) fn unseen(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("a set");
        let mut unseen = Vec::new();
        for (name, operation) in self.operations() {
            let statuses = operation["responses"].as_object().into_iter().flatten();
            let statuses = statuses.map(|(status, _)| (name.clone(), status.clone()));
            let missing = statuses.filter(|pair| !seen.contains(pair));
            unseen.extend(missing.map(|(name, status)| format!("{name} {status}")));
            let headers = operation["responses"].as_object().into_iter().flatten();
            let headers = headers.filter_map(|(_, answer)| answer["headers"].as_object());
            let headers: BTreeSet<String> = headers
                .flat_map(|headers| headers.keys().map(|header| header.to_lowercase()))
                .collect();
            let missing = headers
                .into_iter()
                .filter(|header| !seen.contains(&(name.clone(), header.clone())));
            unseen.extend(missing.map(|header| format!("{name} header {header}")));
        }
        unseen
    }

    /// The operation of a request: of those whose path fits, the one with the fewest parameters.
    fn operation_of(&self, method: &Method, path: &str) -> (String, &Value) {
        let method = method.as_str().to_lowercase();
        let path = path.split('?').next().unwrap_or_default();
        let fits = |template: &str| {
            let (wanted, found) = (template.split('/'), path.split('/'));
            wanted.clone().count() == found.clone().count()
                && wanted
                    .zip(found)
                    .all(|(part, text)| part.starts_with('{') || part == text)
        };
        let all = self.operations().into_iter();
        let fitting = all.filter(|(name, _)| {
            let (of, template) = name.split_once(' ').expect("a method and a path");
            of == method && fits(template)
        });
        let best = fitting.min_by_key(|(name, _)| name.matches('{').count());
        best.unwrap_or_else(|| panic!("no operation is {method} {path}"))
    }

    /// Whether a request can be repeated under a key.
    fn is_write(&self, method: &Method, path: &str) -> bool {
        let (_, operation) = self.operation_of(method, path);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut names = parameters.map(|parameter| &parameter["name"]);
        names.any(|name| name == "Idempotency-Key")
    }

    fn note(&self, (method, path): (&Method, &str), sent: &Sent, answer: &Answer) {
        let (name, operation) = self.operation_of(method, path);
        let status = answer.status.to_string();
        let mut found = self.answered(operation, &status, answer);
        if answer.status < 300 {
            found.extend(self.asked(operation, sent));
        }
        let told = |fault| format!("{name} {status}: {fault}");
        let mut faults = self.faults.lock().expect("a list");
        faults.extend(found.into_iter().map(told));
        let mut seen = self.seen.lock().expect("a set");
        let headers = answer.headers.keys();
        seen.extend(headers.map(|header| (name.clone(), header.clone())));
        seen.insert((name, status));
    }

    /// How an answer differs from what the document says of it.
    fn answered(&self, operation: &Value, status: &str, answer: &Answer) -> Vec<String> {
        let Some(declared) = operation["responses"].get(status) else {
            return vec![format!("is not declared: {}", answer.text)];
        };
        let mut faults = header_faults(&declared["headers"], &answer.headers);
        if let Some(code) = answer.body["code"].as_str() {
            let statuses = self.codes.get(code);
            if !statuses.is_some_and(|statuses| statuses.contains(&answer.status)) {
                faults.push(format!("docs/PROBLEMS.md has no `{code}` with this status"));
            }
        }
        if [400, 422].contains(&answer.status) && answer.body["errors"][0].is_null() {
            faults.push(format!("names no place: {}", answer.text));
        }
        if answer.body["detail"]
            .as_str()
            .is_some_and(|text| text.starts_with(':'))
        {
            faults.push(format!("says of nothing: {}", answer.text));
        }
        faults.extend(self.body_faults(declared, answer));
        faults
    }

    /// How the body of an answer differs from what is declared.
    fn body_faults(&self, declared: &Value, answer: &Answer) -> Vec<String> {
        let Some(content) = declared["content"].as_object() else {
            let is_empty = answer.text.is_empty();
            return Vec::from_iter((!is_empty).then(|| "has a body".to_owned()));
        };
        let Some(content) = content.get(&answer.content_type) else {
            return vec![format!("is `{}`", answer.content_type)];
        };
        if !answer.content_type.ends_with("json") {
            return Vec::new();
        }
        let schema = &content["schema"];
        let mut faults = Schemas(&self.document).faults(schema, &answer.body);
        // Any object: there is no type for it.
        if schema["type"] == "object" {
            return faults;
        }
        match again(schema, &answer.body) {
            Ok(written) if written == answer.body => {}
            Ok(written) => faults.push(format!("is written again as {written}")),
            Err(fault) => faults.push(fault),
        }
        faults
    }

    /// How a request that was carried out differs from what the document says may be sent.
    fn asked(&self, operation: &Value, sent: &Sent) -> Vec<String> {
        if sent.body.is_empty() {
            let is_required = operation["requestBody"]["required"] == true;
            return Vec::from_iter(is_required.then(|| "came without a body".to_owned()));
        }
        let content = &operation["requestBody"]["content"];
        let of_kind = sent.headers.iter().find(|(name, _)| *name == JSON.0);
        let Some(content) = of_kind.and_then(|(_, kind)| content.get(kind)) else {
            // A body that nobody reads.
            return Vec::from_iter(content.is_object().then(|| "took another body".to_owned()));
        };
        let Ok(body) = serde_json::from_slice(&sent.body) else {
            return Vec::new();
        };
        let schema = &content["schema"];
        let mut faults = Schemas(&self.document).faults(schema, &body);
        if schema["$ref"].is_string() {
            // What a client writes is read as what it had.
            let written = again(schema, &body);
            let twice = written.clone().and_then(|once| again(schema, &once));
            if written.is_err() || written != twice {
                faults.push(format!("was sent as {body}, is written as {written:?}"));
            }
        }
        faults
    }
}

/// How the headers of an answer differ from those that are declared. Every answer has the ones in `ALWAYS`.
fn header_faults(declared: &Value, sent: &BTreeMap<String, String>) -> Vec<String> {
    let declared = declared.as_object().into_iter().flatten();
    let declared: BTreeMap<String, &Value> = declared
        .map(|(name, header)| (name.to_lowercase(), header))
        .collect();
    let mut faults = Vec::new();
    for (name, value) in sent
        .iter()
        .filter(|(name, _)| !PLAIN.contains(&name.as_str()))
    {
        let Some(header) = declared.get(name) else {
            faults.push(format!("header `{name}` is not declared"));
            continue;
        };
        if header["schema"]["type"] == "integer" && value.parse::<u64>().is_err() {
            faults.push(format!("header `{name}` is no integer: {value}"));
        }
    }
    let absent = ALWAYS.iter().filter(|name| !sent.contains_key(**name));
    faults.extend(absent.map(|name| format!("header `{name}` is absent")));
    faults
}

/// The document as callers read it.
pub(crate) fn document() -> Value {
    serde_json::to_value(http_api::openapi()).expect("a document")
}

/// Each operation of a document, as `get /v1/users/{id}`.
pub(crate) fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        let item = item.as_object().into_iter().flatten();
        item.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

/// What is sent beside method and path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent<'a> {
    pub(crate) secret: Option<&'a str>,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: Vec<u8>,
}

/// What was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) content_type: String,
    pub(crate) body: Value,
    pub(crate) text: String,
}

/// An API over an empty store.
pub(crate) struct Api {
    record: Arc<Record>,
    front: Front,
    asked: AtomicUsize,
    pub(crate) admin: String,
    pub(crate) jobs: Option<Runner>,
    pub(crate) write: String,
    pub(crate) read: String,
}

impl Api {
    /// An API with the catalog applied; what it answers goes into the record.
    pub(crate) async fn of(record: &Arc<Record>, settings: ApiSettings, has_jobs: bool) -> Self {
        Self::with(record, settings, has_jobs, None).await
    }

    /// The same, connected to a Stripe where there is one.
    pub(crate) async fn with(
        record: &Arc<Record>,
        mut settings: ApiSettings,
        has_jobs: bool,
        fake: Option<&FakeStripe>,
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        let parts = EngineParts {
            storage: Arc::clone(&store) as Arc<dyn Storage>,
            cache: Arc::new(MemoryCache::default()),
            clock: Arc::new(FixedClock::at(noon())) as Arc<dyn Clock>,
            ids: Arc::new(TimeIds),
        };
        let engine = Engine::start(parts, EngineSettings::patient()).await;
        let engine = engine.expect("an engine starts");
        let catalog = http_api::read_catalog_toml(CATALOG).expect("a catalog");
        let applied = engine.apply_catalog(&catalog, None).await;
        applied.expect("the catalog is applied");
        settings.provider = fake.map(|fake| connected::provider(&engine, Arc::clone(&store), fake));
        let secret = async |scope| {
            let made = engine.create_key("key of the test", scope).await;
            made.expect("a key is made").secret
        };
        let with_codes = ApiSettings {
            codes: has_jobs.then(|| Codes::new(engine.clone(), store)),
            ..settings
        };
        let jobs = if has_jobs {
            Some(jobs::runner(&engine).await)
        } else {
            None
        };
        Self {
            record: Arc::clone(record),
            asked: AtomicUsize::default(),
            jobs: jobs.clone(),
            admin: secret(KeyScope::Admin).await,
            write: secret(KeyScope::Write).await,
            read: secret(KeyScope::Read).await,
            front: service(ApiState::new(engine, jobs, with_codes)),
        }
    }

    /// Sends a request and lays its answer beside the document.
    pub(crate) async fn send(&self, method: &Method, path: &str, sent: Sent<'_>) -> Answer {
        let answer = self.unrecorded(method, path, &sent).await;
        self.record.note((method, path), &sent, &answer);
        answer
    }

    /// Sends a request that the document need not know.
    pub(crate) async fn unrecorded(&self, method: &Method, path: &str, sent: &Sent<'_>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &sent.headers {
            request = request.header(*name, *value);
        }
        if let Some(secret) = sent.secret {
            request = request.header("x-api-key", secret);
        }
        let request = request.body(Body::from(sent.body.clone()));
        let request = request.expect("a request");
        let Ok(response) = self.front.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(body.into()).expect("UTF-8");
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|kind| kind.to_str().ok());
        let content_type = content_type.and_then(|kind| kind.split(';').next());
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = value.to_str().expect("visible ASCII");
            (name.as_str().to_owned(), value.to_owned())
        });
        Answer {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            content_type: content_type.unwrap_or_default().to_owned(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    /// Asks as an administrator, such as `post /v1/consume`; no body for null. The answer has the status. A write is
    /// repeated under its key and gets the same answer again.
    #[track_caller]
    pub(crate) fn ask(
        &self,
        operation: &str,
        body: Value,
        status: u16,
    ) -> impl Future<Output = Answer> {
        let (method, path) = operation.split_once(' ').expect("a method and a path");
        let (method, path) = (method_of(method), path.to_owned());
        let key = format!("key-{}", self.asked.fetch_add(1, Ordering::Relaxed));
        let told = format!("{operation} {body}");
        let caller = std::panic::Location::caller();
        async move {
            let mut sent = Sent {
                secret: Some(&self.admin),
                ..Sent::default()
            };
            if !body.is_null() {
                sent.headers.push(JSON);
                sent.body = body.to_string().into_bytes();
            }
            let times = if self.record.is_write(&method, &path) {
                sent.headers.push(("idempotency-key", &key));
                2
            } else {
                1
            };
            let mut answers = Vec::new();
            for _ in 0..times {
                let answer = self.send(&method, &path, sent.clone()).await;
                assert_eq!(answer.status, status, "{caller}: {told}: {}", answer.text);
                answers.push(answer);
            }
            answers.swap_remove(0)
        }
    }
}

pub(crate) fn method_of(name: &str) -> Method {
    Method::from_bytes(name.to_uppercase().as_bytes()).expect("a method")
}

/// The instant of all tests.
pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a literal instant")
}

/// A use of one article.
pub(crate) fn one_article(user: &str) -> Value {
    json!({"user": user, "feature": "articles_per_month", "amount": 1})
}
