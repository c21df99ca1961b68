//! The other ways to decide: items, batch, track, refund, capacities, holds.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::Api;

#[tokio::test]
async fn items_are_spent_all_or_none() {
    // X2: several features and amounts, one user, all or nothing.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let items = |articles: u64, albums: u64| {
        json!({"user": "ann", "items": [
            {"feature": "articles_per_month", "amount": articles},
            {"feature": "gallery_albums", "amount": albums}]})
    };
    let before = api.everything_of("users/ann").await;
    let denied = api.post("/v1/consume", items(1, 2)).await.expect(429);
    assert_eq!(denied.body["feature"], "gallery_albums");
    assert_eq!(api.everything_of("users/ann").await, before);
    let spent = api.post("/v1/consume", items(2, 1)).await.expect(200);
    assert_eq!(spent.draws(), ["user allowance 2", "user allowance 1"]);
    assert_eq!(spent.body["balances"].as_array().map(Vec::len), Some(2));
}

/// X2 and F7: what is wrong with any of the items is told before what one of them lacks, whatever their order, by a consume
/// and by a check.
#[tokio::test]
async fn items_are_all_looked_at_before_one_is_refused() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let item = |feature: &str, amount: u64| json!({"feature": feature, "amount": amount});
    let (many, absent) = (item("articles_per_month", 6), item("knowledge_bases", 1));
    let unknown = item("nothing", 1);
    let before = api.everything_of("users/ann").await;
    for (other, status, code) in [
        (unknown, 404, "unknown_feature"),
        (absent, 403, "not_in_plan"),
    ] {
        for items in [[&many, &other], [&other, &many]] {
            let ask = json!({"user": "ann", "items": items});
            let denied = api.post("/v1/consume", ask.clone()).await.expect(status);
            assert_eq!(denied.body["code"], code, "{}", denied.text);
            assert_eq!(denied.body["feature"], other["feature"]);
            assert_eq!(denied.body["requested"], 1);
            let checked = api.post("/v1/check", ask).await.expect(200);
            assert_eq!(checked.body["reason"], code, "{}", checked.text);
            assert_eq!(checked.body["feature"], other["feature"]);
        }
    }
    assert_eq!(api.everything_of("users/ann").await, before);
}

