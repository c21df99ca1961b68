//! The built binary is killed before one statement after another while it works on payments, over PostgreSQL; and another one goes on:
//! each payment is granted once, each event ends, and each top-up is bought once (P1, P2, P20).

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use quota_core::ids::{AccountId, ProviderCode};
use quota_core::ports::{
    BillingStore as _, EventPage, EventResult, Storage, TopUpPage, TopUpStore as _,
};
use quota_core::provider::{EventState, TopUpState};
use reqwest::Method;
use serde_json::{Value, json};
use storage_pg::{PgStore, Settings};
use tempfile::TempDir;
use testkit::fake_stripe::{Card, Endpoint, FakeStripe, RefundAs};
use testkit::races::Aftermath;
use tokio::task::block_in_place;

use crate::connected::{CATALOG, SECRET};
use crate::pg_between::Between;
use crate::process::{Served, api, printed, started};

/// Statements before which a process is killed, unless `QUOTA_SEQUENCES` asks for more than its 250.
const KILLS: u64 = 8;
/// Looks after which a top-up that was begun has ended.
const LOOKS_MAX: usize = 20;

/// An installation on PostgreSQL, and the Stripe that it is connected to.
struct Stage {
    fake: FakeStripe,
    between: Between,
    store: Arc<PgStore>,
    folder: TempDir,
    admin: String,
    served: Served,
}

/// What a process did until it was killed, or until all was done.
#[derive(Debug)]
struct Done {
    statements: u64,
    was_killed: bool,
}

/// A user who is a customer.
struct User {
    name: String,
    customer: String,
}

impl User {
    fn account(&self) -> AccountId {
        AccountId::parse(&format!("user:{}", self.name)).expect("an id")
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/users/{}{rest}", self.name)
    }
}

