//! Add-ons over HTTP (C13, P13).

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e30_seats_and_add_ons_make_the_limit_together,
    e47_a_flag_is_had_with_the_add_on,
    c13_an_add_on_lives_with_the_base_plan,
    c13_an_add_on_that_cannot_be_is_refused_by_its_field,
    c13_a_file_that_misuses_add_ons_is_refused_by_its_place,
    c7_a_file_says_what_it_takes_from_who_holds_an_add_on,
);

const PLANS: &str = r#"[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "daily"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[plan]]
code = "team"
name = "Team"
price = 1000
limits = { messages = { limit = 20, per_seat = true } }
"#;
const MORE: &str = r#"
[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
limits = { messages = 50, images = 3, sso = true }
"#;

const ADDON: &str = "/v1/users/ann/addons/more";

/// A user with so many seats of the team's plan.
async fn team(api: &Api, seats: u32) {
    let all = api.get("/v1/catalog").await.expect(200).body;
    let codes = |list: &str| {
        let all = all[list].as_array().expect("a list").iter();
        let codes: Vec<_> = all
            .map(|one| one["code"].as_str().expect("a code"))
            .collect();
        codes.join(",")
    };
    let (features, plans) = (codes("features"), codes("plans"));
    let path = format!("/v1/catalog/apply?removing_features={features}&removing_plans={plans}");
    api.post_toml(&path, &format!("{PLANS}{MORE}"))
        .await
        .expect(200);
    api.user("ann", None).await;
    api.subscribe("users/ann", json!({"plan": "team", "seats": seats}))
        .await;
}

/// E30, C12 and P13: per seat 20, 5 seats, an add-on of 50 twice: 200, in the overview, in entitlements and when it is spent.
async fn e30_seats_and_add_ons_make_the_limit_together(api: Api) {
    team(&api, 5).await;
    let set = api.put(ADDON, json!({"quantity": 2, "reason": "a busy month"}));
    let set = set.await.expect(200);
    assert_eq!(set.body["changed"], "addon_set", "{}", set.text);
    let shown = api.standing("users/ann", "messages").await;
    let parts = json!([shown["granted"], shown["plan_value"], shown["added"]]);
    assert_eq!(parts, json!([200, 100, 100]));
    api.consume("ann", "messages", 200).await.expect(200);
    let denied = api.consume("ann", "messages", 1).await.expect(429);
    assert_eq!(denied.body["code"], "limit_reached");
    let shown = api.get("/v1/users/ann/overview").await.expect(200).body;
    let held = &shown["account"]["subscription"];
    assert_eq!(held["seats"], 5);
    let addon = &held["addons"][0];
    let addon = json!([addon["plan"], addon["quantity"], addon["in_force"]]);
    assert_eq!(addon, json!(["more", 2, true]), "{held}");
    let list = api.get("/v1/users/ann/addons").await.expect(200).body;
    assert_eq!(list["addons"], held["addons"]);
    let entitled = api.get("/v1/users/ann/entitlements").await.expect(200).body;
    assert_eq!(
        json!([
            entitled["seats"],
            entitled["addons"],
            entitled["limits"]["messages"]["limit"]
        ]),
        json!([5, {"more": 2}, 200])
    );
}

/// E47: a base plan without the flag is `not_in_plan`; with the add-on it is had.
async fn e47_a_flag_is_had_with_the_add_on(api: Api) {
    team(&api, 1).await;
    let check = || api.post("/v1/check", json!({"user": "ann", "feature": "sso"}));
    let denied = check().await.expect(200).body;
    let why = json!([denied["allowed"], denied["reason"]]);
    assert_eq!(why, json!([false, "not_in_plan"]));
    api.put(ADDON, json!({"quantity": 1})).await.expect(200);
    assert_eq!(check().await.expect(200).body["allowed"], true);
    api.delete(ADDON).await.expect(200);
    assert_eq!(check().await.expect(200).body["allowed"], false);
}

/// C13 and S6: an add-on ends by itself, at once when it is asked to, and grants nothing while the base plan is not in force.
async fn c13_an_add_on_lives_with_the_base_plan(api: Api) {
    team(&api, 1).await;
    let ends_at = api.engine.now() + TimeDelta::days(2);
    let two = json!({"quantity": 2, "ends_at": ends_at});
    api.put(ADDON, two).await.expect(200);
    api.consume("ann", "messages", 110).await.expect(200);
    api.consume("ann", "images", 6).await.expect(200);
    let status = "/v1/users/ann/subscription/status";
    let overdue = json!({"status": "unpaid"});
    api.post(status, overdue).await.expect(200);
    let shown = api.get("/v1/users/ann/addons").await.expect(200).body;
    assert_eq!(shown["addons"][0]["in_force"], false, "{shown}");
    api.consume("ann", "images", 1).await.expect(403);
    api.post(status, json!({"status": "active"}))
        .await
        .expect(200);
    assert_eq!(api.standing("users/ann", "messages").await["remaining"], 10);
    api.pass(TimeDelta::days(2));
    let left = api.standing("users/ann", "messages").await;
    let left = json!([left["granted"], left["used"], left["remaining"]]);
    assert_eq!(left, json!([20, 110, 0]), "nothing is taken away");
    let shown = api.get("/v1/users/ann/addons").await.expect(200).body;
    assert_eq!(shown["addons"], json!([]));
    api.put(ADDON, json!({"quantity": 3})).await.expect(200);
    let ended = api.delete(ADDON).await.expect(200);
    assert_eq!(ended.body["changed"], "addon_ended");
    api.consume("ann", "messages", 1).await.expect(429);
    let gone = api.delete(ADDON).await.expect(404);
    assert_eq!(gone.body["code"], "unknown_addon");
}

/// C13: bad input names its field and changes nothing.
async fn c13_an_add_on_that_cannot_be_is_refused_by_its_field(api: Api) {
    team(&api, 1).await;
    api.user("bob", None).await;
    let before = json!([
        api.everything_of("users/ann").await,
        api.everything_of("users/bob").await
    ]);
    for (field, value) in [
        ("quantity", json!(0)),
        ("quantity", json!(100_001)),
        ("ends_at", json!("soon")),
        ("ends_at", json!(api.engine.now())),
    ] {
        let mut body = json!({"quantity": 1});
        body[field] = value;
        let refused = api.put(ADDON, body).await.expect(422);
        let place = &refused.body["errors"][0]["pointer"];
        assert_eq!(place, &json!(format!("/{field}")), "{}", refused.text);
    }
    for (path, status, code, parameter) in [
        (
            "/v1/users/ann/addons/team",
            422,
            "not_an_addon",
            json!("plan"),
        ),
        (
            "/v1/users/ann/addons/none",
            422,
            "unknown_plan",
            json!("plan"),
        ),
        (
            "/v1/users/bob/addons/more",
            409,
            "no_subscription",
            Value::Null,
        ),
        (
            "/v1/users/nobody/addons/more",
            404,
            "unknown_account",
            Value::Null,
        ),
    ] {
        let refused = api.put(path, json!({"quantity": 1})).await.expect(status);
        assert_eq!(refused.body["code"], code, "{}", refused.text);
        let place = &refused.body["errors"][0]["parameter"];
        assert_eq!(*place, parameter, "{}", refused.text);
    }
    for path in ["", "/change-plan"] {
        let path = format!("/v1/users/ann/subscription{path}");
        let refused = api.post(&path, json!({"plan": "more"})).await.expect(422);
        assert_eq!(refused.body["code"], "is_an_addon", "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], "/plan");
    }
    let after = json!([
        api.everything_of("users/ann").await,
        api.everything_of("users/bob").await
    ]);
    assert_eq!(after, before);
}

/// C13: an add-on has no seats, and stays what it is: the place in the file is named.
async fn c13_a_file_that_misuses_add_ons_is_refused_by_its_place(api: Api) {
    team(&api, 1).await;
    let wrong = MORE.replace("messages = 50", "messages = { limit = 5, per_seat = true }");
    let refused = api
        .post_toml("/v1/catalog/plan", &format!("{PLANS}{wrong}"))
        .await;
    let refused = refused.expect(422).body;
    let place = &refused["errors"][0];
    assert_eq!(
        json!([place["line"], place["column"]]),
        json!([31, 23]),
        "{refused}"
    );
    let base = MORE.replace("kind = \"addon\"\n", "");
    let refused = api
        .post_toml("/v1/catalog/plan", &format!("{PLANS}{base}"))
        .await;
    let refused = refused.expect(422).body;
    assert_eq!(refused["errors"][0]["line"], 27, "{refused}");
}

/// C7 and C13: who would be over its limit or lose a flag with less of an add-on, and that one which is held goes only when it
/// is named.
async fn c7_a_file_says_what_it_takes_from_who_holds_an_add_on(api: Api) {
    team(&api, 1).await;
    api.put(ADDON, json!({"quantity": 2})).await.expect(200);
    api.consume("ann", "messages", 90).await.expect(200);
    let less = MORE.replace("messages = 50", "messages = 30");
    let less = less.replace(", sso = true", "");
    let plan = api
        .post_toml("/v1/catalog/plan", &format!("{PLANS}{less}"))
        .await;
    let plan = plan.expect(200).body;
    let over = json!([{"account": "user:ann", "feature": "messages", "used": 90, "limit": 80}]);
    assert_eq!(plan["over_limit"], over);
    let lost = json!([{"account": "user:ann", "feature": "sso"}]);
    assert_eq!(plan["lost_flags"], lost);
    let refused = api
        .post_toml("/v1/catalog/apply", PLANS)
        .await
        .expect(409)
        .body;
    let why = refused["errors"][0]["detail"].as_str().unwrap_or_default();
    assert_eq!(why, "plan `more` is held by user:ann");
    let path = "/v1/catalog/apply?removing_plans=more";
    api.post_toml(path, PLANS).await.expect(200);
    assert_eq!(api.standing("users/ann", "messages").await["granted"], 20);
}
