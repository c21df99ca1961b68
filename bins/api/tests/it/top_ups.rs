//! Auto top-up over HTTP, on every store: one pack for each fall, and what goes wrong is told (P20).

use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use jobs::work::top_up_credits::NAME;
use jobs::{JobFilter, JobSettings, LogSink, Runner};
use quota_core::amount::Amount;
use quota_core::command::{Command, SetTopUp};
use quota_core::ids::{AccountId, PackCode};
use quota_core::origin::Origin;
use quota_core::ports::{BillingStore, Storage};
use quota_service::Ask;
use quota_service::billing::Billing;
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, FakeStripe, RefundAs};

use crate::api_under_test::{Answer, Api};
use crate::connected::{CATALOG, connecting};
use crate::stores::on_every_store_with;

on_every_store_with!(
    shop,
    p20_sixty_four_consumes_cross_the_bound_on_two_nodes_and_one_pack_is_bought,
    p20_the_job_finds_what_nobody_noticed,
    p20_a_declined_card_is_shown_listed_and_mended,
    p20_money_that_came_back_is_shown_to_have_switched_it_off,
    p20_what_cannot_be_right_is_refused_by_its_field,
);

const TOP_UP: &str = "/v1/users/ann/top-up";

/// Two nodes over one store and one Stripe, and `ann`, a customer with 70 credits.
struct Shop {
    nodes: [(Api, Billing); 2],
    fake: FakeStripe,
    customer: String,
}

async fn shop<S: Storage + BillingStore + 'static>(store: Arc<S>) -> Shop {
    let fake = FakeStripe::start().await;
    fake.pack("price_pack", 900);
    let nodes = [
        connecting(Arc::clone(&store), &fake).await,
        connecting(store, &fake).await,
    ];
    for (_, billing) in &nodes {
        billing.connection().await.expect("the fake is there");
    }
    let api = &nodes[0].0;
    api.apply(CATALOG).await;
    api.user("ann", None).await;
    let customer = fake.customer(Card::Good);
    let link = format!("/v1/billing/customers/{customer}");
    let linked = api.put(&link, json!({"account": "user:ann"})).await;
    linked.expect(200);
    api.credits("users/ann", "gift", 70).await;
    Shop {
        nodes,
        fake,
        customer,
    }
}

impl Shop {
    fn api(&self) -> &Api {
        &self.nodes[0].0
    }

    async fn set(&self, below: u64) -> Answer {
        let wanted = json!({"pack": "pack_500", "below": below, "most_per_month": 3});
        self.api().put(TOP_UP, wanted).await
    }

    /// The same without a look that follows.
    async fn set_unseen(&self, below: u64) {
        let (api, billing) = &self.nodes[0];
        let ann = AccountId::parse("user:ann").expect("an account");
        let pack = PackCode::new("pack_500").expect("a pack");
        let prepared = billing.prepare_top_ups(&ann, &pack).await;
        prepared.expect("it can be bought");
        let set = Command::SetTopUp(SetTopUp {
            pack,
            below: Amount::new(below).expect("an amount"),
            most_per_month: 3,
        });
        let ask = Ask {
            account: ann,
            key: None,
            command: set,
            origin: Origin::default(),
        };
        api.engine.submit(ask).await.expect("is set");
    }

    async fn standing(&self) -> Value {
        self.api().get(TOP_UP).await.expect(200).body
    }

    async fn credits(&self) -> Value {
        let told = self.api().get("/v1/users/ann/credits").await;
        told.expect(200).body["balance"].clone()
    }

    /// Waits until the last top-up has ended.
    async fn ended(&self) -> Value {
        loop {
            let standing = self.standing().await;
            let state = &standing["last"][0]["state"];
            if state.is_string() && state != "open" {
                return standing;
            }
            tokio::task::yield_now().await;
        }
    }

    /// How many payments were asked of Stripe.
    fn payments(&self) -> usize {
        let events = self.fake.events();
        let made = events
            .iter()
            .filter(|one| one.kind == "payment_intent.created");
        made.count()
    }

    fn pass(&self, span: TimeDelta) {
        for (api, _) in &self.nodes {
            api.pass(span);
        }
    }
}

