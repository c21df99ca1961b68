//! The worked examples of the rule book about orgs and crowds, over HTTP.

use chrono::TimeDelta;
use serde_json::json;

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e6_an_exhausted_org_denies_and_nothing_is_charged,
    e7_under_track_the_excess_is_the_orgs_overage,
    e12_of_seventy_at_once_exactly_fifty_are_allowed,
    e40_unlimited_by_default_ends_with_the_membership,
    e49_what_the_orgs_plan_does_not_name_is_denied_or_overage,
    e51_a_member_gives_back_what_the_org_was_charged_for_it,
    an_override_says_whether_it_counts,
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

/// O6: the org's report lists usage and limit per member and what the org was charged, those who left included.
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
    assert_eq!(page.body["items"][0]["features"][0]["limit"], "unlimited");
    api.get("/v1/orgs/nobody/members").await.expect(404);
    let path = "/v1/users/ben/org";
    api.put(path, json!({"org": null})).await.expect(200);
    let page = api.get("/v1/orgs/acme/members").await.expect(200);
    assert_eq!(page.body["items"][0]["features"][0]["charged"], 2);
    assert_eq!(page.body["left"][0]["id"], "ben");
    let charged = json!([{"feature": "llm_tokens", "charged": 5}]);
    assert_eq!(page.body["left"][0]["features"], charged);
    let org = api.standing("orgs/acme", "llm_tokens").await;
    assert_eq!(org["used"], 7, "the report explains it");
}

/// E40, U8: ann is unlimited by default, bob said so; both leave the org: ann is decided by her own plan, bob is unlimited.
async fn e40_unlimited_by_default_ends_with_the_membership(api: Api) {
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    let cast = [
        ("ann", json!({"org": "acme"}), false),
        ("bob", json!({"org": "acme", "unlimited": true}), true),
    ];
    for (user, body, is_kept) in cast {
        let path = format!("/v1/users/{user}");
        api.put(&path, body).await.expect(201);
        let account = format!("users/{user}");
        api.subscribe(&account, json!({"plan": "article_free"}))
            .await;
        // In the org both go beyond the 5 of that plan.
        api.consume(user, "articles_per_month", 6).await.expect(200);
        let moved = api.put(&format!("{path}/org"), json!({"org": null})).await;
        let moved = moved.expect(200);
        assert_eq!(moved.body["unlimited"], is_kept, "{}", moved.text);
        let status = if is_kept { 200 } else { 429 };
        let one = api.consume(user, "articles_per_month", 1).await;
        let reason = (!is_kept).then_some("limit_reached");
        assert_eq!(one.expect(status).body["reason"], json!(reason));
        let status = if is_kept { 200 } else { 403 };
        api.consume(user, "llm_tokens", 1).await.expect(status);
    }
}

/// E49, O3: `org_not_in_plan` for an unlimited member too; with policy `track` allowed, overage 1.
async fn e49_what_the_orgs_plan_does_not_name_is_denied_or_overage(api: Api) {
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "llm_team"}))
        .await;
    api.put("/v1/users/ann", json!({"org": "acme"}))
        .await
        .expect(201);
    let denied = api.consume("ann", "storage_space", 1).await.expect(403);
    assert_eq!(denied.body["code"], "org_not_in_plan");
    assert_eq!(denied.body["scope"], "org");
    let ask = json!({"user": "ann", "feature": "storage_space", "amount": 1});
    let checked = api.post("/v1/check", ask).await.expect(200);
    assert_eq!(checked.body["reason"], "org_not_in_plan");
    let policy = json!({"policy": "track"});
    api.patch("/v1/orgs/acme", policy).await.expect(200);
    let answer = api.consume("ann", "storage_space", 1).await.expect(200);
    assert_eq!(answer.balance("org")["overage"], 1);
}

/// F6, O3: an override says whether it counts now, and the overview shows one that does not; that of an org without a
/// subscription holds by itself.
async fn an_override_says_whether_it_counts(api: Api) {
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.put("/v1/users/ann", json!({"org": "acme"}))
        .await
        .expect(201);
    let limit = json!({"limit": 3});
    let path = "/v1/users/ann/overrides/llm_tokens";
    let set = api.put(path, limit.clone()).await.expect(200);
    assert_eq!(set.body["in_force"], false);
    let detail = set.body["detail"].as_str().expect("words");
    assert!(detail.contains("the user is unlimited"), "{detail}");
    let standing = api.standing("users/ann", "llm_tokens").await;
    assert_eq!(standing["override_value"], 3);
    assert_eq!(standing["unlimited"], true);
    let path = "/v1/orgs/acme/overrides/llm_tokens";
    let set = api.put(path, limit).await.expect(200);
    assert_eq!(set.body["in_force"], true);
    api.consume("ann", "llm_tokens", 3).await.expect(200);
    let denied = api.consume("ann", "llm_tokens", 1).await.expect(429);
    assert_eq!(denied.body["reason"], "org_limit_reached");
}

/// E51, O8, X4: ann holds 9 of the org's albums, bob none; ann's own window restarts. Bob gives back nothing, ann 2.
async fn e51_a_member_gives_back_what_the_org_was_charged_for_it(api: Api) {
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    let path = "/v1/orgs/acme/overrides/gallery_albums";
    api.put(path, json!({"limit": 20})).await.expect(200);
    for user in ["ann", "bob"] {
        let path = format!("/v1/users/{user}");
        api.put(&path, json!({"org": "acme"})).await.expect(201);
    }
    api.subscribe("users/ann", json!({"plan": "article_pro"}))
        .await;
    api.consume("ann", "gallery_albums", 9).await.expect(200);
    api.pass(TimeDelta::days(40));
    let release = async |user: &str, amount: u64| {
        let ask = json!({"user": user, "feature": "gallery_albums", "amount": amount});
        let answer = api.post("/v1/capacity/release", ask).await.expect(200);
        let amounts = answer.body["released"].as_array().expect("a list");
        let amounts: Vec<_> = amounts.iter().map(|part| part["amount"].clone()).collect();
        (answer.body["allowed"].clone(), json!(amounts))
    };
    assert_eq!(release("bob", 1).await, (json!(false), json!([0, 0])));
    assert_eq!(release("ann", 2).await, (json!(true), json!([0, 2])));
    let standing = api.standing("orgs/acme", "gallery_albums").await;
    assert_eq!(standing["used"], 7);
}
