//! Checkout and portal at a provider (P4, P12, S13).

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use futures::future::join_all;
use quota_core::ports::{BillingStore, Storage};
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, FakeStripe, Pay};

use crate::api_under_test::{Answer, Api};
use crate::connected::{CATALOG, connected};
use crate::stores::on_every_store_with;

on_every_store_with!(
    shop,
    p4_a_pack_is_there_on_the_page_that_the_buyer_comes_back_to,
    p4_so_is_a_plan_and_a_second_one_is_refused_with_the_portal,
    of_sixty_four_first_checkouts_at_once_there_is_one_customer,
    what_cannot_be_bought_is_refused_by_its_field,
);

struct Shop {
    api: Api,
    fake: FakeStripe,
}

async fn shop<S: Storage + BillingStore + 'static>(store: Arc<S>) -> Shop {
    let fake = FakeStripe::start().await;
    fake.pack("price_pack", 900);
    fake.plan("price_pro", 2_900);
    fake.plan("price_max", 9_900);
    let api = connected(store, &fake).await;
    api.apply(CATALOG).await;
    api.user("ann", None).await;
    Shop { api, fake }
}

fn order(what: &Value) -> Value {
    let mut body = json!({
        "account": "user:ann",
        "success_url": "https://app.example/paid?checkout={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://app.example/plans",
    });
    for (name, value) in what.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

impl Shop {
    async fn check_out(&self, what: Value) -> Answer {
        self.api.post("/v1/checkout", order(&what)).await
    }

    /// A checkout that is paid; no webhook tells of it.
    async fn bought(&self, what: Value) -> Value {
        let made = self.check_out(what).await.expect(201).body;
        assert_eq!(made["state"], "open");
        assert!(made["url"].is_string(), "{made}");
        let id = made["id"].as_str().expect("an id");
        let path = format!("/v1/checkout/{id}");
        let open = self.api.get(&path).await.expect(200).body;
        assert_eq!(
            (&open["state"], &open["payment"]),
            (&json!("open"), &Value::Null)
        );
        self.fake.pay(id, &Pay::by(Card::Good));
        self.api.pass(TimeDelta::seconds(1));
        self.api.get(&path).await.expect(200).body
    }
}

/// P4: credits are there when the page asks, and once, however often it asks.
async fn p4_a_pack_is_there_on_the_page_that_the_buyer_comes_back_to(shop: Shop) {
    let result = shop
        .bought(json!({"pack": "pack_500", "quantity": 2}))
        .await;
    assert_eq!(result["state"], "complete");
    assert_eq!(result["payment"]["outcome"], "applied");
    assert_eq!(result["payment"]["changed"], true);
    let id = result["id"].as_str().expect("an id");
    let again = shop
        .api
        .get(&format!("/v1/checkout/{id}"))
        .await
        .expect(200)
        .body;
    assert_eq!(again["payment"]["changed"], false, "{again}");
    let credits = shop.api.get("/v1/users/ann/credits").await.expect(200).body;
    assert_eq!(credits["balance"], 1_000);
    let customers = shop
        .api
        .get("/v1/users/ann/customers")
        .await
        .expect(200)
        .body;
    assert_eq!(customers["items"].as_array().map(Vec::len), Some(1));
}

/// P4, P12: a subscription from a checkout; a second one would be paid beside it.
async fn p4_so_is_a_plan_and_a_second_one_is_refused_with_the_portal(shop: Shop) {
    let result = shop.bought(json!({"plan": "pro"})).await;
    assert_eq!(result["subscription"]["outcome"], "applied", "{result}");
    let held = shop
        .api
        .get("/v1/users/ann/subscription")
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&held["plan"], &held["status"]),
        (&json!("pro"), &json!("active"))
    );
    let second = shop
        .check_out(json!({"plan": "max"}))
        .await
        .expect(409)
        .body;
    assert_eq!(second["code"], "already_subscribed");
    let detail = second["detail"].as_str().expect("a detail");
    assert!(detail.contains("change that one at http"), "{detail}");
    let portal = json!({"account": "user:ann", "return_url": "https://app.example/"});
    let portal = shop.api.post("/v1/portal", portal).await.expect(201).body;
    assert!(portal["url"].is_string(), "{portal}");
}

/// P7: one customer for one account, and the same key is the same checkout.
async fn of_sixty_four_first_checkouts_at_once_there_is_one_customer(shop: Shop) {
    let body = order(&json!({"pack": "pack_500"}));
    let checkouts = (0..64).map(|_| shop.api.post_keyed("/v1/checkout", "once", &body));
    let made = join_all(checkouts).await.into_iter();
    let ids: BTreeSet<String> = made
        .map(|answer| answer.expect(201).body["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let customers = shop
        .api
        .get("/v1/users/ann/customers")
        .await
        .expect(200)
        .body;
    assert_eq!(customers["items"].as_array().map(Vec::len), Some(1));
}

async fn what_cannot_be_bought_is_refused_by_its_field(shop: Shop) {
    let elsewhere = json!({"plan": "pro", "success_url": "https://app.example.evil/paid"});
    let cases = [
        (json!({}), 422, "/plan"),
        (json!({"plan": "pro", "pack": "pack_500"}), 422, "/pack"),
        (json!({"plan": "pro", "quantity": 0}), 422, "/quantity"),
        (elsewhere, 422, "/success_url"),
        (
            json!({"plan": "pro", "cancel_url": "no address"}),
            422,
            "/cancel_url",
        ),
        (json!({"plan": "nope"}), 404, "/plan"),
        (json!({"pack": "nope"}), 404, "/pack"),
        (json!({"plan": "pro", "price": "price_max"}), 409, "/price"),
    ];
    for (what, status, field) in cases {
        let refused = shop.check_out(what.clone()).await.expect(status).body;
        assert_eq!(refused["errors"][0]["pointer"], field, "{what}: {refused}");
    }
    let free = CATALOG.replace("provider_prices = { stripe = [\"price_pro\"] }", "");
    shop.api.apply(&free).await;
    let unsold = shop
        .check_out(json!({"plan": "pro"}))
        .await
        .expect(409)
        .body;
    assert_eq!(unsold["code"], "not_for_sale");
    let portal = json!({"account": "user:ann", "return_url": "https://app.example/"});
    shop.api.post("/v1/portal", portal).await.expect(409);
    shop.api.get("/v1/checkout/cs_nope").await.expect(404);
}
