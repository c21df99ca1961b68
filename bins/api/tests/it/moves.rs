//! A user joins an org, leaves it, and what it did before (O1, X3).

use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    a_user_joins_an_org_and_leaves_it,
    an_org_that_is_not_there_and_a_hold_hinder_a_move,
    a_move_is_repeatable_by_its_key,
    what_was_consumed_before_a_move_is_refunded_after_it,
);

const PATH: &str = "/v1/users/ann/org";

/// Ann and acme, each with a plan.
async fn cast(api: &Api) {
    api.user("ann", Some("article_pro")).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "article_pro"}))
        .await;
}

async fn used(api: &Api, account: &str) -> Value {
    api.standing(account, "articles_per_month").await["used"].clone()
}

async fn spends(api: &Api, amount: u64) -> Answer {
    let spent = api.consume("ann", "articles_per_month", amount).await;
    spent.expect(200)
}

async fn a_user_joins_an_org_and_leaves_it(api: Api) {
    cast(&api).await;
    spends(&api, 3).await;
    let body = json!({"org": "acme", "reason": "joined the team"});
    let joined = api.put(PATH, body.clone()).await.expect(200);
    assert_eq!(joined.body["changed"], "moved_in");
    assert_eq!(joined.body["account"], "user:ann");
    assert_eq!(joined.body["replayed"], false);
    let again = api.put(PATH, body).await.expect(200);
    assert_eq!(again.body["changed"], "nothing", "it is there already");
    let ann = api.get("/v1/users/ann").await.expect(200);
    assert_eq!(ann.body["org"], "acme");
    spends(&api, 2).await;
    assert_eq!(used(&api, "users/ann").await, 5, "its use came along");
    assert_eq!(used(&api, "orgs/acme").await, 2, "charged since it joined");
    let left = api.put(PATH, json!({"org": null})).await.expect(200);
    assert_eq!(left.body["changed"], "moved_in");
    let ann = api.get("/v1/users/ann").await.expect(200);
    assert_eq!(ann.body["org"], Value::Null);
    spends(&api, 1).await;
    assert_eq!(used(&api, "users/ann").await, 6);
    assert_eq!(used(&api, "orgs/acme").await, 2, "charged no more");
    let members = api.get("/v1/orgs/acme/members").await.expect(200);
    assert_eq!(members.body["items"], json!([]));
    let ledger = api.get("/v1/orgs/acme/ledger").await;
    let text = ledger.expect(200).text;
    assert!(text.contains("joined the team"), "{text}");
    sees_all_that_it_ever_did(&api).await;
}

/// X7: a user's ledger goes on in the homes that it lived in before, page by page.
async fn sees_all_that_it_ever_did(api: &Api) {
    let whole = api.get("/v1/users/ann/ledger").await.expect(200);
    let whole = whole.body["items"].as_array().expect("items").clone();
    let mut consumed: Vec<i64> = whole
        .iter()
        .filter(|done| done["kind"] == "consume")
        .filter_map(|done| done["entries"][0]["used"].as_i64())
        .collect();
    consumed.sort_unstable();
    assert_eq!(consumed, [1, 2, 3]);
    for limit in [1, 2, 3] {
        let mut paged = Vec::new();
        let mut path = format!("/v1/users/ann/ledger?limit={limit}");
        loop {
            let page = api.get(&path).await.expect(200);
            paged.extend(page.body["items"].as_array().expect("items").clone());
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            path = format!("/v1/users/ann/ledger?limit={limit}&after={next}");
        }
        assert_eq!(paged, whole, "by {limit}");
    }
    // A move between two pages loses none and shows none twice.
    let first = api.get("/v1/users/ann/ledger?limit=2").await.expect(200);
    let next = first.body["next"].as_str().expect("there are more");
    api.put(PATH, json!({"org": "acme"})).await.expect(200);
    let path = format!("/v1/users/ann/ledger?limit=100&after={next}");
    let second = api.get(&path).await.expect(200);
    let ids = |items: &Value| -> Vec<Value> {
        let items = items.as_array().expect("items").iter();
        items.map(|item| item["id"].clone()).collect()
    };
    let (first, second) = (ids(&first.body["items"]), ids(&second.body["items"]));
    assert!(first.iter().all(|id| !second.contains(id)));
    let whole: Vec<Value> = whole.iter().map(|item| item["id"].clone()).collect();
    assert!(
        whole
            .iter()
            .all(|id| first.contains(id) || second.contains(id))
    );
}

#[tokio::test]
async fn null_takes_nobody_out_of_an_org_where_a_user_is_changed() {
    let api = Api::in_memory().await;
    cast(&api).await;
    let null = json!({"org": null, "time_zone": "Europe/Berlin"});
    let outside = api.patch("/v1/users/ann", null.clone()).await.expect(200);
    assert_eq!(outside.body["changed"], "account_changed", "it has no org");
    api.put("/v1/users/ben", null.clone()).await.expect(201);
    api.put(PATH, json!({"org": "acme"})).await.expect(200);
    let before = api.everything_of("users/ann").await;
    for method in [Method::PATCH, Method::PUT] {
        let refused = api.json(method, "/v1/users/ann", &null).await.expect(409);
        assert_eq!(refused.body["code"], "other_org");
        assert_eq!(refused.body["errors"][0]["pointer"], "/org");
        assert!(refused.text.contains("PUT /v1/users/{id}/org"));
    }
    assert_eq!(api.everything_of("users/ann").await, before);
    let same = json!({"org": "acme", "disabled": false});
    api.patch("/v1/users/ann", same).await.expect(200);
    api.patch("/v1/users/nobody", null).await.expect(404);
}