async fn p20_sixty_four_consumes_cross_the_bound_on_two_nodes_and_one_pack_is_bought(shop: Shop) {
    shop.set(40).await.expect(200);
    let listening: Vec<_> = shop
        .nodes
        .iter()
        .map(|(_, billing)| billing.keep_topping_up())
        .collect();
    let consumes = (0..64).map(|number: usize| {
        let api = &shop.nodes[number % 2].0;
        api.consume("ann", "requests", 1)
    });
    for answer in join_all(consumes).await {
        answer.expect(200);
    }
    let standing = shop.ended().await;
    assert_eq!(
        standing["last"].as_array().map(Vec::len),
        Some(1),
        "{standing}"
    );
    assert_eq!(standing["last"][0]["state"], "paid", "{standing}");
    assert_eq!(
        (&standing["bought_this_month"], shop.payments()),
        (&json!(1), 1)
    );
    assert_eq!(shop.credits().await, 506);
    // Whoever looks again finds nothing to buy.
    for (_, billing) in &shop.nodes {
        let looked = billing.look_at_top_up_accounts(None).await.expect("reads");
        assert_eq!((looked.looked, looked.paid), (1, 0));
    }
    let payments = shop.api().get("/v1/users/ann/payments").await.expect(200);
    assert_eq!(
        payments.body["items"][0]["ref"], standing["last"][0]["payment"],
        "{}",
        payments.text
    );
    assert_eq!(shop.payments(), 1);
    listening.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Nobody listens: the process that took the requests has died, or has no provider.
async fn p20_the_job_finds_what_nobody_noticed(shop: Shop) {
    let (api, billing) = &shop.nodes[0];
    shop.set_unseen(40).await;
    api.consume("ann", "requests", 31).await.expect(200);
    let (sink, settings) = (Arc::new(LogSink), JobSettings::default());
    let runner = Runner::new(api.engine.clone(), sink, settings, "worker".to_owned());
    let runner = runner.with_billing(Some(billing.clone()));
    for paid in [1, 0] {
        assert_eq!(
            billing.has_top_ups_to_look_at().await.expect("reads"),
            paid == 1
        );
        let run = runner.run(NAME, JobFilter::default(), "test").await;
        let run = run.expect("the job runs");
        assert_eq!(
            (run.summary.done, run.summary.failed),
            (paid, 0),
            "{:?}",
            run.summary
        );
        assert_eq!((shop.payments(), shop.credits().await), (1, json!(539)));
    }
}

async fn p20_a_declined_card_is_shown_listed_and_mended(shop: Shop) {
    shop.fake.set_card(&shop.customer, Card::NeedsCustomer);
    // It is looked at once: the credits are low already.
    shop.set(100).await.expect(200);
    let standing = shop.ended().await;
    let failure = &json!("authentication_required");
    assert_eq!(
        (&standing["failure"], &standing["last"][0]["failure"]),
        (failure, failure)
    );
    assert_eq!(
        (&standing["failures"], &standing["on"]),
        (&json!(1), &json!(true))
    );
    assert!(standing["next_try_at"].is_string(), "{standing}");
    let problems = "/v1/billing/problems?kind=top_up_failed";
    let listed = shop.api().get(problems).await.expect(200).body;
    assert_eq!(listed["items"][0]["account"], "user:ann", "{listed}");
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let retry = format!("/v1/billing/problems/{id}/retry");
    let retried = shop.api().post(&retry, json!({})).await.expect(200);
    assert!(retried.body["settled"].is_null(), "{}", retried.text);
    assert_eq!((shop.payments(), shop.credits().await), (1, json!(70)));
    shop.fake.set_card(&shop.customer, Card::Good);
    shop.pass(TimeDelta::hours(2));
    let looked = shop.nodes[0].1.look_at_top_up_accounts(None).await;
    assert_eq!(looked.expect("reads").paid, 1);
    let standing = shop.standing().await;
    assert_eq!(
        (&standing["failures"], &standing["last"][0]["state"]),
        (&json!(0), &json!("paid"))
    );
    let listed = shop.api().get(problems).await.expect(200).body;
    assert_eq!(listed["items"], json!([]));
    assert_eq!(shop.credits().await, 570);
}

async fn p20_money_that_came_back_is_shown_to_have_switched_it_off(shop: Shop) {
    shop.set(100).await.expect(200);
    let standing = shop.ended().await;
    let payment = standing["last"][0]["payment"].as_str().expect("a payment");
    let refund = shop.fake.refund(payment, 900, RefundAs::Succeeded);
    refund.expect("so much is left");
    shop.pass(TimeDelta::hours(1));
    shop.nodes[1].1.read_missed().await.expect("is read");
    shop.nodes[1]
        .1
        .work_on_waiting()
        .await
        .expect("is worked on");
    assert_eq!(shop.credits().await, 70);
    for (_, billing) in &shop.nodes {
        let looked = billing.look_at_top_up_accounts(None).await;
        assert_eq!(looked.expect("reads").paid, 0);
    }
    let off = shop.standing().await;
    assert_eq!(
        (&off["on"], &off["off"]["why"]),
        (&json!(false), &json!("came_back")),
        "{off}"
    );
    shop.set(100).await.expect(200);
    loop {
        let standing = shop.ended().await;
        if standing["last"].as_array().map(Vec::len) == Some(2) {
            assert_eq!(
                (&standing["on"], &standing["bought_this_month"]),
                (&json!(true), &json!(2))
            );
            break;
        }
        tokio::task::yield_now().await;
    }
    shop.api().delete(TOP_UP).await.expect(200);
    shop.api().get(TOP_UP).await.expect(404);
}

async fn p20_what_cannot_be_right_is_refused_by_its_field(shop: Shop) {
    let right = json!({"pack": "pack_500", "below": 5, "most_per_month": 3});
    for (field, value, status) in [
        ("pack", json!("nothing"), 404),
        ("pack", json!(5), 422),
        ("below", json!(-1), 422),
        ("below", json!(0), 422),
        ("below", json!(501), 422),
        ("below", json!("few"), 422),
        ("most_per_month", json!(0), 422),
        ("most_per_month", json!(101), 422),
        ("most_per_month", json!(-1), 422),
        ("other", json!(1), 422),
    ] {
        let mut body = right.clone();
        body[field] = value.clone();
        let refused = shop.api().put(TOP_UP, body).await;
        assert!(
            refused.status == status || (status == 422 && refused.status == 400),
            "{field} {value}: {}",
            refused.text
        );
        assert!(
            refused.text.contains(field),
            "{field} {value}: {}",
            refused.text
        );
    }
    shop.api().get(TOP_UP).await.expect(404);
    let unlinked = format!("/v1/billing/customers/{}", shop.customer);
    shop.api().delete(&unlinked).await.expect(204);
    let nobody = shop.api().put(TOP_UP, right.clone()).await.expect(409);
    assert_eq!(nobody.body["code"], "no_customer", "{}", nobody.text);
    shop.api()
        .put("/v1/users/nobody/top-up", right)
        .await
        .expect(404);
    assert_eq!(shop.payments(), 0);
}
