//! Room of a capacity that credits or a trial paid for (X4).

use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    x4_what_credits_paid_comes_back_as_room,
    x4_an_orgs_room_comes_back_by_its_member,
    a_trial_buys_room_and_its_refund_ends_it,
);

const PLANS: &str = r#"[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"
credit_cost = 1
trial_limit = 2

[[plan]]
code = "pro"
name = "Pro"
price = 900
limits = { albums = 3 }
"#;

async fn release(api: &Api, user: &str, amount: u64) -> Answer {
    let ask = json!({"user": user, "feature": "albums", "amount": amount});
    api.post("/v1/capacity/release", ask).await.expect(200)
}

fn room(balance: &Value) -> Value {
    let room = &balance["room"];
    json!([room["granted"], room["used"], room["remaining"]])
}

/// X4: limit 3 and 5 credits, 5 occupied: a release of 4 says 4, and the next request takes the free room before credits.
async fn x4_what_credits_paid_comes_back_as_room(api: Api) {
    api.apply(PLANS).await;
    api.user("ann", Some("pro")).await;
    api.credits("users/ann", "pack", 5).await;
    let spent = api.consume("ann", "albums", 5).await.expect(200);
    assert_eq!(spent.draws(), ["user allowance 3", "user credits 2"]);
    assert_eq!(room(&spent.balance("user")), json!([2, 2, 0]));
    let back = release(&api, "ann", 4).await;
    let released = json!([{"scope": "user", "amount": 4}]);
    assert_eq!(back.body["released"], released);
    let balance = back.balance("user");
    assert_eq!(room(&balance), json!([2, 0, 2]));
    assert_eq!(
        json!([balance["used"], balance["remaining"], balance["credits"]]),
        json!([1, 2, 3])
    );
    let standing = api.standing("users/ann", "albums").await;
    assert_eq!(room(&standing), json!([2, 0, 2]), "the overview");
    let entitlements = api.get("/v1/users/ann/entitlements").await.expect(200);
    assert_eq!(entitlements.body["limits"]["albums"]["room"], 2);
    let denied = api.consume("ann", "albums", 8).await.expect(429);
    assert_eq!(denied.body["available"], 7);
    let again = api.consume("ann", "albums", 4).await.expect(200);
    assert_eq!(again.draws(), ["user allowance 2", "user room 2"]);
    assert_eq!(again.balance("user")["credits"], 3);
    let ledger = api.get("/v1/users/ann/ledger?limit=50").await.expect(200);
    let items = ledger.body["items"].as_array().expect("a list");
    let entries = items
        .iter()
        .filter_map(|item| item["entries"].as_array())
        .flatten();
    let bought: Vec<_> = entries
        .filter(|entry| entry["bucket"] == "room:albums" && entry["granted"] != 0)
        .map(|entry| json!([entry["source"], entry["granted"], entry["used"]]))
        .collect();
    assert_eq!(bought, [json!(["room", 2, 2])]);
}

/// X4 and O8: what the org's credits paid for a member comes back to the org as room, by that member alone.
async fn x4_an_orgs_room_comes_back_by_its_member(api: Api) {
    api.apply(PLANS).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "pro"})).await;
    api.credits("orgs/acme", "team", 5).await;
    for member in ["bob", "cleo"] {
        let path = format!("/v1/users/{member}");
        api.put(&path, json!({"org": "acme"})).await.expect(201);
    }
    api.consume("bob", "albums", 3).await.expect(200);
    let spent = api.consume("cleo", "albums", 2).await.expect(200);
    assert_eq!(spent.draws(), ["user unlimited 2", "org credits 2"]);
    let back = release(&api, "bob", 9).await;
    let three = json!([{"scope": "user", "amount": 3}, {"scope": "org", "amount": 3}]);
    assert_eq!(back.body["released"], three);
    let back = release(&api, "cleo", 9).await;
    let two = json!([{"scope": "user", "amount": 2}, {"scope": "org", "amount": 2}]);
    assert_eq!(back.body["released"], two);
    assert_eq!(room(&back.balance("org")), json!([2, 0, 2]));
    let again = api.consume("bob", "albums", 5).await.expect(200);
    assert_eq!(
        again.draws(),
        ["user unlimited 5", "org allowance 3", "org room 2"]
    );
    let members = api.get("/v1/orgs/acme/members").await.expect(200);
    let of_bob = members.body["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|member| member["id"] == "bob")
        .expect("a member");
    assert_eq!(of_bob["features"][0]["charged"], 5);
}

/// X4, F2 and X3: without a subscription a trial's use is occupied too; its refund gives the free use back for the room.
async fn a_trial_buys_room_and_its_refund_ends_it(api: Api) {
    api.apply(PLANS).await;
    api.user("ann", None).await;
    let spent = api.consume("ann", "albums", 2).await.expect(200);
    assert_eq!(spent.draws(), ["user trial 2"]);
    let back = release(&api, "ann", 1).await;
    assert_eq!(room(&back.balance("user")), json!([2, 1, 1]));
    let again = api.consume("ann", "albums", 1).await.expect(200);
    assert_eq!(again.draws(), ["user room 1"]);
    let id = spent.body["id"].as_str().expect("an id");
    let refund = format!("/v1/consumptions/{id}/refund");
    let back = api.post(&refund, json!({})).await.expect(200);
    let balance = back.balance("user");
    assert_eq!(balance["trial"], 2);
    // Of its two albums one was released: the other goes back, and that of the second consumption stays.
    assert_eq!(room(&balance), json!([0, 1, 0]));
    let released = release(&api, "ann", 1).await;
    assert_eq!(released.balance("user")["room"], Value::Null);
    assert_eq!(back.body["returned"].as_array().map(Vec::len), Some(1));
}
