//! Members that an org's plan counts, over HTTP (C12).

use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    e38_nobody_joins_beyond_the_limit_and_nobody_leaves_below_it,
    c12_members_are_used_by_no_request,
    c7_a_file_names_the_orgs_with_too_many_members,
);

const PLANS: &str = r#"[[feature]]
code = "members"
name = "Members"
unit = "member"
kind = "capacity"
cadence = "subscription"
counts = "members"

[[plan]]
code = "team"
name = "Team"
price = 1000
limits = { members = { limit = 1, per_seat = true } }
"#;
const SEATS: &str = "/v1/orgs/acme/subscription/seats";

/// An org with 5 seats and as many members, `m0` to `m4`.
async fn team(api: &Api) {
    api.apply(&format!("{}\n{PLANS}", crate::api_under_test::CATALOG))
        .await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "team", "seats": 5}))
        .await;
    for number in 0..5 {
        let body = json!({"id": format!("m{number}"), "org": "acme"});
        api.post("/v1/users", body).await.expect(201);
    }
}

fn is_full(answer: Answer, limit: u64, used: u64) {
    let body = answer.expect(409).body;
    let said = json!([body["code"], body["feature"], body["limit"], body["used"]]);
    assert_eq!(
        said,
        json!(["limit_reached", "members", limit, used]),
        "{body}"
    );
    assert_eq!(body["errors"][0]["pointer"], "/org", "{body}");
}

async fn shown(api: &Api) -> Value {
    let balance = api.standing("orgs/acme", "members").await;
    json!([balance["used"], balance["granted"], balance["remaining"]])
}

/// E38: 5 seats and 5 members; a sixth is refused, created or moved; with 3 seats nobody leaves and nobody joins (S6); a place
/// that is given back is taken.
async fn e38_nobody_joins_beyond_the_limit_and_nobody_leaves_below_it(api: Api) {
    team(&api).await;
    assert_eq!(shown(&api).await, json!([5, 5, 0]));
    let six = json!({"id": "six", "org": "acme"});
    is_full(api.post("/v1/users", six.clone()).await, 5, 5);
    api.get("/v1/users/six").await.expect(404);
    api.user("bob", None).await;
    let (bob, to_acme) = ("/v1/users/bob/org", json!({"org": "acme"}));
    is_full(api.put(bob, to_acme.clone()).await, 5, 5);
    api.put(SEATS, json!({"seats": 3})).await.expect(200);
    assert_eq!(shown(&api).await, json!([5, 3, 0]));
    is_full(api.post("/v1/users", six.clone()).await, 3, 5);
    for number in 0..3 {
        let path = format!("/v1/users/m{number}/org");
        api.put(&path, json!({"org": null})).await.expect(200);
    }
    assert_eq!(shown(&api).await, json!([2, 3, 1]));
    let entitled = api.get("/v1/orgs/acme/entitlements").await.expect(200).body;
    assert_eq!(entitled["limits"]["members"]["remaining"], 1);
    api.put(bob, to_acme).await.expect(200);
    is_full(api.post("/v1/users", six.clone()).await, 3, 3);
    let track = json!({"policy": "track"});
    api.patch("/v1/orgs/acme", track).await.expect(200);
    api.post("/v1/users", six).await.expect(201);
    assert_eq!(shown(&api).await, json!([4, 3, 0]));
}

/// C12: bad input: no request uses the members of an org, and nothing changes.
async fn c12_members_are_used_by_no_request(api: Api) {
    team(&api).await;
    let before = api.everything_of("orgs/acme").await;
    let one = json!({"user": "m0", "feature": "members", "amount": 1});
    let mut held = one.clone();
    held["ttl_seconds"] = json!(60);
    for (path, body, place) in [
        ("/v1/check", one.clone(), "/feature"),
        ("/v1/consume", one.clone(), "/feature"),
        ("/v1/track", one.clone(), "/feature"),
        ("/v1/reservations", held, "/feature"),
        ("/v1/capacity/release", one, "/feature"),
        (
            "/v1/orgs/acme/reset",
            json!({"features": ["members"]}),
            "/features/0",
        ),
    ] {
        let refused = api.post(path, body).await.expect(422).body;
        assert_eq!(refused["code"], "counts_members", "{path}: {refused}");
        assert_eq!(refused["errors"][0]["pointer"], place, "{path}: {refused}");
    }
    assert_eq!(api.everything_of("orgs/acme").await, before);
}

/// C7 and C12: who would have too many members.
async fn c7_a_file_names_the_orgs_with_too_many_members(api: Api) {
    team(&api).await;
    let path = "/v1/catalog/plan";
    let same = api.post_toml(path, PLANS).await.expect(200).body;
    assert_eq!(same["over_limit"], json!([]));
    let lower = PLANS.replace("{ limit = 1, per_seat = true }", "4");
    let plan = api.post_toml(path, &lower).await.expect(200).body;
    let over = json!([{"account": "org:acme", "feature": "members", "used": 5, "limit": 4}]);
    assert_eq!(plan["over_limit"], over);
}