async fn an_org_that_is_not_there_and_a_hold_hinder_a_move(api: Api) {
    cast(&api).await;
    let nowhere = api.put(PATH, json!({"org": "nowhere"})).await.expect(422);
    assert_eq!(nowhere.body["code"], "unknown_org");
    assert_eq!(nowhere.body["errors"][0]["pointer"], "/org");
    let nobody = api.put("/v1/users/nobody/org", json!({"org": "acme"}));
    assert_eq!(nobody.await.expect(404).body["code"], "unknown_account");
    let ask =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 1, "ttl_seconds": 60});
    let held = api.post("/v1/reservations", ask).await.expect(200);
    let before = api.everything_of("users/ann").await;
    let hindered = api.put(PATH, json!({"org": "acme"})).await.expect(409);
    assert_eq!(hindered.body["code"], "open_reservations");
    assert_eq!(api.everything_of("users/ann").await, before);
    let id = held.body["id"].as_str().expect("an id");
    api.post(&format!("/v1/reservations/{id}/release"), json!({}))
        .await
        .expect(200);
    api.put(PATH, json!({"org": "acme"})).await.expect(200);
    let elsewhere = api.put("/v1/users/ann", json!({"org": "other"})).await;
    assert_eq!(elsewhere.expect(422).body["code"], "unknown_org");
    api.put("/v1/orgs/other", json!({})).await.expect(201);
    let elsewhere = api.put("/v1/users/ann", json!({"org": "other"})).await;
    let elsewhere = elsewhere.expect(409).body;
    assert_eq!(elsewhere["code"], "other_org");
    let detail = elsewhere["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("PUT /v1/users/{id}/org"), "{detail}");
}

async fn a_move_is_repeatable_by_its_key(api: Api) {
    cast(&api).await;
    let put = async |key: &str, body: Value| {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        let body = body.to_string().into_bytes();
        api.send(Method::PUT, PATH, &headers, body).await
    };
    let first = put("m-1", json!({"org": "acme"})).await.expect(200);
    let again = put("m-1", json!({"org": "acme"})).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body["id"], first.body["id"]);
    let other = put("m-1", json!({"org": null})).await.expect(422);
    assert_eq!(other.body["code"], "idempotency_key_reused");
    put("m-2", json!({"org": null})).await.expect(200);
    let late = put("m-1", json!({"org": "acme"})).await.expect(200);
    assert_eq!(late.header("idempotent-replayed"), Some("true"));
    let ann = api.get("/v1/users/ann").await.expect(200);
    assert_eq!(ann.body["org"], Value::Null, "a replay moves nobody");
}

/// X3: the user's part comes back where it lives now, the org's part at the org that was charged.
async fn what_was_consumed_before_a_move_is_refunded_after_it(api: Api) {
    cast(&api).await;
    let refund = |spent: &Answer| {
        let id = spent.body["id"].as_str().expect("an id");
        format!("/v1/consumptions/{id}/refund")
    };
    let alone = spends(&api, 3).await;
    api.put(PATH, json!({"org": "acme"})).await.expect(200);
    let inside = spends(&api, 4).await;
    let back = api.post(&refund(&alone), json!({})).await.expect(200);
    assert_eq!(back.body["returned"][0]["amount"], 3);
    assert_eq!(used(&api, "users/ann").await, 4);
    assert_eq!(
        used(&api, "orgs/acme").await,
        4,
        "it was never charged for that"
    );
    api.put(PATH, json!({"org": null})).await.expect(200);
    let keyed = json!({"amount": 1});
    let path = refund(&inside);
    let first = api.post_keyed(&path, "k", &keyed).await.expect(200);
    let again = api.post_keyed(&path, "k", &keyed).await.expect(200);
    assert_eq!(again.body["replayed"], true);
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(used(&api, "users/ann").await, 3);
    assert_eq!(used(&api, "orgs/acme").await, 3);
    let refused = api.post(&path, json!({"amount": 4})).await.expect(409);
    assert_eq!(refused.body["code"], "refund_too_large");
    api.post(&path, json!({})).await.expect(200);
    assert_eq!(used(&api, "users/ann").await, 0);
    assert_eq!(used(&api, "orgs/acme").await, 0);
    let nothing = api.post(&path, json!({})).await.expect(409);
    assert_eq!(nothing.body["code"], "already_refunded");
}

#[tokio::test]
async fn a_move_says_where_to_and_where_it_is_wrong() {
    let api = Api::in_memory().await;
    cast(&api).await;
    let before = api.everything_of("users/ann").await;
    for (body, pointer) in [
        (json!({}), "/org"),
        (json!({"org": ""}), "/org"),
        (json!({"org": 7}), "/org"),
        (json!({"org": "acme", "plan": "x"}), "/plan"),
    ] {
        let refused = api.put(PATH, body.clone()).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(api.everything_of("users/ann").await, before);
}
