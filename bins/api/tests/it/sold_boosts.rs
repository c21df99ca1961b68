//! Boosts that are sold, by a checkout and by the API; add-ons that the provider bills with the plan (C13, P4, P9, P13, P16).

use std::sync::Arc;

use chrono::TimeDelta;
use quota_core::ports::{BillingStore, Storage};
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, FakeStripe, Pay};

use crate::api_under_test::{Answer, Api};
use crate::connected::{CATALOG, connected};
use crate::stores::on_every_store_with;

on_every_store_with!(
    shop,
    p4_a_boost_is_there_on_the_page_that_the_buyer_comes_back_to,
    p16_a_boost_is_booked_refunded_and_shown,
    p16_a_line_that_buys_nothing_possible_is_refused_by_its_field,
    p13_an_add_on_goes_to_the_subscription_that_runs,
);

const MORE: &str = r#"
[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 700
limits = { requests = 500 }
provider_prices = { stripe = ["price_more"] }

[[pack]]
code = "week"
name = "20 requests for a week"
boost = { feature = "requests", amount = 20, days = 7 }
price = 300
provider_prices = { stripe = ["price_week"] }

[[pack]]
code = "period"
name = "20 requests in this period"
boost = { feature = "requests", amount = 20 }
price = 300
provider_prices = { stripe = ["price_period"] }
"#;

struct Shop {
    api: Api,
    fake: FakeStripe,
}

async fn shop<S: Storage + BillingStore + 'static>(store: Arc<S>) -> Shop {
    let fake = FakeStripe::start().await;
    fake.pack("price_pack", 900);
    fake.pack("price_week", 300);
    fake.pack("price_period", 300);
    fake.plan("price_pro", 2_900);
    fake.plan("price_max", 9_900);
    fake.plan("price_more", 700);
    let api = connected(store, &fake).await;
    api.apply(&format!("{CATALOG}{MORE}")).await;
    api.user("ann", None).await;
    Shop { api, fake }
}

impl Shop {
    async fn check_out(&self, what: &Value) -> Answer {
        let mut body = json!({
            "account": "user:ann",
            "success_url": "https://app.example/paid?checkout={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://app.example/plans",
        });
        for (name, value) in what.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.api.post("/v1/checkout", body).await
    }

    /// A checkout that is paid; no webhook tells of it.
    async fn bought(&self, what: &Value) -> Value {
        let made = self.check_out(what).await.expect(201).body;
        let id = made["id"].as_str().expect("an id");
        self.fake.pay(id, &Pay::by(Card::Good));
        self.api.pass(TimeDelta::seconds(1));
        let path = format!("/v1/checkout/{id}");
        self.api.get(&path).await.expect(200).body
    }

    async fn get(&self, path: &str) -> Value {
        let path = format!("/v1/users/ann/{path}");
        self.api.get(&path).await.expect(200).body
    }

    /// Books what is bought in a line at a bank.
    async fn book(&self, payment: &str, mut line: Value) -> Answer {
        line["ref"] = json!("1");
        let body = json!({"provider": "bank", "ref": payment, "amount": 1000, "currency": "eur", "lines": [line]});
        self.api.post("/v1/users/ann/purchases", body).await
    }
}

/// P4, P1: units are there when the page asks, and once; the history says what the payment bought. One for the running period needs one.
async fn p4_a_boost_is_there_on_the_page_that_the_buyer_comes_back_to(shop: Shop) {
    let early = shop.check_out(&json!({"pack": "period"})).await;
    assert_eq!(early.expect(409).body["code"], "no_subscription");
    let order = json!({"pack": "week", "quantity": 2});
    let result = shop.bought(&order).await;
    assert_eq!(result["payment"]["outcome"], "applied", "{result}");
    let boosts = shop.get("boosts").await;
    let [boost] = boosts["boosts"].as_array().expect("a list").as_slice() else {
        panic!("one boost: {boosts}");
    };
    assert_eq!(boost["remaining"], 40);
    assert_eq!(boost["purchase"]["provider"], "stripe");
    assert_eq!(boost["purchase"]["amount"], 600);
    let payments = shop.get("payments").await;
    let line = &payments["items"][0]["lines"][0];
    let wanted = json!({"feature": "requests", "amount": 40});
    assert_eq!((&line["boost"], &line["credits"]), (&wanted, &Value::Null));
    shop.api.consume("ann", "requests", 40).await.expect(200);
    let path = format!(
        "/v1/users/ann/boosts/{}",
        boost["id"].as_str().expect("an id")
    );
    let refused = shop.api.delete(&path).await.expect(409).body;
    assert_eq!(refused["code"], "boost_bought");
    shop.bought(&json!({"plan": "pro"})).await;
    shop.bought(&json!({"pack": "period"})).await;
    let held = shop.get("subscription").await;
    let boosts = shop.get("boosts").await;
    assert_eq!(boosts["boosts"][0]["ends_at"], held["ends_at"], "{boosts}");
}

