//! What refusals say: what is wrong, in which field, and what to do next (X8).

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