impl Stage {
    async fn new() -> Self {
        let url = block_in_place(|| testkit::pg::fresh_database("api_money_kill"));
        let direct = testkit::pg::direct_url(&url);
        storage_pg::migrate(&direct).await.expect("it migrates");
        let store = PgStore::connect(&url, Settings::patient()).await;
        let fake = FakeStripe::start().await;
        fake.pack("price_pack", 900);
        fake.drop_pending();
        let between = Between::to(&url).await;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("plans.toml"), CATALOG).expect("it is written");
        let environment = [("DATABASE_URL", url.as_str())];
        let admin = block_in_place(|| {
            printed(api(folder.path(), &environment).args(["catalog", "apply", "plans.toml"]));
            let create = ["keys", "create", "tests", "--scope", "admin"];
            printed(api(folder.path(), &environment).args(create))
        });
        let served = serve(&folder, &between, &fake);
        // It was connected after the fake was made; what was paid before is history (P17).
        fake.advance(60);
        Self {
            fake,
            between,
            store: Arc::new(store.expect("PostgreSQL answers")),
            folder,
            admin,
            served,
        }
    }

    /// The process is gone, if it was not killed before, and another one is there.
    fn restart(&mut self) {
        block_in_place(|| self.served.kill_9());
        self.between.open();
        self.served = serve(&self.folder, &self.between, &self.fake);
    }

    /// What is answered; none when there is nobody to answer.
    async fn try_ask(&self, method: Method, path: &str, body: &Value) -> Option<Value> {
        let url = format!("http://{}{path}", self.served.address);
        let request = reqwest::Client::new().request(method, url);
        let request = request.bearer_auth(&self.admin).json(body);
        let answer = request.header("idempotency-key", path).send().await.ok()?;
        let (status, text) = (answer.status(), answer.text().await.ok()?);
        assert!(status.is_success(), "{path}: {status} {text}");
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.try_ask(method, path, &body).await;
        answer.expect("the process is there")
    }

    /// A customer with a card.
    async fn user(&self, name: String) -> User {
        let customer = self.fake.customer(Card::Good);
        let user = User { name, customer };
        self.ask(Method::PUT, &user.path(""), json!({})).await;
        let link = format!("/v1/billing/customers/{}", user.customer);
        let whose = json!({"account": user.account().to_string()});
        self.ask(Method::PUT, &link, whose).await;
        self.fake.drop_pending();
        user
    }

    /// Runs a job to its end.
    async fn work(&self, job: &str) {
        let path = format!("/v1/jobs/{job}/run");
        let url = format!("http://{}{path}", self.served.address);
        let request = reqwest::Client::new().post(url).bearer_auth(&self.admin);
        let begun = request.json(&json!({})).send().await.expect("it is there");
        let begun: Value = begun.json().await.expect("JSON");
        loop {
            let path = format!("/v1/jobs/{job}/runs?limit=1");
            let runs = self.ask(Method::GET, &path, Value::Null).await;
            let run = &runs["items"][0];
            assert_eq!(run["id"], begun["id"]);
            if run["state"] != "running" {
                assert_eq!(run["state"], "succeeded", "{run}");
                return;
            }
        }
    }

    async fn waiting(&self) -> u64 {
        let counts = self.store.event_counts().await.expect("they are counted");
        assert_eq!(counts.given_up, 0);
        counts.waiting
    }

    /// The leases of what a dead process worked on run out.
    async fn leases_run_out(&self) {
        let page = EventPage {
            provider: ProviderCode::new("stripe").expect("a code"),
            state: Some(EventState::Waiting),
            after: None,
            limit: 1_000,
        };
        for event in self.store.events(&page).await.expect("events") {
            let result = EventResult {
                id: event.id,
                tries: event.tries,
                state: EventState::Waiting,
                next_try_at: DateTime::UNIX_EPOCH,
                error: None,
            };
            let ended = self.store.end_event_try(&result).await;
            assert!(ended.expect("it is written"), "nobody else has it");
        }
        let open = self
            .store
            .due_top_ups(DateTime::<Utc>::MAX_UTC, 1_000)
            .await;
        for mut open in open.expect("top-ups") {
            open.next_look_at = DateTime::UNIX_EPOCH;
            open.version += 1;
            // Whoever looks at it just now has it.
            self.store.put_top_up(&open).await.expect("it is written");
        }
    }

    async fn balance(&self, user: &User) -> (Value, usize) {
        let path = user.path("/credits");
        let credits = self.ask(Method::GET, &path, Value::Null).await;
        let grants = credits["grants"].as_array().map(Vec::len);
        (credits["balance"].clone(), grants.expect("a list"))
    }

    /// A pack is bought and a quarter of it paid back, and all of it is told; the process is killed before one of its statements.
    async fn purchase(&mut self, number: u64, kill_before: Option<u64>) -> Done {
        let user = self.user(format!("buyer{number}")).await;
        let invoice = self.fake.invoice(&user.customer, &[("price_pack", 1)]);
        self.fake.pay_invoice(&invoice);
        let intent = self.fake.intent_of(&invoice);
        let refund = self.fake.refund(&intent, 225, RefundAs::Succeeded);
        refund.expect("so much is left");
        let before = self.killing(kill_before);
        let pending = self.fake.pending().into_iter().map(|event| event.place);
        let places: Vec<usize> = pending.collect();
        self.fake.drop_pending();
        let answers = self.fake.deliver(&places).await;
        while !self.served.has_ended() && self.waiting().await != 0 {
            tokio::task::yield_now().await;
        }
        let done = self.done(before);
        self.restart();
        // What was not taken is sent again, and so is the last that was.
        let unanswered = answers.iter().position(|status| *status != 200);
        let from = unanswered.unwrap_or(places.len()).saturating_sub(1);
        for status in self.fake.deliver(&places[from..]).await {
            assert_eq!(status, 200, "it is kept before it is answered");
        }
        while self.waiting().await != 0 {
            self.leases_run_out().await;
            self.work("work_on_events").await;
        }
        let told = format!("killed before {kill_before:?}: {done:?}");
        assert_eq!(self.balance(&user).await, (json!(375), 1), "{told}");
        let path = user.path("/payments");
        let payments = self.ask(Method::GET, &path, Value::Null).await["items"].clone();
        assert_eq!(payments.as_array().map(Vec::len), Some(1), "{told}");
        done
    }

    /// Credits run low, and a pack is bought behind the answer.
    async fn top_up(&mut self, number: u64, kill_before: Option<u64>) -> Done {
        let user = self.user(format!("topper{number}")).await;
        let gift = json!({"id": "gift", "amount": 12});
        self.ask(Method::POST, &user.path("/credits"), gift).await;
        let wanted = json!({"pack": "pack_500", "below": 10, "most_per_month": 3});
        self.ask(Method::PUT, &user.path("/top-up"), wanted).await;
        let before = self.killing(kill_before);
        let consume = json!({"user": user.name, "feature": "requests", "amount": 5});
        let path = format!("/v1/consume?{}", user.name);
        let answer = self.try_ask(Method::POST, &path, &consume).await;
        while answer.is_some() && !self.served.has_ended() && !self.has_topped_up(&user).await {
            tokio::task::yield_now().await;
        }
        let done = self.done(before);
        self.restart();
        let told = format!("killed before {kill_before:?}: {done:?}");
        self.ask(Method::POST, &path, consume).await;
        // What the process that went on is at ends too; and then one more look finds nothing to do.
        for _ in 0..LOOKS_MAX {
            let has_ended = self.has_topped_up(&user).await;
            self.leases_run_out().await;
            self.work("top_up_credits").await;
            if has_ended {
                break;
            }
        }
        assert!(self.has_topped_up(&user).await, "{told}");
        assert_eq!(self.balance(&user).await, (json!(507), 2), "{told}");
        let events = self.fake.events();
        let made = events
            .iter()
            .filter(|event| event.kind == "payment_intent.created");
        let objects = made.map(|event| self.fake.object(&event.object));
        let own = objects.filter(|intent| intent["customer"] == user.customer.as_str());
        assert_eq!(own.count(), 1, "{told}");
        done
    }

    /// Whether a top-up was paid, and no other one was begun.
    async fn has_topped_up(&self, user: &User) -> bool {
        let page = TopUpPage {
            account: user.account(),
            after: None,
            limit: 10,
        };
        let all = self.store.top_ups(&page).await.expect("top-ups");
        assert!(all.len() < 2, "{all:#?}");
        all.iter().any(|one| one.state == TopUpState::Paid)
    }

    /// Has the process killed before one of its next statements; how many there were.
    fn killing(&self, before: Option<u64>) -> u64 {
        if let Some(statement) = before {
            self.between.kill_before(statement, self.served.id());
        }
        self.between.statements()
    }

    fn done(&mut self, before: u64) -> Done {
        Done {
            statements: self.between.statements() - before,
            was_killed: self.served.has_ended(),
        }
    }

    /// At the end nothing is listed, and the auditor finds nothing.
    async fn is_whole(&self) {
        let problems = self.ask(Method::GET, "/v1/billing/problems", Value::Null);
        assert_eq!(problems.await["items"], json!([]));
        let storage: Arc<dyn Storage> = Arc::<PgStore>::clone(&self.store);
        Aftermath::of(storage.as_ref()).await;
    }
}