/// P16, P9, P11: the same by the API, from whoever took the money.
async fn p16_a_boost_is_booked_refunded_and_shown(shop: Shop) {
    let line = json!({"boost": {"feature": "requests", "amount": 20}, "expires_at": "2100-01-01T00:00:00Z"});
    let booked = shop.book("inv-1", line.clone()).await.expect(201).body;
    assert_eq!(booked["lines"][0]["boost"]["amount"], 20);
    shop.book("inv-1", line).await.expect(200);
    shop.api.consume("ann", "requests", 6).await.expect(200);
    let refund = json!({"provider": "bank", "payment": "inv-1", "ref": "r", "amount": 250});
    shop.api
        .post("/v1/users/ann/refunds", refund)
        .await
        .expect(201);
    let dispute = json!({"provider": "bank", "payment": "inv-1", "ref": "d", "amount": 250, "status": "open"});
    shop.api
        .post("/v1/users/ann/disputes", dispute)
        .await
        .expect(201);
    let boosts = shop.get("boosts").await;
    let boost = &boosts["boosts"][0];
    assert_eq!(boost["id"], "bank:inv-1:1");
    let shown = json!([
        boost["granted"],
        boost["used"],
        boost["remaining"],
        boost["revoked"],
        boost["frozen"]
    ]);
    assert_eq!(shown, json!([15, 6, 4, 5, 5]), "{boost}");
    let other = json!({"boost": {"feature": "requests", "amount": 21}});
    let refused = shop.book("inv-1", other).await.expect(409).body;
    assert_eq!(refused["code"], "payment_differs");
}

async fn p16_a_line_that_buys_nothing_possible_is_refused_by_its_field(shop: Shop) {
    let boost = |feature: &str| json!({"feature": feature, "amount": 1});
    let cases = [
        (json!({}), 422, "/lines/0/credits"),
        (
            json!({"credits": 1, "boost": boost("requests")}),
            422,
            "/lines/0/boost",
        ),
        (
            json!({"priority": 1, "boost": boost("requests")}),
            422,
            "/lines/0/priority",
        ),
        (
            json!({"boost": boost("albums")}),
            422,
            "/lines/0/boost/feature",
        ),
        (
            json!({"boost": boost("nope")}),
            404,
            "/lines/0/boost/feature",
        ),
    ];
    for (line, status, field) in cases {
        let refused = shop.book("inv-1", line.clone()).await.expect(status).body;
        assert_eq!(refused["errors"][0]["pointer"], field, "{line}: {refused}");
    }
    shop.api.get("/v1/payments/bank/inv-1").await.expect(404);
}

/// P13, S11: Stripe bills it with the plan; a checkout for it names that way.
async fn p13_an_add_on_goes_to_the_subscription_that_runs(shop: Shop) {
    shop.bought(&json!({"plan": "pro"})).await;
    let refused = shop
        .check_out(&json!({"plan": "more"}))
        .await
        .expect(409)
        .body;
    assert_eq!(refused["code"], "already_subscribed");
    let detail = refused["detail"].as_str().expect("a detail");
    assert!(detail.contains("addons/more"), "{detail}");
    let path = "/v1/users/ann/addons/more";
    let set = shop
        .api
        .put(path, json!({"quantity": 2}))
        .await
        .expect(200)
        .body;
    assert_eq!(set["changed"], "subscription_synced", "{set}");
    let addons = shop.get("addons").await;
    assert_eq!(addons["addons"][0]["quantity"], 2, "{addons}");
    let until = json!({"quantity": 2, "ends_at": "2100-01-01T00:00:00Z"});
    let refused = shop.api.put(path, until).await.expect(409).body;
    assert_eq!(refused["code"], "held_by_provider");
    shop.api.delete(path).await.expect(200);
    let addons = shop.get("addons").await;
    assert_eq!(addons["addons"], json!([]));
}
