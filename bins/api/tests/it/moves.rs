//! A user joins an org, leaves it, and what it did before (O1, X3).

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    a_user_joins_an_org_and_leaves_it,
    an_org_that_is_not_there_and_a_hold_hinder_a_move,
    a_move_is_repeatable_by_its_key,
    what_was_consumed_before_a_move_is_refunded_after_it,
    a_hold_from_before_a_move_is_committed_late,
    a_creation_that_is_repeated_after_a_move_gets_its_first_answer,
    a_denial_of_an_unknown_user_binds_no_key,
    a_refund_after_a_reset_lowers_what_the_member_holds_and_no_more,
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
    assert_eq!(joined.body["changed"], "moved");
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
    assert_eq!(left.body["changed"], "moved");
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
    // The org lives in the same home, and has a ledger of its own.
    let of_org = format!("/v1/orgs/acme/ledger?after={next}");
    api.get(&of_org).await.expect(422);
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

/// Scopes and amounts of draws.
fn amounts(draws: &Value) -> Vec<(&str, u64)> {
    let draws = draws.as_array().into_iter().flatten();
    draws
        .filter_map(|draw| Some((draw["scope"].as_str()?, draw["amount"].as_u64()?)))
        .collect()
}

/// X3, R5: a hold that ran out before a move is committed late after it, for the user where it lives now and for the org that
/// the hold lay on; asked again it gives the same answer.
async fn a_hold_from_before_a_move_is_committed_late(api: Api) {
    cast(&api).await;
    api.put(PATH, json!({"org": "acme"})).await.expect(200);
    let ask =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 2, "ttl_seconds": 60});
    let held = api.post("/v1/reservations", ask).await.expect(200);
    let id = held.body["id"].as_str().expect("an id");
    api.pass(TimeDelta::seconds(61));
    api.put(PATH, json!({"org": null})).await.expect(200);
    let path = format!("/v1/reservations/{id}/commit");
    let late = api.post(&path, json!({"actual": 3})).await.expect(200);
    assert_eq!(late.body["late"], true, "{}", late.text);
    let again = api.post(&path, json!({"actual": 3})).await.expect(200);
    assert_eq!(again.body["id"], late.body["id"]);
    assert_eq!(used(&api, "users/ann").await, 3);
    assert_eq!(used(&api, "orgs/acme").await, 3);
    let other = api.post(&path, json!({"actual": 1})).await.expect(409);
    assert_eq!(other.body["code"], "reservation_ended");
    assert_eq!(amounts(&late.body["draws"]), [("user", 3), ("org", 3)]);
    let shown = api.get(&format!("/v1/reservations/{id}")).await.expect(200);
    assert_eq!(shown.body["ended_at"], shown.body["expires_at"]);
    assert_eq!(shown.body["used"], 3);
    // X3: a refund gives both parts back, also when the user has moved on.
    let operation = late.body["id"].as_str().expect("an id");
    let refund = format!("/v1/consumptions/{operation}/refund");
    let part = api.post_keyed(&refund, "r", &json!({"amount": 1})).await;
    let part = part.expect(200).body;
    assert_eq!(amounts(&part["returned"]), [("user", 1), ("org", 1)]);
    assert_eq!(used(&api, "users/ann").await, 2);
    assert_eq!(used(&api, "orgs/acme").await, 2);
    let again = api.post_keyed(&refund, "r", &json!({"amount": 1})).await;
    let again = again.expect(200).body;
    assert_eq!(
        (&again["id"], &again["replayed"]),
        (&part["id"], &json!(true))
    );
    assert_eq!(again["returned"], part["returned"]);
    api.put("/v1/orgs/beta", json!({})).await.expect(201);
    for (org, left) in [("beta", 1), ("acme", 0)] {
        api.put(PATH, json!({"org": org})).await.expect(200);
        let part = api.post(&refund, json!({"amount": 1})).await.expect(200);
        let returned = amounts(&part.body["returned"]);
        assert_eq!(returned, [("user", 1), ("org", 1)], "from {org}");
        assert_eq!(used(&api, "users/ann").await, left);
        assert_eq!(used(&api, "orgs/acme").await, left);
        let shown = api.get(&format!("/v1/reservations/{id}")).await.expect(200);
        assert_eq!(shown.body["used"], 3, "from {org}");
    }
    let nothing = api.post(&refund, json!({})).await.expect(409);
    assert_eq!(nothing.body["code"], "already_refunded");
}

/// X1: a creation under a key, sent again after moves, gets its first answer; another body under that key is told so.
async fn a_creation_that_is_repeated_after_a_move_gets_its_first_answer(api: Api) {
    cast(&api).await;
    let body = json!({"id": "ben", "org": "acme"});
    let first = api.post_keyed("/v1/users", "c-1", &body).await.expect(201);
    for org in [json!(null), json!("acme"), json!(null)] {
        let path = "/v1/users/ben/org";
        api.put(path, json!({"org": org})).await.expect(200);
        let again = api.post_keyed("/v1/users", "c-1", &body).await.expect(201);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.body["id"], first.body["id"]);
        let other = json!({"id": "ben"});
        let refused = api.post_keyed("/v1/users", "c-1", &other).await.expect(422);
        assert_eq!(refused.body["code"], "idempotency_key_reused");
        api.post("/v1/users", body.clone()).await.expect(409);
    }
}

/// X1: a denial of an unknown user carries no id and binds no key: once there is such a user, the same request is decided.
async fn a_denial_of_an_unknown_user_binds_no_key(api: Api) {
    let ask = json!({"user": "ann", "feature": "articles_per_month", "amount": 1});
    let refused = api.post_keyed("/v1/consume", "k", &ask).await.expect(404);
    assert_eq!(refused.body["reason"], "unknown_user");
    assert_eq!(refused.body["id"], Value::Null, "{}", refused.text);
    cast(&api).await;
    let allowed = api.post_keyed("/v1/consume", "k", &ask).await.expect(200);
    assert_eq!(allowed.body["replayed"], false);
    assert_eq!(used(&api, "users/ann").await, 1);
}

/// O8, X3, X6: a refund after the user's reset charges its org for nothing, and after the org's reset lowers nobody else's.
async fn a_refund_after_a_reset_lowers_what_the_member_holds_and_no_more(api: Api) {
    cast(&api).await;
    api.put(PATH, json!({"org": "acme"})).await.expect(200);
    let ben = json!({"org": "acme"});
    api.put("/v1/users/ben", ben).await.expect(201);
    let albums = async |account: &str| {
        let standing = api.standing(account, "gallery_albums").await;
        standing["used"].as_u64().expect("a number")
    };
    let takes = async |user: &str, amount: u64| {
        let spent = api.consume(user, "gallery_albums", amount).await;
        let spent = spent.expect(200);
        let id = spent.body["id"].as_str().expect("an id");
        format!("/v1/consumptions/{id}/refund")
    };
    let refund = takes("ann", 2).await;
    takes("ben", 1).await;
    let reset = json!({"features": ["gallery_albums"]});
    api.post("/v1/users/ann/reset", reset.clone())
        .await
        .expect(200);
    assert_eq!(albums("orgs/acme").await, 1);
    api.post(&refund, json!({})).await.expect(200);
    assert_eq!(albums("orgs/acme").await, 1);
    let refund = takes("ann", 2).await;
    api.post("/v1/orgs/acme/reset", reset).await.expect(200);
    takes("ben", 1).await;
    api.post(&refund, json!({})).await.expect(200);
    assert_eq!(albums("users/ann").await, 0);
    assert_eq!(albums("orgs/acme").await, 1);
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
