//! A payment provider beside the engine: how soon webhooks are answered, and how soon what they tell is seen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use quota_core::ids::{AccountId, CustomerRef, ProviderCode, UserId};
use quota_core::payment::PaymentMode;
use quota_core::ports::{BillingStore as _, KeyScope};
use quota_core::provider::{CustomerId, CustomerLink};
use storage_pg::PgStore;
use testkit::fake_stripe::{Card, Endpoint, FakeStripe, Subscribe, sign};
use testkit::pg::sql;
use testkit::redis::RedisServer;

use super::Bench;
use crate::error::{BenchError, other};
use crate::http::{self, Target};
use crate::load::histogram;
use crate::machine::as_float;
use crate::programs::{Api, Launch, SECRET};
use crate::report::Report;
use crate::seed;

const WEBHOOKS: &str = "webhooks";
const VISIBLE: &str = "webhook_visible";
const WEBHOOK_PATH: &str = "/v1/webhooks/stripe";
const CONNECTIONS: u64 = 64;
const CUSTOMERS: usize = 500;
/// What the provider takes for an answer.
const LATENCY: Duration = Duration::from_millis(50);
/// Longest wait until something is seen.
const SEEN_MAX: Duration = Duration::from_mins(1);
/// Between two looks at an overview.
const LOOK: Duration = Duration::from_millis(10);

/// An installation on PostgreSQL, and the Stripe that it is connected to.
pub(super) struct Stage {
    /// The Stripe.
    pub(super) fake: FakeStripe,
    /// The database.
    pub(super) url: String,
    /// A key with every right.
    pub(super) secret: String,
}

/// A subscription at the provider, and the user that it is for.
struct Sold {
    user: String,
    subscription: String,
}

