//! The built binary as one of several nodes, or as one that is killed; and clients that ask until they are answered.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use quota_core::ports::{KeyScope, Storage};
use quota_service::{Engine, EngineParts, EngineSettings, NoCache, SystemClock, TimeIds};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

/// A feature that nobody exhausts, one that a user exhausts, and one that an org exhausts.
pub(crate) const CATALOG: &str = r#"
[[feature]]
code = "calls"
name = "Calls"
unit = "call"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "seats"
name = "Seats"
unit = "seat"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "wide"
name = "Wide"
limits = { calls = 1000000, seats = 300 }

[[plan]]
code = "metered"
name = "Metered"
price = 500
limits = { seats = 10 }
on_demand = { seats = { price = 4, cap = 100 } }

[[plan]]
code = "narrow"
name = "Narrow"
limits = { calls = 40 }
"#;

/// Makes an admin's key in a store that no process has open yet.
pub(crate) async fn admin_key(storage: Arc<dyn Storage>) -> String {
    let parts = EngineParts {
        storage,
        cache: Arc::new(NoCache),
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeIds),
    };
    let engine = Engine::start(parts, EngineSettings::patient()).await;
    let engine = engine.expect("the engine starts");
    let key = engine.create_key("tests", KeyScope::Admin).await;
    engine.stop().await;
    key.expect("a key is made").secret
}

/// A serving process; killed when the test ends before it does.
pub(crate) struct Node {
    child: Child,
    pub(crate) address: String,
}

impl Node {
    /// Starts a process and waits until it listens.
    pub(crate) fn start(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
            .current_dir(folder)
            .env_clear()
            .envs(environment.iter().copied())
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "error"])
            .args(["--deadline", "10m", "--request-timeout", "10m"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let said = lines.next().expect("it says where it listens");
        let said = said.expect("a line");
        let address = said.split_whitespace().nth(2).expect("an address");
        Self {
            child,
            address: address.to_owned(),
        }
    }

    /// SIGKILL, and its end.
    pub(crate) fn kill_9(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A client of a process that may be gone and come back elsewhere.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    secret: String,
    address: watch::Receiver<String>,
}

impl Client {
    pub(crate) fn new(secret: &str, address: watch::Receiver<String>) -> Self {
        Self {
            http: reqwest::Client::new(),
            secret: secret.to_owned(),
            address,
        }
    }

    /// A client of a process that stays.
    pub(crate) fn of(node: &Node, secret: &str) -> Self {
        Self::new(secret, watch::channel(node.address.clone()).1)
    }

    /// The status and body, asked for until there is an answer that is not "try again".
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> (u16, Value) {
        loop {
            let address = self.address.borrow_and_update().clone();
            let request = self
                .http
                .request(method.clone(), format!("{address}{path}"));
            let request = request
                .bearer_auth(&self.secret)
                .header("idempotency-key", key);
            match answered(request.json(body)).await {
                Ok((503, _)) => tokio::task::yield_now().await,
                Ok(answered) => return answered,
                // The process is gone: whether it took effect is not known.
                Err(_) => self.address.changed().await.expect("it comes back"),
            }
        }
    }

    /// A request that must do.
    pub(crate) async fn done(&mut self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, path, &body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    /// Applies a catalog file.
    pub(crate) async fn apply(&mut self, toml: &str) {
        let address = self.address.borrow().clone();
        let request = self.http.post(format!("{address}/v1/catalog/apply"));
        let request = request
            .bearer_auth(&self.secret)
            .header("content-type", "application/toml");
        let (status, body) = answered(request.body(toml.to_owned()))
            .await
            .expect("an answer");
        assert_eq!(status, 200, "{body}");
    }

    /// What was used of a feature.
    pub(crate) async fn used(&mut self, account: &str, feature: &str) -> u64 {
        let path = format!("/v1/{account}/overview");
        let overview = self.done(Method::GET, &path, json!({})).await;
        let features = overview["features"].as_array().cloned();
        let mut features = features.unwrap_or_default().into_iter();
        let found = features.find(|standing| standing["feature"] == feature);
        let own = found.expect("the feature")["own"].clone();
        own["used"].as_u64().expect("a number")
    }
}

/// The whole answer, body included: half of one is none.
async fn answered(request: reqwest::RequestBuilder) -> Result<(u16, Value), reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
}
