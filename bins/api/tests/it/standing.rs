//! How things stand with the provider: told by the probe, and nothing else stops (P16, S10).

use std::sync::Arc;

use chrono::TimeDelta;
use quota_core::ports::{BillingStore, Storage};
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, FakeStripe, Fault, FaultKind, When};

use crate::api_under_test::Api;
use crate::connected::{CATALOG, connecting};
use crate::stores::on_every_store_with;

on_every_store_with!(
    shop,
    a_provider_that_cannot_be_connected_is_told_and_serving_goes_on,
    a_dead_key_is_told_until_it_works_again,
    a_permission_that_is_missing_is_told_for_an_hour,
    p16_payments_of_the_provider_that_is_connected_are_told_by_nobody_else,
);

struct Shop {
    api: Api,
    fake: FakeStripe,
    billing: quota_service::billing::Billing,
}

/// A shop that has not asked anything of its provider, and a user of it.
async fn shop<S: Storage + BillingStore + 'static>(store: Arc<S>) -> Shop {
    let fake = FakeStripe::start().await;
    fake.pack("price_pack", 900);
    let (api, billing) = connecting(store, &fake).await;
    api.apply(CATALOG).await;
    api.user("ann", None).await;
    Shop { api, fake, billing }
}

impl Shop {
    /// What the probe says of the provider; it is ready all the same.
    async fn told(&self) -> (String, String) {
        let ready = self.api.get("/readyz").await.expect(200).body;
        let word = |name: &str| ready[name].as_str().expect("a text").to_owned();
        (word("status"), word("provider"))
    }

    /// A customer who bought 500 credits.
    async fn bought(&self) -> String {
        let customer = self.fake.customer(Card::Good);
        let link = format!("/v1/billing/customers/{customer}");
        let ann = json!({"account": "user:ann"});
        self.api.put(&link, ann).await.expect(200);
        let invoice = self.fake.invoice(&customer, &[("price_pack", 1)]);
        self.fake.pay_invoice(&invoice);
        self.api.pass(TimeDelta::seconds(1));
        let claim = json!({"object": {"kind": "invoice", "id": invoice}});
        let claimed = self.api.post("/v1/users/ann/purchases/claim", claim).await;
        claimed.expect(200);
        invoice
    }
}

async fn a_provider_that_cannot_be_connected_is_told_and_serving_goes_on(shop: Shop) {
    let (status, told) = shop.told().await;
    assert_eq!(
        (status.as_str(), told.as_str()),
        ("degraded", "stripe is not connected yet")
    );
    shop.fake.set_key_dead(true);
    shop.billing
        .connection()
        .await
        .expect_err("the key is dead");
    let (status, told) = shop.told().await;
    assert_eq!(status, "degraded");
    assert!(told.contains("stripe"), "{told}");
    shop.api.get("/v1/users/ann/overview").await.expect(200);
    shop.fake.set_key_dead(false);
    shop.billing.connection().await.expect("it is connected");
    assert_eq!(shop.told().await, ("ok".to_owned(), "ok".to_owned()));
}

async fn a_dead_key_is_told_until_it_works_again(shop: Shop) {
    shop.bought().await;
    assert_eq!(shop.told().await.0, "ok");
    shop.fake.set_key_dead(true);
    let sync = "/v1/users/ann/sync";
    let refused = shop.api.post(sync, json!({})).await.expect(502).body;
    assert_eq!(refused["code"], "provider_key_refused");
    let (status, told) = shop.told().await;
    assert_eq!(status, "degraded");
    assert!(told.starts_with("stripe: "), "{told}");
    shop.api.consume("ann", "requests", 1).await.expect(200);
    shop.fake.set_key_dead(false);
    shop.api.post(sync, json!({})).await.expect(200);
    assert_eq!(shop.told().await.0, "ok");
}

async fn a_permission_that_is_missing_is_told_for_an_hour(shop: Shop) {
    shop.bought().await;
    let permission = "rak_customer_portal_write".to_owned();
    shop.fake.fault(Fault::once(
        "POST /v1/billing_portal",
        FaultKind::Forbidden(permission.clone()),
        When::Before,
    ));
    let portal = json!({"account": "user:ann", "return_url": "https://app.example/"});
    shop.api
        .post("/v1/portal", portal.clone())
        .await
        .expect(502);
    // What else works says nothing of this.
    shop.api
        .post("/v1/users/ann/sync", json!({}))
        .await
        .expect(200);
    let (status, told) = shop.told().await;
    assert_eq!(status, "degraded");
    assert!(told.contains(&permission), "{told}");
    shop.api.pass(TimeDelta::minutes(59));
    assert_eq!(shop.told().await.0, "degraded");
    shop.api.pass(TimeDelta::minutes(1));
    assert_eq!(shop.told().await.0, "ok");
}

/// P16: a row is only changed by its own provider.
async fn p16_payments_of_the_provider_that_is_connected_are_told_by_nobody_else(shop: Shop) {
    let invoice = shop.bought().await;
    let path = format!("/v1/payments/stripe/{invoice}");
    let before = shop.api.get(&path).await.expect(200).body;
    assert_eq!(before["mode"], "test", "{before}");
    let purchase = json!({"provider": "stripe", "ref": "pi_made_up", "amount": 900, "currency": "usd",
        "lines": [{"ref": "1", "credits": 1_000_000}]});
    let about = |of: &str| json!({"provider": "stripe", "payment": invoice, "ref": "r", "amount": 900, "status": of});
    for (step, body) in [
        ("purchases", purchase.clone()),
        ("refunds", about("succeeded")),
        ("disputes", about("lost")),
    ] {
        let step = format!("/v1/users/ann/{step}");
        let refused = shop.api.post(&step, body).await.expect(409).body;
        assert_eq!(refused["code"], "provider_tells_itself", "{step}");
        assert_eq!(refused["errors"][0]["pointer"], "/provider", "{step}");
    }
    assert_eq!(shop.api.get(&path).await.expect(200).body, before);
    let credits = shop.api.get("/v1/users/ann/credits").await.expect(200).body;
    assert_eq!(credits["balance"], 500, "{credits}");
    let mut of_a_bank = purchase;
    of_a_bank["provider"] = Value::from("bank");
    let booked = shop.api.post("/v1/users/ann/purchases", of_a_bank).await;
    booked.expect(201);
}