impl Bench<'_> {
    /// Webhooks, and how soon they are seen.
    pub(super) async fn money(&self, report: &mut Report) -> Result<(), BenchError> {
        if self.settings.wants(WEBHOOKS) {
            self.webhooks(report).await?;
        }
        if self.settings.wants(VISIBLE) {
            self.visible(report, true).await?;
            self.visible(report, false).await?;
        }
        Ok(())
    }

    pub(super) async fn stage(&self, name: &str) -> Result<Stage, BenchError> {
        let fake = FakeStripe::start().await;
        fake.plan("price_pro", 2_900);
        fake.plan("price_max", 9_900);
        fake.pack("price_pack", 900);
        let url = self.database(name)?;
        let (storage, catalog) = self.store(&url).await?;
        seed::money_catalog(storage.as_ref(), &catalog).await?;
        let engine = self.engine(&storage).await?;
        let made = engine.create_key("bench", KeyScope::Admin).await;
        let secret = made.map_err(other)?.secret;
        engine.stop().await;
        Ok(Stage { fake, url, secret })
    }

    pub(super) fn launch<'a>(&self, stage: &'a Stage, redis: Option<&'a str>) -> Launch<'a> {
        Launch {
            database: &stage.url,
            redis,
            shards: self.settings.shards,
            stripe: Some(stage.fake.url()),
        }
    }

    async fn webhooks(&self, report: &mut Report) -> Result<(), BenchError> {
        let stage = self.stage("webhooks").await?;
        let launch = self.launch(&stage, None);
        let api = tokio::task::block_in_place(|| Api::start(&launch))?;
        let sold = stage.sell(&api, CUSTOMERS).await?;
        stage.fake.set_latency(LATENCY);
        let bodies: Vec<(String, String)> = stage.bodies();
        if bodies.len() < sold.len() {
            return Err(BenchError::Failed("an event is missing".to_owned()));
        }
        let render = |round: &'static str| {
            let bodies = &bodies;
            move |number: u64| {
                let place = usize::try_from(number).unwrap_or(0) % bodies.len();
                let (id, body) = &bodies[place];
                let body = body.replacen(id.as_str(), &format!("evt_{round}_{number}"), 1);
                delivery(&body)
            }
        };
        let count = 200 * self.settings.seconds * 2;
        let calm = stage
            .deliver(&api, &render("calm"), count, Some(200.0))
            .await?;
        let before = api.resident();
        let begun = Instant::now();
        let burst = stage.deliver(&api, &render("burst"), 10_000, None).await?;
        let rate = 10_000.0 / begun.elapsed().as_secs_f64();
        let grown = as_float(api.resident().saturating_sub(before)) / 1_048_576.0;
        let kept = "select count(*) from provider_events where event like 'evt_burst_%'";
        let kept = tokio::task::block_in_place(|| sql(&stage.url, kept)).map_err(other)?;
        let kept: f64 = kept.trim().parse().map_err(other)?;
        let millis = |micros: u64| as_float(micros) / 1000.0;
        let p99 = millis(calm.value_at_quantile(0.99));
        report.figure(
            "webhooks_p50",
            "ms to the answer at 200 a second",
            millis(calm.value_at_quantile(0.5)),
        );
        report.figure(
            "webhooks_p99",
            "ms to the answer at 200 a second; at most 50",
            p99,
        );
        let p99 = millis(burst.value_at_quantile(0.99));
        report.figure(
            "webhooks_burst",
            "webhooks a second, 10,000 over 64 connections",
            rate,
        );
        report.figure("webhooks_burst_p99", "ms to the answer in it", p99);
        report.figure("webhooks_burst_kept", "of the 10,000 in the store", kept);
        report.figure(
            "webhooks_burst_memory",
            "MiB that the api grew by; at most 64",
            grown,
        );
        Ok(())
    }

    /// A change at the provider, at 50 a second: from the answer to its webhook until two nodes show it.
    async fn visible(&self, report: &mut Report, with_redis: bool) -> Result<(), BenchError> {
        let name = if with_redis {
            "visible_redis"
        } else {
            "visible"
        };
        let stage = self.stage(name).await?;
        let redis = tokio::task::block_in_place(RedisServer::start).map_err(other)?;
        let redis_url = redis.url();
        let launch = self.launch(&stage, with_redis.then_some(redis_url.as_str()));
        let [first, second] = tokio::task::block_in_place(|| {
            Ok::<_, BenchError>([Api::start(&launch)?, Api::start(&launch)?])
        })?;
        let sold = stage.sell(&first, CUSTOMERS).await?;
        stage.fake.set_latency(LATENCY);
        let stage = Arc::new(stage);
        stage.fake.clear_calls();
        let begun = Instant::now();
        let changes = sold.into_iter().enumerate().map(|(number, sold)| {
            let (stage, nodes) = (Arc::clone(&stage), [first.address, second.address]);
            tokio::spawn(async move {
                let due = Duration::from_millis(20) * u32::try_from(number).unwrap_or(0);
                tokio::time::sleep_until((begun + due).into()).await;
                stage.change_and_look(&sold, nodes).await
            })
        });
        let changes: Vec<_> = changes.collect();
        let mut latency = histogram()?;
        for change in changes {
            latency.saturating_record(change.await.map_err(other)??);
        }
        let calls = as_float(stage.fake.calls_total()) / as_float(latency.len());
        let how = if with_redis {
            "with Redis"
        } else {
            "without Redis"
        };
        for (quantile, part, bar) in [(0.5, "p50", ""), (0.99, "p99", "; at most 1000")] {
            let value = as_float(latency.value_at_quantile(quantile)) / 1000.0;
            let what =
                format!("ms from the answer until two nodes show it, 50 a second, {how}{bar}");
            report.figure(&format!("webhook_{name}_{part}"), &what, value);
        }
        report.figure(
            &format!("webhook_{name}_calls"),
            "calls of the provider for each",
            calls,
        );
        Ok(())
    }
}

/// A webhook as it is delivered.
fn delivery(body: &str) -> String {
    let signature = sign(body, &[SECRET.to_owned()], Utc::now().timestamp());
    let header = format!("stripe-signature: {signature}\r\n");
    http::request(("POST", WEBHOOK_PATH), "none", &header, body)
}

impl Stage {
    /// Users with a subscription at the provider, and what they bought shown here.
    async fn sell(&self, api: &Api, count: usize) -> Result<Vec<Sold>, BenchError> {
        let how = Subscribe {
            items: &[("price_pro", 1)],
            ..Subscribe::default()
        };
        self.fake.drop_pending();
        let mut pairs = Vec::new();
        let mut sold = Vec::new();
        for number in 0..count {
            let customer = self.fake.customer(Card::Good);
            let subscription = self.fake.subscribe(&customer, &how);
            let user = format!("b{number}");
            pairs.push((user.clone(), customer));
            sold.push(Sold { user, subscription });
        }
        self.link(api, &pairs).await?;
        let bodies = self.bodies();
        let render = |number: u64| {
            let place = usize::try_from(number).unwrap_or(0);
            delivery(&bodies[place].1)
        };
        let all = u64::try_from(bodies.len()).map_err(other)?;
        self.deliver(api, &render, all, None).await?;
        for one in &sold {
            self.shows(api.address, &one.user, "pro").await?;
        }
        Ok(sold)
    }

