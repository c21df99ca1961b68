//! Accounts, overrides, tokens, subscriptions, credits, resets: made, read and changed.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};

#[tokio::test]
async fn accounts_are_made_read_changed_and_listed_in_pages() {
    let api = Api::in_memory().await;
    let made = api
        .post(
            "/v1/users",
            json!({"id": "ann", "time_zone": "Europe/Berlin"}),
        )
        .await;
    let made = made.expect(201);
    assert_eq!(made.body["changed"], "account_created");
    assert_eq!(made.body["account"], "user:ann");
    let same = api
        .put("/v1/users/ann", json!({"time_zone": "Europe/Berlin"}))
        .await
        .expect(200);
    assert_eq!(same.body["changed"], "nothing");
    api.patch(
        "/v1/users/ann",
        json!({"disabled": true, "reason": "fraud"}),
    )
    .await
    .expect(200);
    let ann = api.get("/v1/users/ann").await.expect(200);
    assert_eq!(ann.body["kind"], "user");
    assert_eq!(ann.body["time_zone"], "Europe/Berlin");
    assert_eq!(ann.body["disabled"], true);
    assert_eq!(ann.body["unlimited"], false);
    for id in ["ben", "cleo"] {
        api.post("/v1/users", json!({"id": id})).await.expect(201);
    }
    api.post("/v1/orgs", json!({"id": "acme", "policy": "track"}))
        .await
        .expect(201);
    let orgs = api.get("/v1/orgs").await.expect(200);
    assert_eq!(orgs.body["items"][0]["policy"], "track");
    assert_eq!(orgs.body["items"].as_array().map(Vec::len), Some(1));
    let mut seen = Vec::new();
    let mut path = "/v1/users?limit=2".to_owned();
    loop {
        let page = api.get(&path).await.expect(200);
        let items = page.body["items"].as_array().expect("a list");
        seen.extend(items.iter().map(|item| item["id"].clone()));
        match page.body["next"].as_str() {
            Some(next) => path = format!("/v1/users?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [json!("ann"), json!("ben"), json!("cleo")]);
}

#[tokio::test]
async fn every_write_is_repeatable_by_its_key() {
    // X1: every write takes an idempotency key; the second gets the first answer again.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    let boost = json!({"id": "sale", "feature": "articles_per_month", "amount": 5});
    let post = |path: &'static str, body: Value| (Method::POST, path, body);
    let cap = |path: &'static str, amount: u64| (Method::PUT, path, json!({"amount": amount}));
    let no_cap = |path: &'static str| (Method::DELETE, path, Value::Null);
    let subscription = "/v1/users/ann/subscription";
    let writes = [
        post("/v1/users", json!({"id": "ben"})),
        post("/v1/users/ann/tokens", json!({"id": "ci", "cap": 5})),
        post("/v1/users/ann/credits", json!({"id": "pack", "amount": 5})),
        post("/v1/users/ann/boosts", boost),
        cap("/v1/users/ann/spend-cap", 800),
        no_cap("/v1/users/ann/spend-cap"),
        cap("/v1/orgs/acme/spend-cap", 900),
        no_cap("/v1/orgs/acme/spend-cap"),
        post(
            "/v1/users/ann/subscription/change-plan",
            json!({"plan": "article_free"}),
        ),
        post("/v1/users/ann/subscription/cancel", json!({"when": "now"})),
        post(subscription, json!({"plan": "article_pro"})),
        post("/v1/users/ann/reset", json!({})),
    ];
    for (number, (method, path, body)) in writes.iter().enumerate() {
        let key = format!("w-{number}");
        let first = keyed(&api, (method, *path), &key, body).await;
        assert!(first.status < 300, "{method} {path}: {}", first.text);
        let again = keyed(&api, (method, *path), &key, body).await;
        assert_eq!(
            again.header("idempotent-replayed"),
            Some("true"),
            "{method} {path}: {}",
            again.text
        );
        assert_eq!(again.status, first.status, "{method} {path}");
        assert_eq!(again.body["id"], first.body["id"], "{method} {path}");
    }
    let credits = api.get("/v1/users/ann/credits").await.expect(200);
    assert_eq!(credits.body["balance"], 5);
}

/// Sends a write under an idempotency key; without a body where there is none to send.
async fn keyed(api: &Api, (method, path): (&Method, &str), key: &str, body: &Value) -> Answer {
    let headers = [
        ("idempotency-key", key),
        ("content-type", "application/json"),
    ];
    let (headers, bytes) = if body.is_null() {
        (&headers[..1], Vec::new())
    } else {
        (&headers[..], body.to_string().into_bytes())
    };
    api.send(method.clone(), path, headers, bytes).await
}

#[tokio::test]
async fn an_override_is_set_shown_and_cleared() {
    // F6: beats the plan's value, up or down; storage is shown in MB and kept in bytes.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let path = "/v1/users/ann/overrides/storage_space";
    api.put(path, json!({"limit": 200, "reason": "promised"}))
        .await
        .expect(200);
    let ann = api.get("/v1/users/ann").await.expect(200);
    let own = &ann.body["overrides"]["storage_space"];
    assert_eq!(own["limit"], 200);
    assert_eq!(own["reason"], "promised");
    assert_eq!(own["actor"], "admin of the test");
    let standing = api.standing("users/ann", "storage_space").await;
    assert_eq!(standing["granted"], 200 * 1_048_576);
    assert_eq!(standing["plan_value"], 100 * 1_048_576);
    api.put(path, json!({"limit": -1})).await.expect(200);
    let standing = api.standing("users/ann", "storage_space").await;
    assert_eq!(standing["granted"], "unlimited");
    assert_eq!(standing["unlimited"], true);
    api.delete(path).await.expect(200);
    let standing = api.standing("users/ann", "storage_space").await;
    assert_eq!(standing["granted"], 100 * 1_048_576);
}

#[tokio::test]
async fn tokens_are_made_listed_changed_and_revoked() {
    // T1, T2, U7.
    let api = Api::in_memory().await;
    api.put("/v1/users/ann", json!({"unlimited": true}))
        .await
        .expect(201);
    api.post("/v1/users/ann/tokens", json!({"id": "free"}))
        .await
        .expect(201);
    api.put("/v1/users/ann/tokens/ci", json!({"cap": 10}))
        .await
        .expect(201);
    let twice = api
        .post("/v1/users/ann/tokens", json!({"id": "ci", "cap": 1}))
        .await
        .expect(409);
    assert_eq!(twice.body["code"], "token_exists");
    assert_eq!(twice.body["errors"][0]["pointer"], "/id");
    let ask = json!({"user": "ann", "token": "ci", "feature": "llm_tokens", "amount": 4});
    api.post("/v1/consume", ask).await.expect(200);
    let tokens = api.get("/v1/users/ann/tokens").await.expect(200);
    let items = tokens.body["items"].as_array().expect("a list");
    assert_eq!(items[0]["id"], "ci");
    assert_eq!(items[0]["balance"]["remaining"], 6);
    assert_eq!(
        items[1]["cap"], "unlimited",
        "U7: made by an unlimited user"
    );
    api.delete("/v1/users/ann/tokens/ci").await.expect(200);
    let tokens = api.get("/v1/users/ann/tokens").await.expect(200);
    assert!(tokens.body["items"][0]["revoked_at"].is_string());
    let path = "/v1/users/ann/tokens/ci";
    let late = api.patch(path, json!({"cap": 20})).await.expect(409);
    assert_eq!(late.body["errors"][0]["parameter"], "token");
}

#[tokio::test]
async fn a_subscription_is_started_renewed_changed_and_canceled() {
    // S1, S4, S5, S8.
    let api = Api::in_memory().await;
    api.user("ann", None).await;
    let none = api.get("/v1/users/ann/subscription").await.expect(404);
    assert_eq!(none.body["code"], "no_subscription");
    api.subscribe("users/ann", json!({"plan": "article_pro"}))
        .await;
    api.consume("ann", "articles_per_month", 10)
        .await
        .expect(200);
    let renew = "/v1/users/ann/subscription/renew";
    api.send(Method::POST, renew, &[], Vec::new())
        .await
        .expect(200);
    let held = api.get("/v1/users/ann/subscription").await.expect(200);
    assert_eq!(held.body["ends_at"], "2026-12-20T12:00:00Z");
    assert_eq!(held.body["upcoming"][0]["ends_at"], "2027-01-20T12:00:00Z");
    api.pass(TimeDelta::days(30));
    let held = api.get("/v1/users/ann/subscription").await.expect(200);
    assert_eq!(held.body["starts_at"], "2026-12-20T12:00:00Z");
    let change = "/v1/users/ann/subscription/change-plan";
    let cheaper = json!({"plan": "article_free", "when": "period_end"});
    api.post(change, cheaper).await.expect(200);
    let held = api.get("/v1/users/ann/subscription").await.expect(200);
    assert_eq!(held.body["scheduled"]["plan"], "article_free");
    let keep = json!({"plan": "article_free", "when": "now", "usage": "keep"});
    api.consume("ann", "articles_per_month", 7)
        .await
        .expect(200);
    api.post(change, keep).await.expect(200);
    let over = api.standing("users/ann", "articles_per_month").await;
    assert_eq!(
        (&over["used"], &over["remaining"]),
        (&json!(7), &json!(0)),
        "S6"
    );
    let status = "/v1/users/ann/subscription/status";
    api.post(status, json!({"status": "past_due"}))
        .await
        .expect(200);
    let held = api.get("/v1/users/ann/subscription").await.expect(200);
    assert_eq!(held.body["in_force"], true, "S2: within the grace");
    let cancel = "/v1/users/ann/subscription/cancel";
    api.post(cancel, json!({"when": "now"})).await.expect(200);
    let held = api.get("/v1/users/ann/subscription").await.expect(200);
    assert_eq!(held.body["status"], "canceled");
    assert_eq!(held.body["in_force"], false);
    let denied = api
        .consume("ann", "articles_per_month", 1)
        .await
        .expect(403);
    assert_eq!(denied.body["reason"], "subscription_expired");
}

#[tokio::test]
async fn credits_are_granted_once_and_a_reset_sets_what_was_used_to_nothing() {
    // F5, X6.
    let api = Api::in_memory().await;
    api.user("ann", Some("shop_premium")).await;
    api.credits("users/ann", "pack", 5).await;
    let twice = api
        .post("/v1/users/ann/credits", json!({"id": "pack", "amount": 9}))
        .await;
    let twice = twice.expect(409);
    assert_eq!(twice.body["code"], "grant_exists");
    assert_eq!(twice.body["errors"][0]["pointer"], "/id");
    api.consume("ann", "try_on", 12).await.expect(200);
    let reset = json!({"features": ["try_on"], "reason": "goodwill"});
    let done = api.post("/v1/users/ann/reset", reset).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let standing = api.standing("users/ann", "try_on").await;
    assert_eq!(standing["used"], 0);
    let ledger = api.get("/v1/users/ann/ledger?limit=1").await.expect(200);
    assert_eq!(ledger.body["items"][0]["kind"], "reset");
    assert_eq!(ledger.body["items"][0]["origin"]["reason"], "goodwill");
    let wallet = api.get("/v1/users/ann/credits").await.expect(200);
    assert_eq!(wallet.body["grants"][0]["remaining"], 3);
    assert_eq!(wallet.body["grants"][0]["id"], "pack");
}

#[tokio::test]
async fn the_ledger_is_read_in_pages_newest_first() {
    // X7: every accepted effect has entries that say who, what and why.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    for _ in 0..3 {
        api.consume("ann", "articles_per_month", 1)
            .await
            .expect(200);
    }
    let mut seen = Vec::new();
    let mut path = "/v1/users/ann/ledger?limit=2".to_owned();
    loop {
        let page = api.get(&path).await.expect(200);
        let items = page.body["items"].as_array().expect("a list");
        seen.extend(items.iter().filter_map(|item| item["sequence"].as_u64()));
        match page.body["next"].as_str() {
            Some(next) => path = format!("/v1/users/ann/ledger?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    // X8: a place in one ledger is none in another.
    api.user("ben", Some("article_pro")).await;
    let first = api.get("/v1/users/ann/ledger?limit=2").await.expect(200);
    let next = first.body["next"].as_str().expect("there are more");
    let path = format!("/v1/users/ben/ledger?after={next}");
    let refused = api.get(&path).await.expect(422);
    assert_eq!(
        refused.body["code"], "invalid_parameter",
        "{}",
        refused.text
    );
    assert_eq!(refused.body["errors"][0]["parameter"], "after");
    let page = api.get("/v1/users/ann/ledger").await.expect(200);
    let newest = &page.body["items"][0];
    assert_eq!(newest["entries"][0]["account"], "user:ann");
    assert_eq!(newest["entries"][0]["feature"], "articles_per_month");
    assert_eq!(newest["entries"][0]["source"], "allowance");
    assert_eq!(newest["entries"][0]["used"], 1);
    assert_eq!(newest["origin"]["actor"], "admin of the test");
}
