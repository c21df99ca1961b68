//! The worked examples of the rule book about one user, over HTTP.

use chrono::TimeDelta;
use serde_json::json;

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e1_the_rest_of_the_allowance_then_credits,
    e2_credits_then_the_trial,
    e3_what_is_too_much_is_denied_and_changes_nothing,
    e4_an_ended_plan_with_nothing_else_is_denied,
    e5_an_override_counts_until_it_ends,
    e8_the_cap_of_a_token_binds_an_unlimited_user,
    e9_what_is_held_is_not_available_and_what_is_left_comes_back,
    e10_a_commit_above_the_hold_takes_what_there_is_and_books_the_rest,
    e13_the_same_key_gets_the_first_answer_after_the_quota_ran_out,
);

/// E1: allowance 1, credits 2; left 0 and 3.
async fn e1_the_rest_of_the_allowance_then_credits(api: Api) {
    api.user("ann", Some("shop_premium")).await;
    api.consume("ann", "try_on", 9).await.expect(200);
    api.credits("users/ann", "pack", 5).await;
    let answer = api.consume("ann", "try_on", 3).await.expect(200);
    assert_eq!(answer.draws(), ["user allowance 1", "user credits 2"]);
    assert_eq!(answer.body["draws"][1]["grant"], "pack");
    assert_eq!(answer.balance("user")["remaining"], 0);
    assert_eq!(answer.balance("user")["credits"], 3);
    let credits = api.get("/v1/users/ann/credits").await.expect(200);
    assert_eq!(credits.body["balance"], 3);
}

/// E2: credits 2, trial 2; left 0 and 1.
async fn e2_credits_then_the_trial(api: Api) {
    api.user("ann", None).await;
    api.credits("users/ann", "pack", 2).await;
    let answer = api.consume("ann", "try_on", 4).await.expect(200);
    assert_eq!(answer.draws(), ["user credits 2", "user trial 2"]);
    assert_eq!(answer.balance("user")["credits"], 0);
    assert_eq!(answer.balance("user")["trial"], 1);
}

/// E3: denied `credits_exhausted`, available 5, nothing changes.
async fn e3_what_is_too_much_is_denied_and_changes_nothing(api: Api) {
    api.user("ann", None).await;
    api.credits("users/ann", "pack", 2).await;
    let before = api.everything_of("users/ann").await;
    let answer = api.consume("ann", "try_on", 6).await.expect(429);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.body["code"], "credits_exhausted");
    assert_eq!(answer.body["reason"], "credits_exhausted");
    assert_eq!(answer.body["available"], 5);
    assert_eq!(answer.body["requested"], 6);
    assert_eq!(api.everything_of("users/ann").await, before);
}

/// E4: denied `subscription_expired`.
async fn e4_an_ended_plan_with_nothing_else_is_denied(api: Api) {
    api.user("ann", None).await;
    api.consume("ann", "try_on", 3).await.expect(200);
    let body = json!({"plan": "shop_premium", "ends_at": "2026-11-21T12:00:00Z"});
    api.subscribe("users/ann", body).await;
    api.pass(TimeDelta::days(2));
    let answer = api.consume("ann", "try_on", 1).await.expect(403);
    assert_eq!(answer.body["code"], "subscription_expired");
    assert_eq!(answer.body["scope"], "user");
}

/// E5: allowed today; tomorrow denied `limit_reached`, available 0.
async fn e5_an_override_counts_until_it_ends(api: Api) {
    api.user("ann", Some("article_pro")).await;
    let own = json!({"limit": 150, "expires_at": "2026-11-21T12:00:00Z", "reason": "launch"});
    api.put("/v1/users/ann/overrides/articles_per_month", own)
        .await
        .expect(200);
    api.consume("ann", "articles_per_month", 120)
        .await
        .expect(200);
    let today = api
        .consume("ann", "articles_per_month", 1)
        .await
        .expect(200);
    assert_eq!(today.balance("user")["override_value"], 150);
    assert_eq!(today.balance("user")["plan_value"], 100);
    api.pass(TimeDelta::days(1));
    let tomorrow = api
        .consume("ann", "articles_per_month", 1)
        .await
        .expect(429);
    assert_eq!(tomorrow.body["reason"], "limit_reached");
    assert_eq!(tomorrow.body["available"], 0);
    assert!(tomorrow.header("retry-after").is_some(), "it says when");
}

