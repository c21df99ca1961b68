//! One thing by its id, what became of it, and what an operator takes back.

use chrono::TimeDelta;
use quota_core::command::{CloseWindows, Command};
use quota_core::ids::AccountId;
use quota_core::origin::Origin;
use quota_service::Ask;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    a_reservation_shows_what_became_of_it,
    a_reserve_that_was_denied_is_shown_as_one,
    an_operation_is_shown_after_its_user_moved,
    a_grant_by_mistake_is_taken_back,
    a_grant_is_shown_whatever_became_of_it,
    a_token_is_reset_and_shown,
    a_cap_with_a_cadence_is_whole_again,
);

/// X8: a reservation shows its state, and an error about it names that state.
async fn a_reservation_shows_what_became_of_it(api: Api) {
    api.user("ann", Some("article_free")).await;
    let ask =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 3, "ttl_seconds": 60});
    let held = api.post("/v1/reservations", ask.clone()).await.expect(200);
    let path = format!(
        "/v1/reservations/{}",
        held.body["id"].as_str().expect("an id")
    );
    let open = api.get(&path).await.expect(200);
    assert_eq!(open.body["state"], "open");
    assert_eq!(open.body["amount"], 3);
    assert_eq!(open.body["draws"][0]["amount"], 3);
    assert_eq!(open.body.get("ended_at"), None);
    let commit = format!("{path}/commit");
    api.post(&commit, json!({"actual": 2})).await.expect(200);
    let ended = api.get(&path).await.expect(200);
    assert_eq!(ended.body["state"], "committed");
    assert_eq!(ended.body["used"], 2);
    let refused = api.post(&commit, json!({"actual": 1})).await.expect(409);
    let detail = refused.body["detail"].as_str().expect("a text");
    assert!(
        detail.starts_with("the reservation was committed at "),
        "{detail}"
    );
    assert!(detail.ends_with(" with 2 used"), "{detail}");
    let held = api.post("/v1/reservations", ask).await.expect(200);
    let path = format!(
        "/v1/reservations/{}",
        held.body["id"].as_str().expect("an id")
    );
    api.pass(TimeDelta::seconds(60));
    let expired = api.get(&path).await.expect(200);
    assert_eq!(expired.body["state"], "expired");
    assert_eq!(expired.body["ended_at"], expired.body["expires_at"]);
    // The same once that is booked, and a release gives nothing back any more.
    api.pass(TimeDelta::seconds(60));
    let released = api.post(&format!("{path}/release"), json!({})).await;
    let released = released.expect(200).body;
    assert_eq!(released["state"], "expired");
    assert_eq!(released.get("returned"), None, "{released}");
    assert_eq!(api.get(&path).await.expect(200).body, expired.body);
    let nothing = "/v1/reservations/res.dXNlcjphbm4.00000000-0000-7000-8000-000000000001";
    api.get(nothing).await.expect(404);
}

/// X8 and X1: a reserve that was denied under a key is a reserve in the ledger too, and no reservation.
async fn a_reserve_that_was_denied_is_shown_as_one(api: Api) {
    api.user("ann", Some("article_free")).await;
    let ask =
        json!({"user": "ann", "feature": "articles_per_month", "amount": 6, "ttl_seconds": 60});
    let denied = api.post_keyed("/v1/reservations", "k", &ask).await;
    let denied = denied.expect(429).body;
    assert_eq!(denied["code"], "limit_reached");
    let id = denied["id"].as_str().expect("an id");
    let shown = api.get(&format!("/v1/operations/{id}")).await.expect(200);
    assert_eq!(shown.body["kind"], "reserve", "{}", shown.text);
    assert_eq!(shown.body["allowed"], false);
    let listed = api.get("/v1/users/ann/ledger?limit=1").await.expect(200);
    assert_eq!(listed.body["items"][0], shown.body);
    let again = api.post_keyed("/v1/reservations", "k", &ask).await;
    assert_eq!(again.expect(429).body["id"], denied["id"]);
    let refund = format!("/v1/consumptions/{id}/refund");
    let refused = api.post(&refund, json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "not_refundable");
    assert!(
        refused.text.contains("it is a `reserve`"),
        "{}",
        refused.text
    );
}

/// X8: an operation has an address, which stays when its user moves.
async fn an_operation_is_shown_after_its_user_moved(api: Api) {
    api.user("ann", Some("article_free")).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    let spent = api
        .consume("ann", "articles_per_month", 2)
        .await
        .expect(200);
    let path = format!(
        "/v1/operations/{}",
        spent.body["id"].as_str().expect("an id")
    );
    let before = api.get(&path).await.expect(200).body;
    assert_eq!(before["kind"], "consume");
    assert_eq!(before["entries"][0]["used"], 2);
    let body = json!({"org": "acme"});
    api.put("/v1/users/ann/org", body).await.expect(200);
    assert_eq!(api.get(&path).await.expect(200).body, before);
    let nothing = "/v1/operations/op.dXNlcjphbm4.00000000-0000-7000-8000-000000000001";
    api.get(nothing).await.expect(404);
}

