//! The worked examples of the rule book about orgs and crowds, over HTTP.

use serde_json::json;

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e6_an_exhausted_org_denies_and_nothing_is_charged,
    e7_under_track_the_excess_is_the_orgs_overage,
    e12_of_seventy_at_once_exactly_fifty_are_allowed,
    the_report_of_an_org_lists_what_each_member_used,
);

/// An org with 10 try-ons a month, all used, and an unlimited member.
async fn exhausted_org(api: &Api) {
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "shop_premium"}))
        .await;
    api.put("/v1/users/ann", json!({"org": "acme"}))
        .await
        .expect(201);
    let user = api.get("/v1/users/ann").await.expect(200);
    assert_eq!(user.body["unlimited"], true, "U6: inside an org");
    api.consume("ann", "try_on", 10).await.expect(200);
}

/// E6: denied `org_limit_reached`, scope org; nothing charged anywhere.
async fn e6_an_exhausted_org_denies_and_nothing_is_charged(api: Api) {
    exhausted_org(&api).await;
    let before = [
        api.everything_of("users/ann").await,
        api.everything_of("orgs/acme").await,
    ];
    let denied = api.consume("ann", "try_on", 1).await.expect(429);
    assert_eq!(denied.body["reason"], "org_limit_reached");
    assert_eq!(denied.body["scope"], "org");
    let after = [
        api.everything_of("users/ann").await,
        api.everything_of("orgs/acme").await,
    ];
    assert_eq!(after, before);
}

/// E7: allowed, org overage 1, user used +1.
async fn e7_under_track_the_excess_is_the_orgs_overage(api: Api) {
    exhausted_org(&api).await;
    let policy = json!({"policy": "track"});
    api.patch("/v1/orgs/acme", policy).await.expect(200);
    let answer = api.consume("ann", "try_on", 1).await.expect(200);
    assert_eq!(answer.draws(), ["user unlimited 1", "org overage 1"]);
    assert_eq!(answer.balance("user")["used"], 11);
    assert_eq!(answer.balance("org")["used"], 10);
    assert_eq!(answer.balance("org")["overage"], 1);
}

/// E12: exactly 50 allowed, 20 denied, used = limit, ledger agrees.
async fn e12_of_seventy_at_once_exactly_fifty_are_allowed(api: Api) {
    api.user("ann", Some("article_pro")).await;
    api.consume("ann", "articles_per_month", 50)
        .await
        .expect(200);
    let api = std::sync::Arc::new(api);
    let tasks: Vec<_> = (0..70)
        .map(|number| {
            let api = std::sync::Arc::clone(&api);
            tokio::spawn(async move {
                let ask = json!({"user": "ann", "feature": "articles_per_month", "amount": 1});
                let key = format!("k-{number}");
                api.post_keyed("/v1/consume", &key, &ask).await.status
            })
        })
        .collect();
    let mut allowed = 0;
    for task in tasks {
        match task.await.expect("the request ends") {
            200 => allowed += 1,
            429 => {}
            other => panic!("status {other}"),
        }
    }
    assert_eq!(allowed, 50);
    let standing = api.standing("users/ann", "articles_per_month").await;
    assert_eq!(standing["used"], 100);
    let ledger = api.get("/v1/users/ann/ledger?limit=1000").await.expect(200);
    let operations = ledger.body["items"].as_array().expect("a list");
    let spent: i64 = operations
        .iter()
        .filter_map(|operation| operation["entries"].as_array())
        .flatten()
        .filter_map(|entry| entry["used"].as_i64())
        .sum();
    assert_eq!(spent, 100, "the ledger agrees");
}

/// O6: the org's report lists usage per member.
async fn the_report_of_an_org_lists_what_each_member_used(api: Api) {
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    for (user, amount) in [("ann", 2), ("ben", 5)] {
        let path = format!("/v1/users/{user}");
        api.put(&path, json!({"org": "acme"})).await.expect(201);
        api.consume(user, "llm_tokens", amount).await.expect(200);
    }
    let page = api.get("/v1/orgs/acme/members?limit=1").await.expect(200);
    assert_eq!(page.body["items"][0]["id"], "ann");
    assert_eq!(page.body["items"][0]["features"][0]["used"], 2);
    let next = page.body["next"].as_str().expect("there is more");
    let path = format!("/v1/orgs/acme/members?limit=1&after={next}");
    let page = api.get(&path).await.expect(200);
    assert_eq!(page.body["items"][0]["id"], "ben");
    assert_eq!(page.body["items"][0]["features"][0]["lifetime"], 5);
    api.get("/v1/orgs/nobody/members").await.expect(404);
}
