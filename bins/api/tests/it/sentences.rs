//! What refusals say: what is wrong, in which field, and what to do next (X8).

use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};

/// The detail of an answer.
pub fn said(answer: &Answer) -> &str {
    answer.body["detail"].as_str().expect("a detail")
}

async fn check(api: &Api, feature: &str) -> Value {
    let ask = json!({"user": "ann", "feature": feature, "amount": 1});
    api.post("/v1/check", ask).await.expect(200).body
}

/// A field that stays as it is when it is absent is not `null`, which would say nothing.
#[tokio::test]
async fn what_keeps_its_value_is_not_null() {
    let api = Api::in_memory().await;
    let token = "/v1/users/ann/tokens/ci";
    for (path, field) in [
        (token, "cap"),
        (token, "per"),
        (token, "expires_at"),
        ("/v1/users/ann", "time_zone"),
        ("/v1/users/ann", "disabled"),
        ("/v1/users/ann", "unlimited"),
        ("/v1/orgs/acme", "policy"),
    ] {
        let refused = api.patch(path, json!({field: null})).await.expect(422);
        let error = &refused.body["errors"][0];
        assert_eq!(error["pointer"], format!("/{field}"), "{}", refused.text);
        let why = "must not be null: leave it out, and it stays as it is";
        assert_eq!(error["detail"], why, "{}", refused.text);
    }
}

/// S1 and F7: what is unpaid says so, and what to do, in a check and where it would be renewed; paid for, it grants again.
#[tokio::test]
async fn what_is_unpaid_says_so_and_is_not_renewed() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let status = |status: &str| json!({"status": status});
    let at = "/v1/users/ann/subscription";
    api.post(&format!("{at}/status"), status("unpaid")).await;
    let denied = check(&api, "articles_per_month").await;
    assert_eq!(denied["reason"], "subscription_expired");
    let why = "the user's subscription is unpaid, and nothing else can pay for `articles_per_month`: once it is paid, set its \
               status to `active` with `POST …/subscription/status`";
    assert_eq!(denied["detail"], why);
    let spent = api.consume("ann", "articles_per_month", 1).await;
    assert_eq!(said(&spent.expect(403)), why, "as the denial says");
    let refused = api.post(&format!("{at}/renew"), json!({})).await;
    let refused = refused.expect(409);
    assert_eq!(refused.body["code"], "not_in_force");
    assert!(said(&refused).contains("unpaid"), "{}", refused.text);
    api.post(&format!("{at}/status"), status("active")).await;
    assert_eq!(check(&api, "articles_per_month").await["allowed"], true);
}

/// X1: a key that stands for something else says for what.
#[tokio::test]
async fn a_key_that_was_used_says_for_what() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let key = [
        ("idempotency-key", "k-1"),
        ("content-type", "application/json"),
    ];
    let ask = |amount: u64| {
        let body = json!({"user": "ann", "feature": "articles_per_month", "amount": amount});
        body.to_string().into_bytes()
    };
    let send = |path: &'static str, body: Vec<u8>| api.send(Method::POST, path, &key, body);
    send("/v1/consume", ask(1)).await.expect(200);
    for (path, amount) in [("/v1/consume", 2), ("/v1/track", 1)] {
        let refused = send(path, ask(amount)).await.expect(422);
        assert_eq!(refused.body["code"], "idempotency_key_reused");
        let said = said(&refused);
        assert!(
            said.contains("a `consume` at 2026-11-20T12:00:00Z"),
            "{said}"
        );
    }
}

/// X8: a number is told as it was sent, in JSON and in TOML.
#[tokio::test]
async fn a_number_is_refused_as_it_was_sent() {
    let api = Api::in_memory().await;
    let json = [("content-type", "application/json")];
    for sent in ["1e0", "1.0"] {
        let body = format!(r#"{{"user":"ann","feature":"articles_per_month","amount":{sent}}}"#);
        let refused = api.send(Method::POST, "/v1/consume", &json, body.into_bytes());
        let why = format!(
            "/amount: must be a whole number from 1 to 1000000000000000 without a decimal point or an exponent, not {sent}"
        );
        assert_eq!(said(&refused.await.expect(422)), why);
    }
    let plan = "[[plan]]\ncode = \"p\"\nname = \"P\"\nprice = 1e1\n";
    let refused = api.post_toml("/v1/catalog/plan", plan).await.expect(422);
    let why = "line 4, column 9: plan `p`: `price` must be a whole number, 0 or more without a decimal point or an exponent, not 1e1";
    assert_eq!(said(&refused), why);
}

/// X8: a sentence names its field, the maximum and what there is, and what to send.
#[tokio::test]
async fn what_is_refused_names_its_field_and_the_next_step() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let long = "x".repeat(501);
    let id = "i".repeat(129);
    let post = |path: &'static str, body: Value| api.post(path, body);
    let tokens = "/v1/users/ann/tokens";
    let credits = "/v1/users/ann/credits";
    let early = json!({"id": "p", "amount": 1, "expires_at": "2020-01-01T00:00:00Z"});
    let consume =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 1, "reason": long});
    let named = json!({"id": id});
    for (answer, words) in [
        (
            post(tokens, json!({"id": "ci"})).await,
            "/cap: is required, since the user is not unlimited",
        ),
        (
            post(credits, early).await,
            "/expires_at: must be in the future",
        ),
        (
            post("/v1/consume", consume).await,
            "must have 1 to 500 characters, not 501",
        ),
        (
            post("/v1/users", named).await,
            "is too long: it has 129 characters, and may have 128",
        ),
        (post("/v1/orgs", json!({"id": "acme"})).await, ""),
        (
            post("/v1/orgs/acme/subscription/renew", json!({})).await,
            "there is no subscription: start one first with `POST …/subscription`",
        ),
    ] {
        let said = answer.body["detail"].as_str().unwrap_or_default();
        assert!(said.contains(words), "{words}: {}", answer.text);
    }
    let empty = api
        .send(
            Method::POST,
            "/v1/consume",
            &[("content-type", "application/json")],
            Vec::new(),
        )
        .await
        .expect(400);
    assert_eq!(said(&empty), "the body is empty; it must be JSON");
    let nobody = api.get("/v1/users?org=nope").await.expect(404);
    assert_eq!(nobody.body["code"], "unknown_org");
    let ask =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 1, "ttl_seconds": 60});
    let held = api.post("/v1/reservations", ask).await.expect(200);
    let id = held.body["id"].as_str().expect("an id");
    let refund = api
        .post(&format!("/v1/consumptions/{id}/refund"), json!({}))
        .await;
    let words = "is a reservation's id: name an operation";
    assert!(said(&refund.expect(422)).contains(words), "{words}");
}

/// X8: what cannot be read in a file is named by its place, its entry and its key.
#[tokio::test]
async fn a_mistake_in_a_file_names_its_entry() {
    let api = Api::in_memory().await;
    let wrong = "[[plan]]\ncode = \"pro\"\nname = \"Pro\"\nprice = \"much\"\n";
    let refused = api.post_toml("/v1/catalog/plan", wrong).await.expect(422);
    let words = "line 4, column 9: plan `pro`: `price` must be";
    assert!(said(&refused).starts_with(words), "{}", refused.text);
}