/// An operation that cannot be read has its problem in its own place, with index and field; the others are carried out, and a
/// repetition under the batch's key finds them.
#[tokio::test]
async fn of_a_batch_only_what_cannot_be_read_is_refused() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let one = |amount: &str| {
        format!(r#"{{"user":"ann","feature":"articles_per_month","amount":{amount}}}"#)
    };
    let body = |first: &str| {
        let wrong = [
            one("1.5"),
            one("1,\"amount\":2"),
            r#"{"feature":"articles_per_month","amount":1}"#.to_owned(),
            r#"["consume",null,"ann",null,"articles_per_month",1,null]"#.to_owned(),
            r#"{"user":"ann","items":[["articles_per_month",2]]}"#.to_owned(),
            "7".to_owned(),
        ];
        let all = [one(first), one("2")].into_iter().chain(wrong);
        let all: Vec<String> = all.collect();
        format!(r#"{{"operations":[{}]}}"#, all.join(","))
    };
    let sent = async |body: String| {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", "batch-1"),
        ];
        let (method, path) = (Method::POST, "/v1/batch");
        api.send(method, path, &headers, body.into_bytes()).await
    };
    let answer = sent(body("0")).await.expect(200);
    let results = answer.body["results"].as_array().expect("a list");
    assert_eq!(results.len(), 8, "{}", answer.text);
    let refused = [
        (0, "/amount"),
        (2, "/amount"),
        (3, "/amount"),
        (4, "/user"),
        (5, ""),
        (6, "/items/0"),
        (7, ""),
    ];
    for (index, field) in refused {
        let (problem, place) = (&results[index], format!("/operations/{index}{field}"));
        assert_eq!(problem["status"], 422, "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], place, "{problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.starts_with(&format!("{place}: ")), "{detail}");
    }
    assert_eq!(results[1]["allowed"], true, "{}", results[1]);
    let again = sent(body("1")).await.expect(200);
    assert_eq!(again.body["results"][0]["replayed"], false);
    assert_eq!(again.body["results"][1]["replayed"], true);
    let standing = api.standing("users/ann", "articles_per_month").await;
    assert_eq!(standing["used"], 3);
    for whole in [
        r#"{"operations":[{"user":"ann"},]}"#,
        r#"{"operations":[{"user":"ann"}],"more":1}"#,
        r#"{"operations":[{"user":"ann"}],"operations":[]}"#,
        r#"{"operations":7}"#,
        r#"{"operations":[]}"#,
        r#"[[{"user":"ann"}]]"#,
    ] {
        let refused = sent(whole.to_owned()).await;
        assert!([400, 422].contains(&refused.status), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_batch_answers_each_operation_alone() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    api.user("ben", Some("article_free")).await;
    let one = |user: &str, amount: u64, key: &str| json!({"user": user, "feature": "articles_per_month", "amount": amount, "idempotency_key": key});
    let body = json!({"operations": [
        one("ann", 3, "a"), one("ben", 6, "b"), one("nobody", 1, "c"),
        {"operation": "track", "user": "nobody", "feature": "articles_per_month", "amount": 1}]});
    let answer = api.post("/v1/batch", body.clone()).await.expect(200);
    let results = &answer.body["results"];
    assert_eq!(results[0]["allowed"], true);
    assert_eq!(results[0]["balances"][0]["remaining"], 2);
    assert_eq!(results[1]["code"], "limit_reached");
    assert_eq!(results[1]["status"], 429);
    assert_eq!(results[2]["code"], "unknown_user");
    assert_eq!(results[3]["code"], "unknown_user");
    assert_eq!(results[3]["errors"][0]["pointer"], "/operations/3/user");
    let again = api.post("/v1/batch", body).await.expect(200);
    assert_eq!(again.body["results"][0]["replayed"], true);
    assert_eq!(again.body["results"][1]["replayed"], true);
    assert_eq!(
        api.standing("users/ann", "articles_per_month").await["used"],
        3
    );
    let many: Vec<Value> = (0..1_000)
        .map(|number| one("ann", 1, &format!("m{number}")))
        .collect();
    let answer = api
        .post("/v1/batch", json!({"operations": many}))
        .await
        .expect(200);
    let results = answer.body["results"].as_array().expect("a list").clone();
    let allowed = results
        .iter()
        .filter(|result| result["allowed"] == true)
        .count();
    assert_eq!((results.len(), allowed), (1_000, 2));
    let more: Vec<Value> = (0..1_001)
        .map(|number| one("ann", 1, &format!("m{number}")))
        .collect();
    let refused = api
        .post("/v1/batch", json!({"operations": more}))
        .await
        .expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/operations");
}

#[tokio::test]
async fn a_key_on_a_batch_counts_for_each_operation_without_one() {
    // X1: every write takes a key.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let one = json!({"user": "ann", "feature": "articles_per_month", "amount": 1});
    let body = json!({"operations": [one, one]});
    for replayed in [false, true] {
        let answer = api.post_keyed("/v1/batch", "b-1", &body).await.expect(200);
        assert_eq!(answer.body["results"][0]["replayed"], replayed);
        assert_eq!(answer.body["results"][1]["replayed"], replayed);
    }
    assert_eq!(
        api.standing("users/ann", "articles_per_month").await["used"],
        2
    );
}

#[tokio::test]
async fn a_denial_with_a_key_is_the_answer_for_ever() {
    // X1: denials included.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let ask = json!({"user": "ann", "feature": "articles_per_month", "amount": 6});
    let first = api
        .post_keyed("/v1/consume", "\"k\"", &ask)
        .await
        .expect(429);
    let own = json!({"limit": "unlimited"});
    api.put("/v1/users/ann/overrides/articles_per_month", own)
        .await
        .expect(200);
    let again = api.post_keyed("/v1/consume", "k", &ask).await.expect(429);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(again.body["reason"], "limit_reached");
    api.post("/v1/consume", ask).await.expect(200);
}

#[tokio::test]
async fn track_is_never_denied_and_books_the_excess() {
    // X5: never denied, excess booked as `overage`.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let ask = json!({"user": "ann", "feature": "articles_per_month", "amount": 7,
        "resource_type": "article", "resource_id": "a-1", "reason": "imported"});
    let answer = api.post("/v1/track", ask).await.expect(200);
    assert_eq!(answer.draws(), ["user allowance 5", "user overage 2"]);
    let ledger = api.get("/v1/users/ann/ledger?limit=1").await.expect(200);
    let operation = &ledger.body["items"][0];
    assert_eq!(operation["kind"], "track");
    assert_eq!(operation["origin"]["resource_id"], "a-1");
    assert_eq!(operation["origin"]["reason"], "imported");
}

#[tokio::test]
async fn a_refund_goes_back_to_its_sources_last_drawn_first() {
    // X3: whole or part, never more than was taken.
    let api = Api::in_memory().await;
    api.user("ann", Some("shop_premium")).await;
    api.credits("users/ann", "pack", 5).await;
    let spent = api.consume("ann", "try_on", 12).await.expect(200);
    assert_eq!(spent.draws(), ["user allowance 10", "user credits 2"]);
    let id = spent.body["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/consumptions/{id}/refund");
    let part = api.post(&path, json!({"amount": 3})).await.expect(200);
    let returned = part.body["returned"].as_array().expect("a list").clone();
    let sum: u64 = returned
        .iter()
        .filter_map(|back| back["amount"].as_u64())
        .sum();
    assert_eq!(sum, 3, "{}", part.text);
    assert_eq!(part.balance("user")["credits"], 5);
    assert_eq!(part.balance("user")["used"], 9);
    let much = api.post(&path, json!({"amount": 10})).await.expect(409);
    assert_eq!(much.body["code"], "refund_too_large");
    assert_eq!(much.body["errors"][0]["pointer"], "/amount");
    let rest = api
        .send(reqwest::Method::POST, &path, &[], Vec::new())
        .await
        .expect(200);
    assert_eq!(rest.balance("user")["used"], 0);
    // X8: what was not sent is not blamed.
    for body in [
        json!({}),
        json!({"feature": "try_on"}),
        json!({"amount": 1}),
    ] {
        let again = api.post(&path, body).await.expect(409);
        assert_eq!(again.body["code"], "already_refunded");
        assert_eq!(again.body["errors"], Value::Null, "{}", again.text);
    }
}

#[tokio::test]
async fn a_check_of_several_items_is_the_consume_that_would_follow() {
    // X2: all or nothing, each item after the ones before it.
    let api = Api::in_memory().await;
    api.user("ann", Some("shop_premium")).await;
    api.credits("users/ann", "pack", 3).await;
    let item = |amount: u64| json!({"feature": "try_on", "amount": amount});
    let ask = |items: Value| json!({"user": "ann", "items": items});
    let before = api.everything_of("users/ann").await;
    let checked = api.post("/v1/check", ask(json!([item(8), item(4)]))).await;
    let checked = checked.expect(200);
    assert_eq!(checked.body["allowed"], true, "{}", checked.text);
    let draws = ["user allowance 8", "user allowance 2", "user credits 2"];
    assert_eq!(checked.draws(), draws);
    for draw in checked.body["draws"].as_array().expect("a list") {
        assert_eq!(draw["feature"], "try_on", "{}", checked.text);
    }
    assert_eq!(checked.balance("user")["used"], 0, "as it is now");
    let denied = api.post("/v1/check", ask(json!([item(8), item(6)]))).await;
    let denied = denied.expect(200);
    assert_eq!(denied.body["allowed"], false, "{}", denied.text);
    assert_eq!(denied.body["reason"], "limit_reached");
    assert_eq!(denied.body["feature"], "try_on");
    assert_eq!(denied.body["requested"], 14);
    assert_eq!(denied.body["available"], 13);
    assert_eq!(denied.body["draws"], json!([]));
    let one = json!({"user": "ann", "feature": "try_on", "amount": 14});
    let one = api.post("/v1/check", one).await.expect(200);
    assert_eq!(
        (&one.body["feature"], &one.body["requested"]),
        (&json!("try_on"), &json!(14))
    );
    assert_eq!(api.everything_of("users/ann").await, before);
    let spent = api
        .post("/v1/consume", ask(json!([item(8), item(4)])))
        .await;
    let spent = spent.expect(200);
    assert_eq!(spent.draws(), draws);
    assert_eq!(spent.body["draws"], checked.body["draws"]);
    let refused = api
        .post("/v1/consume", ask(json!([item(1), item(1)])))
        .await;
    let checked = api.post("/v1/check", ask(json!([item(1), item(1)]))).await;
    let (refused, checked) = (refused.expect(429).body, checked.expect(200).body);
    for member in [
        "reason",
        "scope",
        "feature",
        "requested",
        "available",
        "resets_at",
    ] {
        assert_eq!(checked[member], refused[member], "{member}");
    }
    let nobody = json!({"user": "nobody", "items": [item(1), item(1)]});
    let nobody = api.post("/v1/check", nobody).await.expect(200);
    assert_eq!(nobody.body["reason"], "unknown_user");
}

#[tokio::test]
async fn a_capacity_is_given_back_and_not_below_nothing() {
    // X4: lowers `used`, not below 0.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_pro")).await;
    api.consume("ann", "gallery_albums", 3).await.expect(200);
    let ask =
        |feature: &str, amount: u64| json!({"user": "ann", "feature": feature, "amount": amount});
    let back = api
        .post("/v1/capacity/release", ask("gallery_albums", 5))
        .await
        .expect(200);
    assert_eq!(back.balance("user")["used"], 0);
    let wrong = api
        .post("/v1/capacity/release", ask("articles_per_month", 1))
        .await
        .expect(422);
    assert_eq!(wrong.body["code"], "not_a_capacity");
}

#[tokio::test]
async fn a_hold_is_extended_released_or_committed_late() {
    // R3, R4, R5.
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let ask =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 5, "ttl_seconds": 60});
    let held = api.post("/v1/reservations", ask.clone()).await.expect(200);
    let first = held.body["id"].as_str().expect("an id").to_owned();
    let path = |id: &str, verb: &str| format!("/v1/reservations/{id}/{verb}");
    let longer = json!({"ttl_seconds": 120});
    let moved = api.post(&path(&first, "extend"), longer).await.expect(200);
    assert_eq!(moved.body["expires_at"], "2026-11-20T12:02:00Z");
    assert_eq!(moved.body["reservation"], first.as_str());
    api.consume("ann", "articles_per_month", 1)
        .await
        .expect(429);
    let released = api
        .post(&path(&first, "release"), json!({}))
        .await
        .expect(200);
    assert_eq!(released.body["state"], "released");
    assert_eq!(released.body["returned"][0]["amount"], 5);
    let ended = api
        .post(&path(&first, "commit"), json!({"actual": 1}))
        .await
        .expect(409);
    assert_eq!(ended.body["code"], "reservation_ended");
    let held = api.post("/v1/reservations", ask).await.expect(200);
    let second = held.body["id"].as_str().expect("an id").to_owned();
    api.pass(TimeDelta::seconds(60));
    api.consume("ann", "articles_per_month", 4)
        .await
        .expect(200);
    let late = api
        .post(&path(&second, "commit"), json!({"actual": 3}))
        .await
        .expect(200);
    assert_eq!(late.body["late"], true);
    assert_eq!(late.balance("user")["used"], 5);
    assert_eq!(late.balance("user")["overage"], 2);
}