/// E46, P19 and X8: what is left of a grant is taken back; the errors name what is left, and no field that was not sent.
async fn a_grant_by_mistake_is_taken_back(api: Api) {
    api.user("dan", None).await;
    let grant = json!({"id": "gift", "amount": 5000});
    api.post("/v1/users/dan/credits", grant).await.expect(201);
    api.consume("dan", "try_on", 20).await.expect(200);
    let path = "/v1/users/dan/credits/gift/take-back";
    let much = api.post(path, json!({"amount": 5001})).await.expect(409);
    assert_eq!(much.body["code"], "grant_too_small");
    assert_eq!(much.body["errors"][0]["pointer"], "/amount");
    let body = json!({"amount": 4950, "reason": "ten times too many"});
    let back = api.post(path, body).await.expect(200);
    assert_eq!(back.body["changed"], "credits_taken_back");
    let left = api.get("/v1/users/dan/credits").await.expect(200);
    assert_eq!(left.body["balance"], 30);
    api.post(path, json!({})).await.expect(200);
    let empty = api.post(path, json!({})).await.expect(409);
    assert_eq!(empty.body["code"], "grant_empty");
    assert!(
        empty.text.contains("is left: it is spent"),
        "{}",
        empty.text
    );
    assert_eq!(empty.body.get("errors"), None);
    let mistake = json!({"id": "twice", "amount": 7});
    api.post("/v1/users/dan/credits", mistake).await.expect(201);
    let path = "/v1/users/dan/credits/twice";
    let why = json!({"reason": "given twice"});
    let back = api.json(Method::DELETE, path, &why).await.expect(200).body;
    assert_eq!(back["changed"], "credits_taken_back");
    assert_eq!(api.get(path).await.expect(200).body["state"], "taken_back");
    let empty = api.delete(path).await.expect(409).body;
    assert_eq!(empty["code"], "grant_empty");
    let other = "/v1/users/dan/credits/other/take-back";
    assert_eq!(
        api.post(other, json!({})).await.expect(404).body["code"],
        "unknown_grant"
    );
}

/// X8: a grant has an address, and goes on having one when it is spent, expired or taken back, and when the books have
/// closed it; an unknown one is 404.
async fn a_grant_is_shown_whatever_became_of_it(api: Api) {
    api.user("dan", None).await;
    let path = |id: &str| format!("/v1/users/dan/credits/{id}");
    for (id, amount) in [("left", 9), ("spent", 2), ("back", 5), ("over", 3)] {
        let mut grant = json!({"id": id, "amount": amount, "priority": 7});
        if id == "spent" {
            grant["priority"] = json!(1);
        }
        if id == "over" {
            grant["expires_at"] = json!(api.engine.now() + TimeDelta::days(1));
        }
        api.post("/v1/users/dan/credits", grant).await.expect(201);
    }
    api.consume("dan", "try_on", 2).await.expect(200);
    let take_back = format!("{}/take-back", path("back"));
    api.post(&take_back, json!({})).await.expect(200);
    let live = api.get(&path("over")).await.expect(200).body;
    assert_eq!(
        (&live["state"], &live["remaining"]),
        (&json!("live"), &json!(3))
    );
    api.pass(TimeDelta::days(2));
    let wanted = [
        ("left", "live", 9, 0, 9),
        ("spent", "spent", 2, 2, 0),
        ("back", "taken_back", 0, 0, 0),
        ("over", "expired", 3, 0, 0),
    ];
    let account = AccountId::parse("user:dan").expect("a literal id");
    for is_closed in [false, true] {
        if is_closed {
            let ask = Ask {
                account: account.clone(),
                key: None,
                command: Command::CloseWindows(CloseWindows::default()),
                origin: Origin::default(),
            };
            api.engine
                .submit(ask)
                .await
                .expect("it closes what is over");
        }
        for (id, state, granted, used, remaining) in wanted {
            let shown = api.get(&path(id)).await.expect(200).body;
            assert_eq!(shown["state"], state, "{id}, closed: {is_closed}");
            let numbers = [&shown["granted"], &shown["used"], &shown["remaining"]];
            assert_eq!(numbers, [granted, used, remaining], "{id}");
        }
        the_list_has_them_all(&api).await;
    }
    let unknown = api.get(&path("none")).await.expect(404);
    assert_eq!(unknown.body["code"], "unknown_grant");
    let nobody = api.get("/v1/users/nobody/credits/left").await.expect(404);
    assert_eq!(nobody.body["code"], "unknown_account");
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    let grant = json!({"id": "pack", "amount": 4});
    api.post("/v1/orgs/acme/credits", grant).await.expect(201);
    let of_org = api.get("/v1/orgs/acme/credits/pack").await.expect(200);
    assert_eq!(of_org.body["remaining"], 4);
    api.put("/v1/users/dan/org", json!({"org": "acme"}))
        .await
        .expect(200);
    let before_the_move = api.get(&path("spent")).await.expect(200);
    assert_eq!(before_the_move.body["used"], 2);
    the_list_has_them_all(&api).await;
}