/// A process that serves and runs no jobs, once it is connected.
fn serve(folder: &TempDir, between: &Between, fake: &FakeStripe) -> Served {
    let environment = [
        ("DATABASE_URL", between.url.as_str()),
        ("STRIPE_API_KEY", "sk_test_12345"),
        ("STRIPE_WEBHOOK_SECRET", SECRET),
        ("STRIPE_API_BASE", fake.url()),
    ];
    let mut command = api(folder.path(), &environment);
    command.args(["serve", "--listen", "127.0.0.1:0", "--jobs", "off"]);
    let served = block_in_place(|| {
        let (mut served, _) = started(&mut command);
        served.wait_for("the payment provider is connected");
        served
    });
    fake.clear_endpoints();
    let url = format!("http://{}/v1/webhooks/stripe", served.address);
    fake.endpoint(Endpoint::new(&url, SECRET));
    served
}

/// Statements in equal distances, the first of them anywhere: of all, as many as are wanted.
fn chosen(statements: u64) -> impl Iterator<Item = u64> {
    let said = std::env::var("QUOTA_SEQUENCES").ok();
    let said = said.map_or(250, |said| {
        said.parse().expect("QUOTA_SEQUENCES is a number")
    });
    let step = (statements * 250).div_ceil(KILLS * said).max(1);
    let first = 1 + RandomState::new().hash_one(()) % step;
    (first..=statements).step_by(usize::try_from(step).expect("small"))
}

/// P1, P2: kill -9 between any two statements of claim, grant and done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_a_payment_is_granted_once_whenever_its_process_is_killed() {
    let mut stage = Stage::new().await;
    let whole = stage.purchase(0, None).await;
    assert!(50 < whole.statements && !whole.was_killed, "{whole:?}");
    let (mut all, mut killed) = (0, 0);
    for at in chosen(whole.statements) {
        all += 1;
        killed += u64::from(stage.purchase(at, Some(at)).await.was_killed);
    }
    // How many statements it takes differs a little.
    assert!(all < 2 * killed, "{killed} of {all}");
    stage.is_whole().await;
}

/// P20: kill -9 between any two statements of a top-up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_a_pack_is_bought_once_whenever_its_process_is_killed() {
    let mut stage = Stage::new().await;
    let whole = stage.top_up(0, None).await;
    assert!(10 < whole.statements && !whole.was_killed, "{whole:?}");
    let (mut all, mut killed) = (0, 0);
    for at in chosen(whole.statements) {
        all += 1;
        killed += u64::from(stage.top_up(at, Some(at)).await.was_killed);
    }
    // How many statements it takes differs a little.
    assert!(all < 2 * killed, "{killed} of {all}");
    stage.is_whole().await;
}
