//! An org limits each of its members, over HTTP (O7).

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    e39_an_org_limits_its_members_and_one_of_them_otherwise,
    a_plan_limits_members_and_the_org_sets_that_aside,
    what_members_may_use_is_shown_everywhere,
    member_limits_that_cannot_be_are_refused_by_their_place,
    a_key_has_one_effect_and_who_moves_leaves_its_limit_behind,
    a_file_names_the_members_that_would_be_over,
);

const PLANS: &str = r#"[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[plan]]
code = "team"
name = "Team"
price = 1000
limits = { messages = 1000 }

[[plan]]
code = "school"
name = "School"
price = 2000
limits = { messages = { limit = 500, member_limit = 40 }, sso = true }
"#;
const ALL: &str = "/v1/orgs/acme/member-limits/messages";
const ANN: &str = "/v1/orgs/acme/members/ann/limits/messages";

/// An org on a plan, with ann, who is unlimited by default, and bob, of whom that was said.
async fn org_on(api: &Api, plan: &str) {
    api.apply(&format!("{}\n{PLANS}", crate::api_under_test::CATALOG))
        .await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": plan})).await;
    let (ann, bob) = (
        json!({"id": "ann", "org": "acme"}),
        json!({"id": "bob", "org": "acme", "unlimited": true}),
    );
    api.post("/v1/users", ann).await.expect(201);
    api.post("/v1/users", bob).await.expect(201);
}

/// Why, whose limit bound, what was asked for and what would have been enough.
#[track_caller]
fn is_denied(answer: &Answer, requested: u64, available: u64) {
    let body = &answer.body;
    assert_eq!(answer.status, 429, "{}", answer.text);
    let told = json!([
        body["code"],
        body["reason"],
        body["scope"],
        body["requested"],
        body["available"]
    ]);
    let code = "member_limit_reached";
    let wanted = json!([code, code, "org", requested, available]);
    assert_eq!(told, wanted, "{}", answer.text);
}

/// E39: an org limits members to 100; ann (by default) has used 100, bob was said to be unlimited; 1 each; with ann's override 150,
/// ann has 50 more.
async fn e39_an_org_limits_its_members_and_one_of_them_otherwise(api: Api) {
    org_on(&api, "team").await;
    let set = json!({"limit": 100, "reason": "fair shares"});
    let set = api.put(ALL, set).await.expect(200);
    let told = json!([
        set.body["changed"],
        set.body["detail"],
        set.body["in_force"]
    ]);
    assert_eq!(told, json!(["member_limit_set", "messages: 100", true]));
    api.consume("ann", "messages", 100).await.expect(200);
    let denied = api.consume("ann", "messages", 1).await;
    is_denied(&denied, 1, 0);
    let org = api.standing("orgs/acme", "messages").await;
    assert_eq!(denied.body["resets_at"], org["resets_at"]);
    api.consume("bob", "messages", 1).await.expect(200);
    api.put(ANN, json!({"limit": 150})).await.expect(200);
    is_denied(&api.consume("ann", "messages", 51).await, 51, 50);
    let one = json!({"user": "ann", "feature": "messages", "amount": 51});
    let checked = api.post("/v1/check", one).await.expect(200).body;
    let told = json!([checked["allowed"], checked["reason"], checked["available"]]);
    assert_eq!(told, json!([false, "member_limit_reached", 50]));
    let spent = api.consume("ann", "messages", 10).await.expect(200);
    let binds = spent.header("ratelimit").expect("a field");
    assert!(binds.starts_with("\"messages\";r=40;t="), "{binds}");
    let policy = spent.header("ratelimit-policy");
    assert_eq!(policy, Some("\"messages\";q=150"));
    let spent = api.consume("ann", "messages", 40).await.expect(200);
    let member = &spent.balance("org")["member"];
    assert_eq!(
        json!([member["used"], member["remaining"]]),
        json!([150, 0])
    );
    is_denied(&api.consume("ann", "messages", 1).await, 1, 0);
    let held = json!({"user": "ann", "feature": "messages", "amount": 1, "ttl_seconds": 60});
    is_denied(&api.post("/v1/reservations", held).await, 1, 0);
    let items = json!({"user": "ann", "items": [{"feature": "messages", "amount": 1}]});
    is_denied(&api.post("/v1/consume", items.clone()).await, 1, 0);
    let checked = api.post("/v1/check", items).await.expect(200).body;
    assert_eq!(checked["reason"], "member_limit_reached");
    let track = json!({"user": "ann", "feature": "messages", "amount": 5});
    api.post("/v1/track", track).await.expect(200);
    api.delete(ANN).await.expect(200);
    api.delete(ALL).await.expect(200);
    let last = api.consume("ann", "messages", 1).await.expect(200);
    assert_eq!(last.balance("org")["member"], Value::Null);
}