/// X8: the list shows what is left first, then what ended, page by page and none twice.
async fn the_list_has_them_all(api: &Api) {
    let at = "/v1/users/dan/credits";
    let ids = |body: &Value| -> Vec<String> {
        let grants = body["grants"].as_array().expect("a list").iter();
        grants
            .map(|grant| grant["id"].as_str().expect("a text").to_owned())
            .collect()
    };
    let whole = api.get(at).await.expect(200).body;
    assert_eq!(ids(&whole), ["left", "back", "over", "spent"]);
    assert_eq!(
        (&whole["balance"], &whole["next"]),
        (&json!(9), &Value::Null)
    );
    let ended = whole["grants"].as_array().expect("a list").iter().skip(1);
    assert!(
        ended.clone().all(|grant| grant["remaining"] == 0),
        "{whole}"
    );
    for limit in 1..=4 {
        let (mut paged, mut path) = (Vec::new(), format!("{at}?limit={limit}"));
        loop {
            let page = api.get(&path).await.expect(200).body;
            assert_eq!(page["balance"], 9);
            paged.extend(ids(&page));
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!("{at}?limit={limit}&after={next}");
        }
        assert_eq!(paged, ids(&whole), "by {limit}");
    }
}

/// T3: a reset may name a token.
async fn a_token_is_reset_and_shown(api: Api) {
    api.user("ann", Some("article_pro")).await;
    let token = json!({"id": "ci", "cap": 5});
    api.post("/v1/users/ann/tokens", token).await.expect(201);
    let ask = json!({"user": "ann", "token": "ci", "feature": "articles_per_month", "amount": 5});
    api.post("/v1/consume", ask.clone()).await.expect(200);
    api.post("/v1/consume", ask.clone()).await.expect(429);
    let body = json!({"token": "ci", "reason": "a new month of the contract"});
    api.post("/v1/users/ann/reset", body).await.expect(200);
    let shown = api.get("/v1/users/ann/tokens/ci").await.expect(200);
    assert_eq!(shown.body["balance"]["used"], 0);
    assert_eq!(shown.body["balance"]["remaining"], 5);
    let standing = api.standing("users/ann", "articles_per_month").await;
    assert_eq!(standing["used"], 5, "the user's own use stays");
    api.post("/v1/consume", ask).await.expect(200);
    let unknown = api
        .post("/v1/users/ann/reset", json!({"token": "no"}))
        .await;
    assert_eq!(unknown.expect(404).body["errors"][0]["pointer"], "/token");
    api.get("/v1/users/ann/tokens/no").await.expect(404);
    let none = json!({"features": []});
    let refused = api.post("/v1/users/ann/reset", none).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/features");
    let standing = api.standing("users/ann", "articles_per_month").await;
    assert_eq!(standing["used"], 10, "an empty list resets nothing");
}

/// T3: a cap may have a cadence, counted from the token's making; a denial says when it is whole again.
async fn a_cap_with_a_cadence_is_whole_again(api: Api) {
    api.user("ann", Some("article_pro")).await;
    let made_at = api.engine.now();
    let token = json!({"id": "ci", "cap": 5, "per": "5h"});
    api.post("/v1/users/ann/tokens", token).await.expect(201);
    let ask = |amount: u64| json!({"user": "ann", "token": "ci", "feature": "articles_per_month", "amount": amount});
    api.post("/v1/consume", ask(4)).await.expect(200);
    let next = made_at + TimeDelta::hours(5);
    let denied = api.post("/v1/consume", ask(2)).await.expect(429).body;
    assert_eq!(denied["reason"], "token_exhausted");
    let denied_until = denied["resets_at"].as_str().map(str::parse);
    assert_eq!(
        (denied_until, &denied["window"]),
        (Some(Ok(next)), &json!("5h"))
    );
    api.clock.set(next);
    api.post("/v1/consume", ask(2)).await.expect(200);
    let shown = api.get("/v1/users/ann/tokens/ci").await.expect(200).body;
    assert_eq!((&shown["per"], &shown["cap"]), (&json!("5h"), &json!(5)));
    assert_eq!(shown["balance"]["remaining"], 3);
    let lifetime = json!({"per": "lifetime"});
    let path = "/v1/users/ann/tokens/ci";
    api.patch(path, lifetime).await.expect(200);
    let shown = api.get(path).await.expect(200).body;
    assert_eq!(
        (&shown["per"], &shown["balance"]["used"]),
        (&json!(null), &json!(0))
    );
    for per in ["subscription", "0h", "often"] {
        let refused = api.patch(path, json!({"per": per})).await;
        assert_eq!(refused.expect(422).body["errors"][0]["pointer"], "/per");
    }
}