#[tokio::test]
async fn answers_say_how_much_is_left_in_their_headers() {
    let api = Api::in_memory().await;
    api.user("ann", Some("article_free")).await;
    let answer = api
        .consume("ann", "articles_per_month", 2)
        .await
        .expect(200);
    let field = answer.header("ratelimit").expect("a field");
    assert!(
        field.starts_with("\"articles_per_month\";r=3;t="),
        "{field}"
    );
    assert_eq!(
        answer.header("ratelimit-policy"),
        Some("\"articles_per_month\";q=5")
    );
    let denied = api
        .consume("ann", "articles_per_month", 4)
        .await
        .expect(429);
    let wait: u64 = denied
        .header("retry-after")
        .and_then(|wait| wait.parse().ok())
        .expect("seconds");
    assert_eq!(wait, 30 * 86_400, "until the 20th of December");
    let check = json!({"user": "ann", "feature": "articles_per_month", "amount": 3});
    let check = api.post("/v1/check", check).await.expect(200);
    assert_eq!(check.body["allowed"], true);
    assert_eq!(check.draws(), ["user allowance 3"]);
    assert!(check.header("ratelimit").is_some());
}

#[tokio::test]
async fn each_reason_has_its_status() {
    // F7: the first reason that applies, with the scope that bound.
    let api = Api::in_memory().await;
    let nobody = api
        .consume("nobody", "articles_per_month", 1)
        .await
        .expect(404);
    assert_eq!(nobody.body["code"], "unknown_user");
    api.user("ann", Some("article_free")).await;
    let nothing = api.consume("ann", "nothing", 1).await.expect(404);
    assert_eq!(nothing.body["code"], "unknown_feature");
    let absent = api.consume("ann", "knowledge_bases", 1).await.expect(403);
    assert_eq!(absent.body["code"], "not_in_plan");
    let token = json!({"id": "ci", "cap": 5, "expires_at": "2026-11-20T13:00:00Z"});
    api.post("/v1/users/ann/tokens", token).await.expect(201);
    let ask = json!({"user": "ann", "token": "ci", "feature": "articles_per_month", "amount": 1});
    api.post("/v1/consume", ask.clone()).await.expect(200);
    api.pass(TimeDelta::hours(1));
    let expired = api.post("/v1/consume", ask.clone()).await.expect(403);
    assert_eq!(expired.body["code"], "token_expired");
    api.delete("/v1/users/ann/tokens/ci").await.expect(200);
    let revoked = api.post("/v1/consume", ask).await.expect(403);
    assert_eq!(revoked.body["code"], "token_revoked");
    assert_eq!(revoked.body["scope"], "token");
    api.patch("/v1/users/ann", json!({"disabled": true}))
        .await
        .expect(200);
    let disabled = api
        .consume("ann", "articles_per_month", 1)
        .await
        .expect(403);
    assert_eq!(disabled.body["code"], "account_disabled");
    let entitled = api.get("/v1/users/ann/entitlements").await.expect(200).body;
    assert_eq!(entitled["denied"], "account_disabled");
    assert_eq!(entitled["in_force"], false);
    let articles = &entitled["limits"]["articles_per_month"];
    assert_eq!(*articles, json!({"scope": "user", "remaining": 0}));
}