/// O7: what the plan says, what was set for all in its place, and for one in place of that; the window's end begins the count anew.
async fn a_plan_limits_members_and_the_org_sets_that_aside(api: Api) {
    org_on(&api, "school").await;
    is_denied(&api.consume("ann", "messages", 41).await, 41, 40);
    api.consume("ann", "messages", 40).await.expect(200);
    let told = api.get(ALL).await.expect(200).body;
    let set = &told["set"];
    let shown = json!([told["limit"], told["plan_value"], set, told["in_force"]]);
    assert_eq!(shown, json!([40, 40, null, true]));
    let until = (crate::api_under_test::noon() + TimeDelta::days(2)).to_rfc3339();
    let limit = json!({"limit": 45, "expires_at": until, "reason": "exams"});
    api.put(ALL, limit).await.expect(200);
    let told = api.get(ALL).await.expect(200).body;
    let shown = json!([told["limit"], told["plan_value"], told["set"]["limit"]]);
    assert_eq!(shown, json!([45, 40, 45]));
    assert_eq!(told["set"]["reason"], "exams");
    api.consume("ann", "messages", 5).await.expect(200);
    is_denied(&api.consume("ann", "messages", 1).await, 1, 0);
    api.put(ANN, json!({"limit": "unlimited"}))
        .await
        .expect(200);
    api.consume("ann", "messages", 10).await.expect(200);
    api.delete(ANN).await.expect(200);
    api.pass(TimeDelta::days(2));
    is_denied(&api.consume("ann", "messages", 1).await, 1, 0);
    let renew = "/v1/orgs/acme/subscription/renew";
    api.post(renew, json!({})).await.expect(200);
    api.pass(TimeDelta::days(29));
    api.consume("ann", "messages", 40).await.expect(200);
    is_denied(&api.consume("ann", "messages", 1).await, 1, 0);
    api.pass(TimeDelta::days(40));
    let ended = api.consume("ann", "messages", 1).await.expect(403);
    assert_eq!(ended.body["code"], "org_subscription_expired");
    let told = api.get(ALL).await.expect(200).body;
    assert_eq!(
        json!([told["limit"], told["in_force"]]),
        json!([null, false])
    );
}

/// O7, O6: the member's overview shows its limit beside the org's, the org's overview what counts for all, the report each
/// member's, and `entitlements` what is left.
async fn what_members_may_use_is_shown_everywhere(api: Api) {
    org_on(&api, "school").await;
    api.put(ANN, json!({"limit": 30})).await.expect(200);
    api.consume("ann", "messages", 10).await.expect(200);
    api.consume("bob", "messages", 50).await.expect(200);
    let overview = api.get("/v1/users/ann/overview").await.expect(200).body;
    let features = overview["features"].as_array().expect("a list");
    let is_messages = |of: &&Value| of["feature"] == "messages";
    let messages = features.iter().find(is_messages).expect("it is counted");
    let org = &messages["org"];
    let mut wanted = json!({
        "limit": 30, "used": 10, "held": 0, "remaining": 20, "plan_value": 40, "override_value": 30,
    });
    wanted["resets_at"] = org["resets_at"].clone();
    assert_eq!(org["member"], wanted);
    assert_eq!(json!([org["used"], org["granted"]]), json!([60, 500]));
    let of_ann = &overview["account"]["member_limits"];
    assert_eq!(of_ann["messages"]["limit"], 30);
    let one = api.get(ANN).await.expect(200).body;
    assert_eq!(
        json!([one["balance"], one["set"]["limit"]]),
        json!([wanted, 30])
    );
    api.put(ALL, json!({"limit": 60})).await.expect(200);
    let overview = api.get("/v1/orgs/acme/overview").await.expect(200).body;
    let features = overview["features"].as_array().expect("a list");
    let messages = features.iter().find(is_messages).expect("it is counted");
    let each = json!({"limit": 60, "plan_value": 40, "all_value": 60});
    assert_eq!(messages["each_member"], each);
    let report = api.get("/v1/orgs/acme/members").await.expect(200).body;
    let of_member = |at: usize| {
        let features = report["items"][at]["features"].as_array();
        features.and_then(|list| list.iter().find(is_messages).cloned())
    };
    let (ann, bob) = (of_member(0).expect("ann"), of_member(1).expect("bob"));
    let in_org = &ann["in_org"];
    let of_ann = json!([in_org["limit"], in_org["all_value"], in_org["remaining"]]);
    assert_eq!(of_ann, json!([30, 60, 20]));
    assert_eq!(json!([bob["in_org"], bob["charged"]]), json!([null, 50]));
    let left = api.get("/v1/users/ann/entitlements").await.expect(200).body;
    let left = &left["limits"]["messages"];
    let told = json!([left["scope"], left["limit"], left["remaining"]]);
    assert_eq!(told, json!(["org", 30, 20]));
}

