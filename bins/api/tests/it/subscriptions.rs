//! What an operator is told of a subscription: what ends, what goes on, what is dropped (S5, S7, S8).

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};

const AT: &str = "/v1/users/ann/subscription";

async fn held(api: &Api) -> Value {
    api.get(AT).await.expect(200).body
}

async fn ask(api: &Api, verb: &str, body: Value) -> Answer {
    api.post(&format!("{AT}/{verb}"), body).await
}

fn detail(answer: &Answer) -> &str {
    let detail = answer.body["detail"].as_str().expect("a detail");
    assert!(!detail.contains("+00:00"), "{detail}");
    detail
}

/// S5 and S8: a change of plan names the cancellation that it drops; one to the same plan has nothing to do.
#[tokio::test]
async fn a_change_of_plan_names_the_cancellation_that_it_drops() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let same = ask(&api, "change-plan", json!({"plan": "article_pro"})).await;
    assert_eq!(same.expect(200).body["changed"], "nothing");
    ask(&api, "cancel", json!({})).await.expect(200);
    let changed = ask(&api, "change-plan", json!({"plan": "article_free"})).await;
    let changed = changed.expect(200);
    assert_eq!(changed.body["changed"], "plan_change_scheduled");
    let dropped = "; the cancellation at 2026-12-20T12:00:00Z is dropped";
    assert!(detail(&changed).ends_with(dropped), "{}", changed.text);
    let back = ask(&api, "change-plan", json!({"plan": "article_pro"})).await;
    let back = back.expect(200);
    assert_eq!(back.body["changed"], "plan_change_dropped");
    assert!(
        detail(&back).ends_with("; the change to article_free at 2026-12-20T12:00:00Z is dropped")
    );
    let held = held(&api).await;
    assert_eq!(
        (&held["scheduled"], &held["upcoming"]),
        (&Value::Null, &Value::Null)
    );
}

/// S7 and S8: what is canceled does not renew; a free plan with an end renews until it, and a resumption leaves it.
#[tokio::test]
async fn what_renews_says_so_and_until_when() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    assert_eq!(held(&api).await["renews"], true);
    ask(&api, "cancel", json!({})).await.expect(200);
    assert_eq!(held(&api).await["renews"], false);
    let end = "2027-02-01T00:00:00Z";
    let start = json!({"plan": "article_free", "ends_at": end});
    api.post(AT, start).await.expect(200);
    let began = held(&api).await;
    assert_eq!(
        (&began["renews"], &began["cancel_at"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(
        (&began["ends_at"], &began["renews_until"]),
        (&json!("2026-12-20T12:00:00Z"), &json!(end))
    );
    let none = ask(&api, "resume", json!({})).await.expect(409);
    assert_eq!(none.body["code"], "not_canceled");
    ask(&api, "cancel", json!({})).await.expect(200);
    ask(&api, "resume", json!({})).await.expect(200);
    assert_eq!(held(&api).await, began);
    api.pass(TimeDelta::days(70));
    let last = held(&api).await;
    assert_eq!(
        (&last["renews"], &last["ends_at"]),
        (&json!(false), &json!(end))
    );
}

/// S1, S7: a start that is canceled, and a renewal with an end of what renews by itself, name their field and change
/// nothing.
#[tokio::test]
async fn what_cannot_be_names_its_field_and_changes_nothing() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let before = api.everything_of("users/ann").await;
    let canceled = json!({"plan": "article_pro", "status": "canceled"});
    let refused = api.post(AT, canceled).await.expect(422);
    assert_eq!(refused.body["code"], "starts_canceled");
    assert_eq!(refused.body["errors"][0]["pointer"], "/status");
    for ends_at in ["2026-11-25T00:00:00Z", "2027-11-25T00:00:00Z"] {
        let refused = ask(&api, "renew", json!({"ends_at": ends_at}))
            .await
            .expect(409);
        assert_eq!(refused.body["code"], "renews_by_itself");
        assert_eq!(refused.body["errors"][0]["pointer"], "/ends_at");
    }
    assert_eq!(api.everything_of("users/ann").await, before);
}

/// X8: who names another org is told in which one the user is, or that it is in none.
#[tokio::test]
async fn a_user_says_which_org_it_is_in() {
    let api = Api::in_memory().await;
    for org in ["acme", "globex"] {
        api.put(&format!("/v1/orgs/{org}"), json!({}))
            .await
            .expect(201);
    }
    api.user("ann", None).await;
    let refused = api
        .patch("/v1/users/ann", json!({"org": "globex"}))
        .await
        .expect(409);
    assert!(
        detail(&refused).starts_with("the user is in no org; "),
        "{}",
        refused.text
    );
    let moved = api
        .put("/v1/users/ann/org", json!({"org": "acme"}))
        .await
        .expect(200);
    assert_eq!(moved.body["changed"], "moved");
    let refused = api
        .patch("/v1/users/ann", json!({"org": "globex"}))
        .await
        .expect(409);
    assert!(
        detail(&refused).starts_with("the user is in org `acme`; "),
        "{}",
        refused.text
    );
    assert_eq!(refused.body["errors"][0]["pointer"], "/org");
}

/// F7: what the plan does not have is not there again at any instant.
#[tokio::test]
async fn what_is_not_in_the_plan_resets_at_no_instant() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    let denied = api.consume("ann", "llm_tokens", 1).await.expect(403);
    assert_eq!(denied.body["reason"], "not_in_plan");
    assert_eq!(denied.body["resets_at"], Value::Null);
    assert_eq!(denied.header("retry-after"), None);
}

/// A body of another form is named as such, and numbers as they were sent.
#[tokio::test]
async fn a_wrong_body_is_said_in_words() {
    let api = Api::in_memory().await;
    let cases = [
        ("[]", "the body must be an object, not an array"),
        ("5", "the body must be an object, not 5"),
        (
            r#"{"user":"ann","feature":"llm_tokens","amount":1e3}"#,
            "/amount: must be a whole number from 1 to 1000000000000000 without a decimal point or an exponent, not 1e3",
        ),
    ];
    let headers = [("content-type", "application/json")];
    for (body, wanted) in cases {
        let method = reqwest::Method::POST;
        let answer = api.send(method, "/v1/consume", &headers, body.into()).await;
        assert_eq!(answer.expect(422).body["detail"], wanted, "{body}");
    }
}
