//! Keys: what each scope may do, and what no key or a wrong one may.

use quota_core::ports::KeyScope;
use reqwest::Method;
use serde_json::json;

use crate::api_under_test::{Answer, Api};

async fn with(api: &Api, secret: &str, method: Method, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {secret}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    api.send(method, path, &headers, body.as_bytes().to_vec())
        .await
}

const SPEND: &str = r#"{"user":"ann","feature":"articles_per_month","amount":1}"#;

#[tokio::test]
async fn a_read_key_looks_and_never_spends() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let before = api.everything_of("users/ann").await;
    let read = api.engine.create_key("reader", KeyScope::Read).await;
    let read = read.expect("a key").secret;
    with(&api, &read, Method::POST, "/v1/check", SPEND)
        .await
        .expect(200);
    with(&api, &read, Method::GET, "/v1/users/ann/overview", "")
        .await
        .expect(200);
    let spending = [
        (Method::POST, "/v1/consume"),
        (Method::POST, "/v1/track"),
        (Method::POST, "/v1/batch"),
        (Method::POST, "/v1/reservations"),
        (Method::POST, "/v1/capacity/release"),
        (Method::PUT, "/v1/users/ann"),
        (Method::POST, "/v1/users/ann/credits"),
        (Method::POST, "/v1/users/ann/boosts"),
        (Method::POST, "/v1/users/ann/redeem"),
        (Method::POST, "/v1/codes"),
        (Method::DELETE, "/v1/users/ann/boosts/sale"),
        (Method::DELETE, "/v1/users/ann/credits/pack"),
        (Method::PUT, "/v1/users/ann/spend-cap"),
        (Method::DELETE, "/v1/users/ann/spend-cap"),
        (Method::POST, "/v1/users/ann/subscription/cancel"),
        (Method::POST, "/v1/users/ann/subscription/resume"),
        (Method::PUT, "/v1/users/ann/subscription/seats"),
        (Method::PUT, "/v1/users/ann/addons/more"),
        (Method::DELETE, "/v1/users/ann/addons/more"),
        (Method::POST, "/v1/users/ann/reset"),
        (Method::POST, "/v1/users/ann/sync"),
        (Method::POST, "/v1/users/ann/purchases/claim"),
        (Method::PUT, "/v1/billing/customers/cus_1"),
        (Method::DELETE, "/v1/billing/customers/cus_1"),
        (Method::POST, "/v1/billing/events/evt_1/replay"),
        (
            Method::POST,
            "/v1/billing/problems/stripe:test:unknown_payer:x/retry",
        ),
        (
            Method::POST,
            "/v1/billing/problems/stripe:test:unknown_payer:x/settle",
        ),
        (Method::POST, "/v1/checkout"),
        (Method::GET, "/v1/checkout/cs_1"),
        (Method::POST, "/v1/portal"),
    ];
    for (method, path) in spending {
        let answer = with(&api, &read, method, path, SPEND).await.expect(403);
        assert_eq!(answer.body["code"], "insufficient_scope", "{path}");
    }
    assert_eq!(api.everything_of("users/ann").await, before);
}

#[tokio::test]
async fn a_write_key_does_not_administer() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let write = api.engine.create_key("app", KeyScope::Write).await;
    let write = write.expect("a key").secret;
    with(&api, &write, Method::POST, "/v1/consume", SPEND)
        .await
        .expect(200);
    for (method, path) in [
        (Method::GET, "/v1/keys"),
        (Method::POST, "/v1/catalog/apply"),
        (Method::POST, "/v1/jobs/prune/run"),
        (Method::GET, "/metrics"),
    ] {
        let answer = with(&api, &write, method, path, "{}").await.expect(403);
        assert_eq!(answer.body["code"], "insufficient_scope", "{path}");
    }
    let ledger = api.get("/v1/users/ann/ledger?limit=1").await.expect(200);
    assert_eq!(ledger.body["items"][0]["origin"]["actor"], "app");
}

#[tokio::test]
async fn without_a_key_or_with_a_revoked_one_nothing_is_answered() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let before = api.everything_of("users/ann").await;
    let none = [("authorization", ""), ("content-type", "application/json")];
    let answer = api
        .send(Method::POST, "/v1/consume", &none, SPEND.into())
        .await
        .expect(401);
    assert_eq!(answer.body["code"], "unauthorized");
    assert!(answer.header("www-authenticate").is_some(), "it says how");
    for secret in ["quota_0", "", "x y"] {
        with(&api, secret, Method::POST, "/v1/consume", SPEND)
            .await
            .expect(401);
    }
    let made = json!({"name": "short", "scope": "write"});
    let made = api.post("/v1/keys", made).await.expect(201);
    let secret = made.body["secret"].as_str().expect("a secret").to_owned();
    let id = made.body["id"].as_str().expect("an id").to_owned();
    let check = with(&api, &secret, Method::POST, "/v1/check", SPEND).await;
    assert_eq!(check.status, 200);
    api.delete(&format!("/v1/keys/{id}")).await.expect(204);
    let answer = with(&api, &secret, Method::POST, "/v1/consume", SPEND)
        .await
        .expect(401);
    assert_eq!(answer.body["code"], "key_revoked");
    let listed = api.get("/v1/keys").await.expect(200);
    assert!(!listed.text.contains(&secret), "a secret is shown once");
    assert_eq!(api.everything_of("users/ann").await, before);
    let unknown = "/v1/keys/00000000-0000-7000-8000-000000000000";
    api.delete(unknown).await.expect(404);
}

#[tokio::test]
async fn probes_and_the_document_need_no_key_and_x_api_key_is_one() {
    let api = Api::in_memory().await;
    let none = [("authorization", "")];
    for path in ["/healthz", "/readyz", "/openapi.json", "/docs/"] {
        let answer = api.send(Method::GET, path, &none, Vec::new()).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let client = reqwest::Client::new();
    let users = client.get(format!("{}/v1/users", api.address));
    let answer = users.header("x-api-key", &api.admin).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
}