/// E8: denied `token_exhausted`.
async fn e8_the_cap_of_a_token_binds_an_unlimited_user(api: Api) {
    api.put("/v1/users/ann", json!({"unlimited": true}))
        .await
        .expect(201);
    let token = json!({"id": "ci", "cap": 5});
    api.post("/v1/users/ann/tokens", token).await.expect(201);
    let ask = |amount: u64| json!({"user": "ann", "token": "ci", "feature": "llm_tokens", "amount": amount});
    let spent = api.post("/v1/consume", ask(5)).await.expect(200);
    assert_eq!(spent.draws(), ["token allowance 5", "user unlimited 5"]);
    let denied = api.post("/v1/consume", ask(1)).await.expect(429);
    assert_eq!(denied.body["reason"], "token_exhausted");
    assert_eq!(denied.body["scope"], "token");
    let raised = json!({"cap": 6});
    api.patch("/v1/users/ann/tokens/ci", raised)
        .await
        .expect(200);
    api.post("/v1/consume", ask(1)).await.expect(200);
}

/// E9: denied: available 2; commit(4) → used 94; consume 3 is allowed.
async fn e9_what_is_held_is_not_available_and_what_is_left_comes_back(api: Api) {
    api.user("ann", Some("article_pro")).await;
    api.consume("ann", "articles_per_month", 90)
        .await
        .expect(200);
    let ask =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 8, "ttl_seconds": 60});
    let held = api.post("/v1/reservations", ask).await.expect(200);
    assert_eq!(held.body["state"], "open");
    assert_eq!(held.body["expires_at"], "2026-11-20T12:01:00Z");
    let id = held.body["id"].as_str().expect("an id").to_owned();
    let denied = api
        .consume("ann", "articles_per_month", 3)
        .await
        .expect(429);
    assert_eq!(denied.body["available"], 2);
    let commit = format!("/v1/reservations/{id}/commit");
    let settled = api.post(&commit, json!({"actual": 4})).await.expect(200);
    assert_eq!(settled.body["state"], "committed");
    assert_eq!(settled.body["late"], false);
    assert_eq!(settled.draws(), ["user allowance 4"]);
    assert_eq!(settled.balance("user")["used"], 94);
    api.consume("ann", "articles_per_month", 3)
        .await
        .expect(200);
}

/// E10: used 100 + overage 4; remaining 0.
async fn e10_a_commit_above_the_hold_takes_what_there_is_and_books_the_rest(api: Api) {
    api.user("ann", Some("article_pro")).await;
    api.consume("ann", "articles_per_month", 95)
        .await
        .expect(200);
    let ask =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 5, "ttl_seconds": 60});
    let held = api.post("/v1/reservations", ask).await.expect(200);
    let id = held.body["id"].as_str().expect("an id").to_owned();
    let commit = format!("/v1/reservations/{id}/commit");
    let settled = api.post(&commit, json!({"actual": 9})).await.expect(200);
    let balance = settled.balance("user");
    assert_eq!(balance["used"], 100);
    assert_eq!(balance["overage"], 4);
    assert_eq!(balance["remaining"], 0);
}

/// E13: both say allowed, one unit spent.
async fn e13_the_same_key_gets_the_first_answer_after_the_quota_ran_out(api: Api) {
    api.user("ann", Some("article_free")).await;
    let ask = json!({"user": "ann", "feature": "articles_per_month", "amount": 1});
    let first = api.post_keyed("/v1/consume", "k-1", &ask).await.expect(200);
    assert_eq!(first.header("idempotent-replayed"), None);
    api.consume("ann", "articles_per_month", 4)
        .await
        .expect(200);
    api.consume("ann", "articles_per_month", 1)
        .await
        .expect(429);
    let again = api.post_keyed("/v1/consume", "k-1", &ask).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(again.body["draws"], first.body["draws"]);
    assert_eq!(again.body["balances"], first.body["balances"]);
    let used = api.standing("users/ann", "articles_per_month").await;
    assert_eq!(used["used"], 5);
}
