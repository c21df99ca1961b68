//! A payment provider that is connected: webhooks in, subscriptions and credits out (P1, P3, P6, P7, P14, P17, S1, S11).

use std::sync::Arc;

use chrono::TimeDelta;
use quota_core::ports::{BillingStore, Storage};
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, Endpoint, FakeStripe, Pay, RefundAs, Subscribe};

use crate::api_under_test::{Answer, Api};
use crate::connected::{CATALOG, SECRET, connected};
use crate::stores::on_every_store_with;

on_every_store_with!(
    shop,
    p1_a_pack_that_was_paid_is_credited_once_whatever_tells_of_it,
    p6_a_subscription_is_what_the_provider_says_in_any_order,
    p9_what_came_back_is_taken_and_given_again,
    p14_what_nobody_is_known_for_is_parked_and_claimed_once,
    p14_a_customer_of_nobody_is_listed_and_linked,
    p12_a_price_of_nothing_changes_nothing_and_is_listed,
    what_is_not_signed_by_the_provider_is_refused_and_not_kept,
    an_event_that_failed_waits_and_is_done_later,
);

fn to<'a>(items: &'a [(&'a str, i64)]) -> Subscribe<'a> {
    Subscribe {
        items,
        ..Subscribe::default()
    }
}

/// An API that is connected to a Stripe of its own, which tells it of everything.
struct Shop {
    api: Api,
    fake: FakeStripe,
}

async fn shop<S: Storage + BillingStore + 'static>(store: Arc<S>) -> Shop {
    let fake = FakeStripe::start().await;
    fake.pack("price_pack", 900);
    fake.plan("price_pro", 2_900);
    fake.plan("price_max", 9_900);
    fake.plan("price_other", 100);
    fake.drop_pending();
    let api = connected(store, &fake).await;
    api.apply(CATALOG).await;
    let url = format!("{}/v1/webhooks/stripe", api.address);
    fake.endpoint(Endpoint::new(&url, SECRET));
    Shop { api, fake }
}

impl Shop {
    /// A user who is a customer.
    async fn customer(&self, user: &str) -> String {
        self.api.user(user, None).await;
        let customer = self.fake.customer(Card::Good);
        let body = json!({"account": format!("user:{user}")});
        let path = format!("/v1/billing/customers/{customer}");
        self.api.put(&path, body).await.expect(200);
        customer
    }

    /// Delivers all events in this order, and works on them.
    async fn deliver(&self, places: &[usize]) {
        self.api.pass(TimeDelta::seconds(1));
        for status in self.fake.deliver(places).await {
            assert_eq!(status, 200);
        }
        self.settled().await;
    }

    async fn deliver_pending(&self) {
        self.api.pass(TimeDelta::seconds(1));
        for status in self.fake.deliver_pending().await {
            assert_eq!(status, 200);
        }
        self.settled().await;
    }

    /// Waits until nothing waits to be worked on.
    async fn settled(&self) {
        loop {
            let waiting = self.events("?state=waiting").await;
            if waiting.iter().all(|event| event["error"] != Value::Null) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn events(&self, query: &str) -> Vec<Value> {
        let path = format!("/v1/billing/events{query}");
        let list = self.api.get(&path).await.expect(200).body;
        list["items"].as_array().cloned().expect("a list")
    }

    async fn problems(&self) -> Vec<Value> {
        let list = self.api.get("/v1/billing/problems").await.expect(200).body;
        list["items"].as_array().cloned().expect("a list")
    }

    async fn balance(&self, user: &str) -> u64 {
        let path = format!("/v1/users/{user}/credits");
        let credits = self.api.get(&path).await.expect(200).body;
        credits["balance"].as_u64().expect("a number")
    }

    async fn subscription(&self, user: &str) -> Answer {
        self.api
            .get(&format!("/v1/users/{user}/subscription"))
            .await
    }
}

/// P1, P7: the same payment by session, intent and charge, each twice, in any order.
async fn p1_a_pack_that_was_paid_is_credited_once_whatever_tells_of_it(shop: Shop) {
    let customer = shop.customer("ann").await;
    let invoice = shop.fake.invoice(&customer, &[("price_pack", 3)]);
    shop.fake.pay_invoice(&invoice);
    let told = shop.fake.events().len();
    let forward: Vec<usize> = (0..told).collect();
    let backward: Vec<usize> = (0..told).rev().collect();
    shop.deliver(&backward).await;
    shop.deliver(&forward).await;
    assert_eq!(shop.balance("ann").await, 1_500);
    let payments = shop
        .api
        .get("/v1/users/ann/payments")
        .await
        .expect(200)
        .body;
    let items = payments["items"].as_array().cloned().expect("a list");
    assert_eq!(items.len(), 1, "{payments}");
    assert_eq!(items[0]["status"], "paid");
    assert_eq!(items[0]["mode"], "test");
    assert_eq!(items[0]["amount"], 2_700);
    assert_eq!(shop.problems().await, Vec::<Value>::new());
    let kept = shop.events("?limit=1000").await;
    assert_eq!(kept.len(), told, "each event is kept once");
}

/// P6, P12, S1: all that was told of a subscription, the last first.
async fn p6_a_subscription_is_what_the_provider_says_in_any_order(shop: Shop) {
    let customer = shop.customer("ann").await;
    let subscription = shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
    shop.fake.change_price(&subscription, "price_max", true);
    let told: Vec<usize> = (0..shop.fake.events().len()).rev().collect();
    shop.deliver(&told).await;
    let held = shop.subscription("ann").await.expect(200).body;
    assert_eq!(held["plan"], "max", "{held}");
    assert_eq!(held["status"], "active");
    shop.fake.end(&subscription);
    shop.deliver_pending().await;
    let held = shop.subscription("ann").await.expect(200).body;
    assert_eq!(held["status"], "canceled", "{held}");
    let denied = shop.api.consume("ann", "requests", 1).await;
    assert_eq!(denied.status, 403, "{}", denied.text);
}

/// P9, P11: a refund takes its part, a refund that fails gives it back, a dispute freezes.
async fn p9_what_came_back_is_taken_and_given_again(shop: Shop) {
    let customer = shop.customer("ann").await;
    let invoice = shop.fake.invoice(&customer, &[("price_pack", 1)]);
    shop.fake.pay_invoice(&invoice);
    shop.deliver_pending().await;
    assert_eq!(shop.balance("ann").await, 500);
    let intent = shop.fake.intent_of(&invoice);
    let refund = shop.fake.refund(&intent, 450, RefundAs::Pending);
    let refund = refund.expect("a refund");
    shop.deliver_pending().await;
    assert_eq!(shop.balance("ann").await, 250);
    shop.fake.refund_becomes(&refund, "failed");
    shop.deliver_pending().await;
    assert_eq!(shop.balance("ann").await, 500);
    let dispute = shop.fake.dispute(&intent, 900, "needs_response");
    shop.deliver_pending().await;
    assert_eq!(shop.balance("ann").await, 0);
    shop.fake.dispute_becomes(&dispute, "won");
    shop.deliver_pending().await;
    assert_eq!(shop.balance("ann").await, 500);
}

/// P14: a payment link names nobody; who knows the session has paid it.
async fn p14_what_nobody_is_known_for_is_parked_and_claimed_once(shop: Shop) {
    shop.api.user("ann", None).await;
    shop.api.user("bob", None).await;
    let session = shop.fake.payment_link("price_pack", 1);
    shop.fake.pay(&session, &Pay::by(Card::Good));
    shop.deliver_pending().await;
    let parked = shop.problems().await;
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert_eq!(parked[0]["kind"], "unknown_payer");
    shop.api.pass(TimeDelta::seconds(1));
    let claim = json!({"object": {"kind": "session", "id": session}});
    let claimed = shop
        .api
        .post("/v1/users/ann/purchases/claim", claim.clone())
        .await;
    assert_eq!(claimed.expect(200).body["outcome"], "applied");
    let late = shop.api.post("/v1/users/bob/purchases/claim", claim).await;
    assert_eq!(late.expect(409).body["code"], "payment_of_another_account");
    assert_eq!(
        (shop.balance("ann").await, shop.balance("bob").await),
        (500, 0)
    );
    assert_eq!(shop.problems().await, Vec::<Value>::new());
}

/// P14: nothing is guessed; the link brings what was bought before.
async fn p14_a_customer_of_nobody_is_listed_and_linked(shop: Shop) {
    shop.api.user("ann", None).await;
    let customer = shop.fake.customer(Card::Good);
    shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
    let stranger = shop.fake.customer(Card::Good);
    shop.fake.subscribe(&stranger, &to(&[("price_other", 1)]));
    shop.deliver_pending().await;
    let listed = shop.problems().await;
    let kinds: Vec<&Value> = listed.iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["unknown_customer"], "{listed:?}");
    let path = format!("/v1/billing/customers/{customer}");
    shop.api
        .put(&path, json!({"account": "user:ann"}))
        .await
        .expect(200);
    let held = shop.subscription("ann").await.expect(200).body;
    assert_eq!(held["plan"], "pro");
    assert_eq!(shop.problems().await, Vec::<Value>::new());
    shop.api.user("bob", None).await;
    let other = shop.api.put(&path, json!({"account": "user:bob"})).await;
    assert_eq!(
        other.expect(409).body["code"],
        "customer_of_another_account"
    );
}

/// P12: an unknown price changes nothing, and is listed until the catalog knows it.
async fn p12_a_price_of_nothing_changes_nothing_and_is_listed(shop: Shop) {
    let customer = shop.customer("ann").await;
    let subscription = shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
    shop.deliver_pending().await;
    shop.fake.change_price(&subscription, "price_other", false);
    shop.deliver_pending().await;
    let held = shop.subscription("ann").await.expect(200).body;
    assert_eq!(
        (&held["plan"], &held["status"]),
        (&json!("pro"), &json!("active"))
    );
    let listed = shop.problems().await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["kind"], "unknown_price");
    let known = CATALOG.replace("\"price_max\"", "\"price_max\", \"price_other\"");
    shop.api.apply(&known).await;
    let id = listed[0]["id"].as_str().expect("an id");
    let path = format!("/v1/billing/problems/{id}/retry");
    shop.api.pass(TimeDelta::seconds(1));
    let settled = shop.api.post(&path, json!({})).await.expect(200).body;
    assert_eq!(settled["settled"]["by"], "sync", "{settled}");
    let held = shop.subscription("ann").await.expect(200).body;
    assert_eq!(held["plan"], "max");
}

/// Bad input: strangers, and bodies that were written again.
async fn what_is_not_signed_by_the_provider_is_refused_and_not_kept(shop: Shop) {
    let customer = shop.customer("ann").await;
    shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
    let url = format!("{}/v1/webhooks/stripe", shop.api.address);
    let true_one = shop.fake.webhook(0, &Endpoint::new(&url, SECRET));
    let by_stranger = shop.fake.webhook(0, &Endpoint::new(&url, "whsec_other"));
    let space = format!("{} ", true_one.body);
    let cases = [
        (None, true_one.body.clone(), 400),
        (
            Some(by_stranger.signature.clone()),
            by_stranger.body.clone(),
            400,
        ),
        (Some(true_one.signature.clone()), space, 400),
        (
            Some(true_one.signature.clone()),
            "x".repeat(2 * 1024 * 1024),
            413,
        ),
    ];
    for (signature, body, status) in cases {
        let headers: Vec<(&str, &str)> = match &signature {
            Some(signature) => vec![("stripe-signature", signature.as_str())],
            None => Vec::new(),
        };
        let method = reqwest::Method::POST;
        let sent = shop
            .api
            .send(method, "/v1/webhooks/stripe", &headers, body.into_bytes());
        let answer = sent.await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    assert_eq!(shop.events("").await, Vec::<Value>::new());
    let elsewhere = shop.api.post("/v1/webhooks/paddle", json!({})).await;
    elsewhere.expect(404);
}

/// P3: a provider that is away costs time and nothing else.
async fn an_event_that_failed_waits_and_is_done_later(shop: Shop) {
    let customer = shop.customer("ann").await;
    shop.fake.subscribe(&customer, &to(&[("price_pro", 1)]));
    shop.fake.set_key_dead(true);
    shop.deliver_pending().await;
    let waiting = shop.events("?state=waiting").await;
    assert_ne!(waiting, Vec::<Value>::new());
    assert_eq!(waiting[0]["tries"], 1, "{waiting:?}");
    shop.subscription("ann").await.expect(404);
    shop.fake.set_key_dead(false);
    let id = waiting[0]["id"].as_str().expect("an id");
    let again = shop
        .api
        .post(&format!("/v1/billing/events/{id}/replay"), json!({}))
        .await;
    assert_eq!(again.expect(200).body["state"], "done");
    let held = shop.subscription("ann").await.expect(200).body;
    assert_eq!(held["plan"], "pro");
}