    /// Makes users, and says which customers they are.
    pub(super) async fn link(
        &self,
        api: &Api,
        pairs: &[(String, String)],
    ) -> Result<(), BenchError> {
        let render = |number: u64| {
            let (user, _) = &pairs[usize::try_from(number).unwrap_or(0)];
            let path = format!("/v1/users/{user}");
            http::request(("PUT", &path), &self.secret, "", "{}")
        };
        let target = Target {
            address: api.address,
            render: &render,
            operations: 1,
            status: "20",
        };
        let all = u64::try_from(pairs.len()).map_err(other)?;
        http::send(&target, CONNECTIONS, all, None).await?;
        let store = PgStore::connect(&self.url, storage_pg::Settings::default());
        let store = store.await.map_err(other)?;
        for (user, customer) in pairs {
            let id = CustomerId {
                provider: ProviderCode::new("stripe").map_err(other)?,
                mode: PaymentMode::Test,
                customer: CustomerRef::new(customer).map_err(other)?,
            };
            let link = CustomerLink {
                id,
                account: AccountId::user(&UserId::new(user).map_err(other)?),
                linked_at: Utc::now(),
                synced_at: None,
            };
            store.link_customer(&link).await.map_err(other)?;
        }
        Ok(())
    }

    /// The ids and bodies of webhooks of all subscriptions that were made.
    fn bodies(&self) -> Vec<(String, String)> {
        let endpoint = Endpoint::new("http://127.0.0.1", SECRET);
        let events = self.fake.events().into_iter();
        let made = events.filter(|event| event.kind == "customer.subscription.created");
        let bodies = made.map(|event| (event.id, self.fake.webhook(event.place, &endpoint).body));
        bodies.collect()
    }

    async fn deliver(
        &self,
        api: &Api,
        render: &http::Render<'_>,
        count: u64,
        rate: Option<f64>,
    ) -> Result<hdrhistogram::Histogram<u64>, BenchError> {
        let target = Target {
            address: api.address,
            render,
            operations: 1,
            status: "200",
        };
        http::send(&target, CONNECTIONS, count, rate).await
    }

    /// Waits until an overview names a plan.
    async fn shows(
        &self,
        node: std::net::SocketAddr,
        user: &str,
        plan: &str,
    ) -> Result<(), BenchError> {
        let (path, until) = (
            format!("/v1/users/{user}/overview"),
            Instant::now() + SEEN_MAX,
        );
        let told = format!("\"plan\":\"{plan}\"");
        while Instant::now() < until {
            let (_, body) = http::ask(node, ("GET", &path), &self.secret, "").await?;
            if body.contains(&told) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(BenchError::Failed(format!("{user} never had {plan}")))
    }

    /// Changes a plan at the provider; microseconds from the answer to the webhook until all nodes show it.
    async fn change_and_look(
        &self,
        sold: &Sold,
        nodes: [std::net::SocketAddr; 2],
    ) -> Result<u64, BenchError> {
        self.fake
            .change_price(&sold.subscription, "price_max", false);
        let events = self.fake.events().into_iter().rev();
        let mut events = events.filter(|event| event.object == sold.subscription);
        let event = events.next();
        let event = event.ok_or_else(|| BenchError::Failed("no event".to_owned()))?;
        let endpoint = Endpoint::new("http://127.0.0.1", SECRET);
        let body = self.fake.webhook(event.place, &endpoint).body;
        let render = |_: u64| delivery(&body);
        let target = Target {
            address: nodes[0],
            render: &render,
            operations: 1,
            status: "200",
        };
        http::send(&target, 1, 1, None).await?;
        let answered = Instant::now();
        for node in nodes {
            self.shows(node, &sold.user, "max").await?;
        }
        Ok(u64::try_from(answered.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}
