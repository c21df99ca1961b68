//! The built programs beside a fake Stripe: what they refuse to start with, and what one leaves to the other.

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, Utc};
use quota_core::ids::ProviderCode;
use quota_core::ports::{BillingStore as _, EventPage, EventResult};
use quota_core::provider::EventState;
use reqwest::Method;
use serde_json::{Value, json};
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use testkit::fake_stripe::{Card, Endpoint, FakeStripe, Fault, FaultKind, When};

use crate::connected::{CATALOG, SECRET};
use crate::process::{Served, api, printed, started};

const KEY: &str = "sk_test_12345";

/// An installation on SQLite, and the Stripe that it is connected to.
struct Stage {
    fake: FakeStripe,
    folder: TempDir,
    admin: String,
}

impl Stage {
    async fn new() -> Self {
        let fake = FakeStripe::start().await;
        fake.pack("price_pack", 900);
        fake.plan("price_pro", 2_900);
        fake.drop_pending();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("plans.toml"), CATALOG).expect("it is written");
        printed(api(folder.path(), &[]).args(["catalog", "apply", "plans.toml"]));
        let create = ["keys", "create", "tests", "--scope", "admin"];
        let admin = printed(api(folder.path(), &[]).args(create));
        Self {
            fake,
            folder,
            admin,
        }
    }

    fn environment(&self) -> [(&'static str, &str); 3] {
        [
            ("STRIPE_API_KEY", KEY),
            ("STRIPE_WEBHOOK_SECRET", SECRET),
            ("STRIPE_API_BASE", self.fake.url()),
        ]
    }

    /// A process that serves and runs no jobs, once it is connected.
    fn serve(&self) -> Served {
        let mut command = api(self.folder.path(), &self.environment());
        command.args(["serve", "--listen", "127.0.0.1:0", "--jobs", "off"]);
        let (mut served, _) = started(&mut command);
        served.wait_for("the payment provider is connected");
        self.fake.clear_endpoints();
        let url = format!("http://{}/v1/webhooks/stripe", served.address);
        self.fake.endpoint(Endpoint::new(&url, SECRET));
        served
    }

    /// A job of the worker, run to its end; what it said.
    fn work(&self, job: &str) -> String {
        let mut command = Command::new(worker());
        command.current_dir(self.folder.path()).env_clear();
        command
            .envs(self.environment())
            .env("QUOTA_SQLITE_FILE", "quota.db");
        printed(command.args(["run-job", job]))
    }

    async fn ask(&self, served: &Served, method: Method, path: &str, body: Value) -> Value {
        let url = format!("http://{}{path}", served.address);
        let request = reqwest::Client::new().request(method, url);
        let mut request = request.bearer_auth(&self.admin);
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a text"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn get(&self, served: &Served, path: &str) -> Value {
        self.ask(served, Method::GET, path, Value::Null).await
    }

    async fn balance(&self, served: &Served) -> Value {
        let credits = self.get(served, "/v1/users/ann/credits").await;
        credits["balance"].clone()
    }

    /// The leases of the events that a dead process worked on run out.
    async fn leases_run_out(&self) {
        let file = self.folder.path().join("quota.db");
        let store = SqliteStore::open(file, &SqliteSettings::patient()).await;
        let store = store.expect("the file opens");
        let page = EventPage {
            provider: ProviderCode::new("stripe").expect("a code"),
            state: Some(EventState::Waiting),
            after: None,
            limit: 1_000,
        };
        let waiting = store.events(&page).await.expect("events");
        assert!(!waiting.is_empty(), "what was answered is kept");
        for event in waiting {
            assert!(Utc::now() < event.next_try_at, "its process worked on it");
            let result = EventResult {
                id: event.id,
                tries: event.tries,
                state: EventState::Waiting,
                next_try_at: DateTime::UNIX_EPOCH,
                error: None,
            };
            let ended = store.end_event_try(&result).await.expect("it is written");
            assert!(ended, "nobody else has it");
        }
        store.close().await;
    }
}