const FEW: &str = r#"
[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

[[plan]]
code = "free"
name = "Free"
limits = { articles = 5, albums = 2 }
"#;

/// What an answer lists under a name: how much by source.
fn by_source(answer: &Value, list: &str) -> Vec<String> {
    let parts = answer[list].as_array().expect("a list").iter();
    let mut parts: Vec<String> = parts
        .map(|part| {
            format!(
                "{} {}",
                part["source"].as_str().unwrap_or("?"),
                part["amount"]
            )
        })
        .collect();
    parts.sort();
    parts
}

/// R2, R3, X3 and X4: what was overage is called that by each verb that takes it or gives it back.
#[tokio::test]
async fn overage_is_named_by_every_verb() {
    let api = Api::in_memory().await;
    api.apply(FEW).await;
    api.user("ann", Some("free")).await;
    let asked = json!({"user": "ann", "feature": "articles", "amount": 4, "ttl_seconds": 60});
    let ended = async |verb: &str, body: Value| {
        let held = api
            .post("/v1/reservations", asked.clone())
            .await
            .expect(200);
        let id = held.body["id"].as_str().expect("an id").to_owned();
        let path = format!("/v1/reservations/{id}/{verb}");
        api.post(&path, body).await.expect(200).body
    };
    let released = ended("release", json!({})).await;
    assert_eq!(by_source(&released, "returned"), ["allowance 4"]);
    let committed = ended("commit", json!({"actual": 8})).await;
    let draws = by_source(&committed, "draws");
    assert_eq!(
        draws.last().map(String::as_str),
        Some("overage 3"),
        "{draws:?}"
    );
    let id = committed["id"].as_str().expect("an id");
    let refund = format!("/v1/consumptions/{id}/refund");
    let part = api.post(&refund, json!({"amount": 4})).await.expect(200);
    assert_eq!(
        by_source(&part.body, "returned"),
        ["allowance 1", "overage 3"]
    );
    let track = json!({"user": "ann", "feature": "albums", "amount": 5});
    let tracked = api.post("/v1/track", track).await.expect(200);
    assert_eq!(
        by_source(&tracked.body, "draws"),
        ["allowance 2", "overage 3"]
    );
    let release = json!({"user": "ann", "feature": "albums", "amount": 4});
    let back = api.post("/v1/capacity/release", release).await.expect(200);
    assert_eq!(
        by_source(&back.body, "returned"),
        ["allowance 1", "overage 3"]
    );
}