/// O7: bad input: a member limit on a flag, on what there is not, for who is no member; in a file with line and column.
/// Nothing changes.
async fn member_limits_that_cannot_be_are_refused_by_their_place(api: Api) {
    org_on(&api, "team").await;
    let before = api.everything_of("orgs/acme").await;
    let at = |feature: &str| format!("/v1/orgs/acme/member-limits/{feature}");
    let of_ann = |feature: &str| format!("/v1/orgs/acme/members/ann/limits/{feature}");
    let limit = json!({"limit": 5});
    for (path, body, status, code) in [
        (at("sso"), limit.clone(), 422, "not_countable"),
        (of_ann("sso"), limit.clone(), 422, "not_countable"),
        (at("nothing"), limit.clone(), 404, "unknown_feature"),
        (at("messages"), json!({"limit": -5}), 422, "invalid_body"),
        (at("messages"), json!({}), 422, "invalid_body"),
        (
            "/v1/orgs/acme/members/nobody/limits/messages".to_owned(),
            limit.clone(),
            404,
            "unknown_account",
        ),
        (
            "/v1/orgs/none/members/ann/limits/messages".to_owned(),
            limit.clone(),
            404,
            "unknown_member",
        ),
    ] {
        let refused = api.put(&path, body).await.expect(status).body;
        assert_eq!(refused["code"], code, "{path}: {refused}");
    }
    let place = api.put(&at("sso"), limit).await.body["errors"][0].clone();
    assert_eq!(place["parameter"], "feature", "{place}");
    assert_eq!(api.everything_of("orgs/acme").await, before);
    for (plan, column) in [
        ("sso = { limit = 1, member_limit = 5 }", 18),
        (
            "messages = { limit = 5, per = \"daily\", member_limit = 5 }",
            66,
        ),
        ("messages = { limit = 5, member_limit = -5 }", 51),
    ] {
        let file = PLANS.replace(
            "limits = { messages = 1000 }",
            &format!("limits = {{ {plan} }}"),
        );
        let refused = api.post_toml("/v1/catalog/apply", &file).await.expect(422);
        let error = &refused.body["errors"][0];
        assert_eq!(refused.body["code"], "invalid_catalog", "{error}");
        let place = json!([error["line"], error["column"]]);
        assert_eq!(place, json!([17, column]), "{plan}: {error}");
    }
}

/// X1, U8: a key has one effect; the limit of one member stays behind when it moves, and what it used there does not come along.
async fn a_key_has_one_effect_and_who_moves_leaves_its_limit_behind(api: Api) {
    org_on(&api, "school").await;
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "k1"),
    ];
    let body = br#"{"limit": 25}"#.to_vec();
    let set = api.send(Method::PUT, ANN, &headers, body.clone()).await;
    let id = set.expect(200).body["id"].clone();
    let again = api.send(Method::PUT, ANN, &headers, body).await.expect(200);
    assert_eq!(
        json!([again.body["id"], again.body["replayed"]]),
        json!([id, true])
    );
    api.consume("ann", "messages", 20).await.expect(200);
    // Outside the org that made her she is not unlimited any more.
    api.subscribe("users/ann", json!({"plan": "team"})).await;
    api.put("/v1/orgs/other", json!({})).await.expect(201);
    api.subscribe("orgs/other", json!({"plan": "school"})).await;
    let (org, other) = ("/v1/users/ann/org", json!({"org": "other"}));
    api.put(org, other).await.expect(200);
    is_denied(&api.consume("ann", "messages", 41).await, 41, 40);
    api.put(ANN, json!({"limit": 5})).await.expect(404);
    let back = json!({"org": "acme"});
    api.put(org, back).await.expect(200);
    is_denied(&api.consume("ann", "messages", 21).await, 21, 20);
}

/// C7 and O7: which members a file would leave over what their org's plan lets them use.
async fn a_file_names_the_members_that_would_be_over(api: Api) {
    org_on(&api, "school").await;
    api.consume("ann", "messages", 30).await.expect(200);
    api.consume("bob", "messages", 40).await.expect(200);
    let path = "/v1/catalog/plan";
    let same = api.post_toml(path, PLANS).await.expect(200).body;
    assert_eq!(same["over_limit"], json!([]));
    let lower = PLANS.replace("member_limit = 40", "member_limit = 20");
    let plan = api.post_toml(path, &lower).await.expect(200).body;
    let over = json!([{"account": "user:ann", "feature": "messages", "used": 30, "limit": 20}]);
    assert_eq!(plan["over_limit"], over);
}
