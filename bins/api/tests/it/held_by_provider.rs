//! Changes of a subscription that its provider decides on: asked there first, and here when it says so (S5, S8, S11).

use std::sync::Arc;

use chrono::TimeDelta;
use quota_core::ports::{BillingStore, Storage};
use serde_json::{Value, json};
use testkit::fake_stripe::{Card, FakeStripe, Subscribe};

use crate::api_under_test::{Answer, Api};
use crate::connected::{CATALOG, connected};
use crate::stores::on_every_store_with;

on_every_store_with!(
    shop,
    s5_an_upgrade_acts_at_once_there_and_here,
    s5_a_downgrade_waits_for_the_period_and_is_taken_back,
    s8_an_end_is_set_taken_back_and_set_at_once,
    seats_are_the_quantity_and_use_goes_on,
    what_only_the_provider_does_is_refused,
    a_provider_that_is_away_changes_nothing,
);

struct Shop {
    api: Api,
    fake: FakeStripe,
    subscription: String,
}

const AT: &str = "/v1/users/ann/subscription";

/// A user with the plan `pro` of the provider, who used 10 requests.
async fn shop<S: Storage + BillingStore + 'static>(store: Arc<S>) -> Shop {
    let fake = FakeStripe::start().await;
    fake.plan("price_pro", 2_900);
    fake.plan("price_max", 9_900);
    let api = connected(store, &fake).await;
    api.apply(CATALOG).await;
    api.user("ann", None).await;
    let customer = fake.customer(Card::Good);
    let how = Subscribe {
        items: &[("price_pro", 1)],
        ..Subscribe::default()
    };
    let subscription = fake.subscribe(&customer, &how);
    let path = format!("/v1/billing/customers/{customer}");
    api.put(&path, json!({"account": "user:ann"}))
        .await
        .expect(200);
    api.consume("ann", "requests", 10).await.expect(200);
    let shop = Shop {
        api,
        fake,
        subscription,
    };
    shop.pass();
    shop
}

impl Shop {
    /// Time passes here and there.
    fn pass(&self) {
        self.api.pass(TimeDelta::hours(1));
        self.fake.advance(3_600);
    }

    async fn ask(&self, step: &str, body: Value) -> Answer {
        let answer = self.api.post(&format!("{AT}/{step}"), body).await;
        self.pass();
        answer
    }

    async fn held(&self) -> Value {
        self.api.get(AT).await.expect(200).body
    }

    async fn used(&self) -> u64 {
        let standing = self.api.standing("users/ann", "requests").await;
        standing["used"].as_u64().expect("a number")
    }
}

/// S5, S11: the provider begins a period, and use begins anew with it.
async fn s5_an_upgrade_acts_at_once_there_and_here(shop: Shop) {
    let before = shop.held().await;
    let changed = shop
        .ask("change-plan", json!({"plan": "max"}))
        .await
        .expect(200)
        .body;
    assert_eq!(changed["changed"], "subscription_synced", "{changed}");
    let after = shop.held().await;
    assert_eq!(after["plan"], "max", "{after}");
    assert_ne!(after["starts_at"], before["starts_at"]);
    assert_eq!(shop.used().await, 0);
    let there = shop.fake.object(&shop.subscription);
    assert_eq!(there["items"]["data"][0]["price"]["id"], "price_max");
}

/// S5: listed as scheduled; asking for the plan that goes on takes it back.
async fn s5_a_downgrade_waits_for_the_period_and_is_taken_back(shop: Shop) {
    shop.ask("change-plan", json!({"plan": "max"}))
        .await
        .expect(200);
    shop.ask("change-plan", json!({"plan": "pro"}))
        .await
        .expect(200);
    let waits = shop.held().await;
    assert_eq!(
        (&waits["plan"], &waits["scheduled"]["plan"]),
        (&json!("max"), &json!("pro")),
        "{waits}"
    );
    shop.ask("change-plan", json!({"plan": "max"}))
        .await
        .expect(200);
    let goes_on = shop.held().await;
    assert_eq!(goes_on["scheduled"], Value::Null, "{goes_on}");
}

/// S8: at the period's end unless now is asked for.
async fn s8_an_end_is_set_taken_back_and_set_at_once(shop: Shop) {
    shop.ask("cancel", json!({})).await.expect(200);
    let ends = shop.held().await;
    assert_eq!(ends["cancel_at"], ends["ends_at"], "{ends}");
    shop.ask("resume", json!({})).await.expect(200);
    assert_eq!(shop.held().await["cancel_at"], Value::Null);
    assert_eq!(shop.used().await, 10);
    shop.ask("cancel", json!({"when": "now"})).await.expect(200);
    assert_eq!(shop.held().await["status"], "canceled");
    shop.api.consume("ann", "requests", 1).await.expect(403);
}

/// C12: the period stays, and so does use.
async fn seats_are_the_quantity_and_use_goes_on(shop: Shop) {
    let before = shop.held().await;
    shop.api
        .put(&format!("{AT}/seats"), json!({"seats": 4}))
        .await
        .expect(200);
    shop.pass();
    let after = shop.held().await;
    assert_eq!(
        (&after["seats"], &after["starts_at"]),
        (&json!(4), &before["starts_at"]),
        "{after}"
    );
    assert_eq!(shop.used().await, 10);
    let there = shop.fake.object(&shop.subscription);
    assert_eq!(there["items"]["data"][0]["quantity"], 4);
}

async fn what_only_the_provider_does_is_refused(shop: Shop) {
    for (step, body) in [
        ("/renew", json!({})),
        ("/status", json!({"status": "unpaid"})),
        ("", json!({"plan": "max"})),
    ] {
        let refused = shop.api.post(&format!("{AT}{step}"), body).await;
        assert_eq!(refused.expect(409).body["code"], "held_by_provider");
    }
    let rehearsal = json!({"plan": "max", "dry_run": true});
    shop.ask("change-plan", rehearsal).await.expect(200);
    assert_eq!(shop.held().await["plan"], "pro");
}

async fn a_provider_that_is_away_changes_nothing(shop: Shop) {
    shop.fake.set_key_dead(true);
    let refused = shop.ask("change-plan", json!({"plan": "max"})).await;
    assert_eq!(refused.expect(502).body["code"], "provider_key_refused");
    assert_eq!(shop.held().await["plan"], "pro");
    shop.api.consume("ann", "requests", 1).await.expect(200);
}