/// The built worker: beside the built api, and built where only that is tested.
fn worker() -> PathBuf {
    let worker = Path::new(env!("CARGO_BIN_EXE_api")).with_file_name("worker");
    if !worker.exists() {
        let folder = worker.parent().and_then(Path::parent).expect("a folder");
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "-p", "worker", "--target-dir"])
            .arg(folder)
            .status();
        assert!(built.expect("cargo runs").success(), "the worker is built");
    }
    worker
}

/// P1, P3, P6: the effect of what was answered does not depend on the process that answered it, nor on events that come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_what_a_dead_process_took_is_done_by_the_worker_and_what_never_came_by_its_sync() {
    let stage = Stage::new().await;
    let served = stage.serve();
    stage
        .ask(&served, Method::PUT, "/v1/users/ann", json!({}))
        .await;
    let customer = stage.fake.customer(Card::Good);
    let link = format!("/v1/billing/customers/{customer}");
    let ann = json!({"account": "user:ann"});
    stage.ask(&served, Method::PUT, &link, ann).await;
    stage.fake.drop_pending();
    // It was connected after the fake was made; what was paid before is history (P17).
    stage.fake.advance(60);
    let hangs = Fault {
        on: String::new(),
        kind: FaultKind::Nothing,
        when: When::Before,
        times: u32::MAX,
    };
    stage.fake.fault(hangs);
    let buys = || {
        let invoice = stage.fake.invoice(&customer, &[("price_pack", 1)]);
        stage.fake.pay_invoice(&invoice);
    };
    buys();
    for status in stage.fake.deliver_pending().await {
        assert_eq!(status, 200, "it is kept before it is answered");
    }
    assert_eq!(stage.balance(&served).await, 0);
    drop(served);
    stage.fake.clear_faults();
    stage.leases_run_out().await;
    let said = stage.work("work_on_events");
    assert!(said.starts_with("work_on_events succeeded"), "{said}");
    let served = stage.serve();
    assert_eq!(stage.balance(&served).await, 500);
    let waiting = "/v1/billing/events?state=waiting";
    assert_eq!(stage.get(&served, waiting).await["items"], json!([]));
    buys();
    stage.fake.drop_pending();
    let said = stage.work("sync_provider");
    assert!(said.starts_with("sync_provider succeeded"), "{said}");
    // On a SQLite file one process does not hear of what another one wrote.
    drop(served);
    let served = stage.serve();
    assert_eq!(stage.balance(&served).await, 1_000);
    let problems = stage.get(&served, "/v1/billing/problems").await;
    assert_eq!(problems["items"], json!([]), "{problems}");
}

/// Whoever knows no secret could tell of payments that were never made (an empty one is known to everybody).
#[test]
fn a_key_without_a_secret_of_webhooks_or_with_an_empty_one_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("STRIPE_API_KEY", KEY)], "STRIPE_WEBHOOK_SECRET"),
        (
            &[("STRIPE_API_KEY", KEY), ("STRIPE_WEBHOOK_SECRET", "")],
            "STRIPE_WEBHOOK_SECRET",
        ),
        (
            &[("STRIPE_API_KEY", KEY), ("STRIPE_WEBHOOK_SECRET", " ")],
            "STRIPE_WEBHOOK_SECRET",
        ),
        (
            &[
                ("STRIPE_API_KEY", KEY),
                ("STRIPE_WEBHOOK_SECRET", "whsec_a,"),
            ],
            "STRIPE_WEBHOOK_SECRET",
        ),
        (&[("STRIPE_WEBHOOK_SECRET", SECRET)], "STRIPE_API_KEY"),
        (
            &[
                ("STRIPE_API_KEY", "key_12345"),
                ("STRIPE_WEBHOOK_SECRET", SECRET),
            ],
            "STRIPE_API_KEY",
        ),
    ];
    for (environment, named) in cases {
        let mut command = api(folder.path(), environment);
        let output = command.args(["serve", "--listen", "127.0.0.1:0"]).output();
        let output = output.expect("the binary runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{environment:?}: {told}");
        let flag = named.to_lowercase().replace('_', "-");
        let is_named = told.contains(named) || told.contains(&flag);
        assert!(is_named, "{environment:?}: {told}");
        for secret in ["12345", SECRET] {
            assert!(!told.contains(secret), "a secret is shown: {told}");
        }
    }
}
