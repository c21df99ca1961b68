//! The edges: routes that are not there, too much at once, a store that is down.

use std::sync::Arc;

use http_api::ApiSettings;
use quota_core::ports::StoreError;
use reqwest::Method;
use serde_json::json;
use testkit::memory::MemoryStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::api_under_test::Api;

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let api = Api::in_memory().await;
    let missing = api.get("/v1/nothing").await.expect(404);
    assert_eq!(missing.body["code"], "not_found");
    assert_eq!(
        missing.header("content-type"),
        Some("application/problem+json")
    );
    let method = api.get("/v1/consume").await.expect(405);
    assert_eq!(method.body["code"], "method_not_allowed");
    assert_eq!(method.header("allow"), Some("POST"));
    assert_eq!(
        method.header("content-type"),
        Some("application/problem+json")
    );
    let body = b"user=ann".to_vec();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let media = api
        .send(Method::POST, "/v1/consume", &form, body)
        .await
        .expect(415);
    assert_eq!(media.body["code"], "unsupported_media_type");
}

#[tokio::test]
async fn a_request_has_an_id_and_the_ledger_keeps_it() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let body = json!({"user": "ann", "feature": "articles_per_month", "amount": 1}).to_string();
    let json = ("content-type", "application/json");
    let own = [json, ("x-request-id", "req-7")];
    let answer = api
        .send(Method::POST, "/v1/consume", &own, body.clone().into())
        .await;
    assert_eq!(answer.header("x-request-id"), Some("req-7"));
    let ledger = api.get("/v1/users/ann/ledger?limit=1").await;
    assert_eq!(ledger.body["items"][0]["origin"]["request_id"], "req-7");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = [json, ("traceparent", trace)];
    let answer = api
        .send(Method::POST, "/v1/consume", &traced, body.into())
        .await;
    assert_eq!(
        answer.header("x-request-id"),
        Some("4bf92f3577b34da6a3ce929d0e0e4736")
    );
    let made = ledger.header("x-request-id").expect("an id of its own");
    assert_eq!(made.len(), 32);
}

#[tokio::test]
async fn a_store_that_is_down_is_503_and_nothing_of_it_is_shown() {
    let store = Arc::new(MemoryStore::new());
    let api = Api::over(Arc::clone(&store) as Arc<dyn quota_core::ports::Storage>).await;
    api.user("ann", Some("article_free")).await;
    let ask = json!({"user": "ann", "feature": "articles_per_month", "amount": 1});
    store.fail_next(1_000_000);
    let down = api.post_keyed("/v1/consume", "k-1", &ask).await.expect(503);
    assert!(down.header("retry-after").is_some(), "{}", down.text);
    assert_eq!(
        down.header("content-type"),
        Some("application/problem+json")
    );
    let ready = api.get("/readyz").await.expect(503);
    assert_eq!(ready.body["code"], "store_unavailable");
    api.get("/healthz").await.expect(200);
    store.fail_next(0);
    api.get("/readyz").await.expect(200);
    let up = api.post_keyed("/v1/consume", "k-1", &ask).await.expect(200);
    assert_eq!(up.body["balances"][0]["used"], 1);
}

#[tokio::test]
async fn a_full_store_is_503_by_name_and_readiness_says_so() {
    let store = Arc::new(MemoryStore::new());
    let api = Api::over(Arc::clone(&store) as Arc<dyn quota_core::ports::Storage>).await;
    api.user("ann", Some("article_free")).await;
    let ask = json!({"user": "ann", "feature": "articles_per_month", "amount": 1});
    for (error, code) in [
        (StoreError::Full("no space".into()), "store_full"),
        (StoreError::ReadOnly("standby".into()), "store_read_only"),
    ] {
        store.refuse_writes(Some(error));
        let full = api.post_keyed("/v1/consume", code, &ask).await.expect(503);
        assert_eq!(full.body["code"], code);
        assert!(full.header("retry-after").is_some(), "{}", full.text);
        assert!(!full.text.contains("no space"), "{}", full.text);
        api.post("/v1/check", ask.clone()).await.expect(200);
        let ready = api.get("/readyz").await.expect(200);
        let told = (&ready.body["status"], &ready.body["writes"]);
        assert_eq!(told, (&json!("degraded"), &json!(code)));
        store.refuse_writes(None);
        api.post_keyed("/v1/consume", code, &ask).await.expect(200);
        let ready = api.get("/readyz").await.expect(200);
        let told = (&ready.body["status"], &ready.body["writes"]);
        assert_eq!(told, (&json!("ok"), &json!("ok")));
    }
}

#[tokio::test]
async fn more_requests_than_are_set_are_refused_and_probes_are_answered() {
    let settings = ApiSettings {
        requests_max: 0,
        ..ApiSettings::default()
    };
    let api = Api::bare(Arc::new(MemoryStore::new()), settings).await;
    let answer = api.get("/v1/users").await.expect(503);
    assert_eq!(answer.body["code"], "overloaded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    api.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let settings = ApiSettings {
        request_timeout: std::time::Duration::from_nanos(1),
        ..ApiSettings::default()
    };
    let api = Api::bare(Arc::new(MemoryStore::new()), settings).await;
    // The body never comes whole: the request waits for it until its time is up.
    let mut stream = tokio::net::TcpStream::connect(api.address.trim_start_matches("http://"))
        .await
        .expect("a connection");
    let head = format!(
        "POST /v1/consume HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        api.admin
    );
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).await.expect("an answer");
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(text.starts_with("HTTP/1.1 503"), "{text}");
    assert!(text.contains("\"code\":\"timeout\""), "{text}");
}

/// Counters are of the whole process, which other tests may share: only of a feature of its own is the number known.
#[tokio::test]
async fn metrics_name_features_and_routes_and_no_user() {
    let metrics = runtime::Metrics::install().expect("once in a process");
    let settings = ApiSettings {
        metrics: Some(Arc::new(move || metrics.render())),
        metrics_open: true,
        ..ApiSettings::default()
    };
    let api = Api::bare(Arc::new(MemoryStore::new()), settings).await;
    api.apply(
        r#"
        [[feature]]
        code = "metered"
        name = "Metered"
        unit = "piece"
        kind = "consumable"
        cadence = "monthly"
        [[plan]]
        code = "five"
        name = "Five"
        price = 0
        limits = { metered = 5 }
        "#,
    )
    .await;
    api.user("ann-of-metrics", Some("five")).await;
    for (feature, amount, status) in [
        ("metered", 1, 200),
        ("made-up", 1, 404),
        ("metered", 9, 429),
    ] {
        api.consume("ann-of-metrics", feature, amount)
            .await
            .expect(status);
    }
    let text = api.get("/metrics").await.expect(200).text;
    for line in [
        "quota_consume_total{feature=\"metered\",status=\"allowed\"} 1\n",
        "quota_consume_total{feature=\"metered\",status=\"limit_reached\"} 1\n",
        r#"quota_consume_total{feature="unknown",status="unknown_feature"} "#,
        r#"http_requests_total{method="POST",route="/v1/consume",status="429"} "#,
        r#"quota_decide_duration_seconds_bucket{operation="consume""#,
        "quota_batch_size",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("ann-of-metrics"), "no user is a label");
    assert!(
        !text.contains("made-up"),
        "what callers make up is no label"
    );
}
