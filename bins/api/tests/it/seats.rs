//! Seats over HTTP (C12).

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e30_a_limit_for_each_seat_follows_the_seats,
    seats_that_cannot_be_are_refused_by_their_field,
    a_file_that_lowers_a_limit_for_each_seat_names_who_is_over,
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
limits = { messages = { limit = 20, per_seat = true } }

[[plan]]
code = "large"
name = "Large"
price = 3000
limits = { messages = { limit = 30, per_seat = true }, sso = true }
"#;

/// An org with a member, and so many seats of the team's plan.
async fn team(api: &Api, seats: u32) {
    api.apply(PLANS).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "team", "seats": seats}))
        .await;
    api.put("/v1/users/bea", json!({"org": "acme"}))
        .await
        .expect(201);
}

/// C12, the first half of E30, and S6: 20 for each of 5 seats, changed at once, over a renewal and a change of plan.
async fn e30_a_limit_for_each_seat_follows_the_seats(api: Api) {
    team(&api, 5).await;
    assert_eq!(api.standing("orgs/acme", "messages").await["granted"], 100);
    api.consume("bea", "messages", 90).await.expect(200);
    let seats = "/v1/orgs/acme/subscription/seats";
    let fewer = api.put(seats, json!({"seats": 2, "reason": "a smaller team"}));
    let fewer = fewer.await.expect(200);
    assert_eq!(fewer.body["changed"], "seats_set", "{}", fewer.text);
    let left = api.standing("orgs/acme", "messages").await;
    let left = json!([left["granted"], left["used"], left["remaining"]]);
    assert_eq!(left, json!([40, 90, 0]), "nothing is taken away");
    let denied = api.consume("bea", "messages", 1).await.expect(429);
    assert_eq!(denied.body["code"], "org_limit_reached");
    api.put(seats, json!({"seats": 6})).await.expect(200);
    api.consume("bea", "messages", 30).await.expect(200);
    api.consume("bea", "messages", 1).await.expect(429);
    let at = "/v1/orgs/acme/subscription";
    let renew = format!("{at}/renew");
    api.post(&renew, json!({})).await.expect(200);
    let shown = api.get(at).await.expect(200).body;
    let all = json!([shown["seats"], shown["upcoming"][0]["seats"]]);
    assert_eq!(all, json!([6, 6]), "{shown}");
    api.pass(TimeDelta::days(35));
    let change = json!({"plan": "large", "when": "now"});
    let path = format!("{at}/change-plan");
    api.post(&path, change).await.expect(200);
    assert_eq!(api.standing("orgs/acme", "messages").await["granted"], 180);
    let shown = api.get("/v1/orgs/acme/entitlements").await.expect(200).body;
    assert_eq!(shown["limits"]["messages"]["limit"], 180);
}

/// C12: bad input names its field, or its place in the file, and changes nothing.
async fn seats_that_cannot_be_are_refused_by_their_field(api: Api) {
    team(&api, 5).await;
    let before = api.everything_of("orgs/acme").await;
    let (seats, start) = (
        "/v1/orgs/acme/subscription/seats",
        "/v1/orgs/acme/subscription",
    );
    for wrong in [json!(0), json!(100_001), json!(-1), json!("5"), json!(1.5)] {
        let set = api.put(seats, json!({ "seats": wrong })).await.expect(422);
        assert_eq!(set.body["errors"][0]["pointer"], "/seats", "{}", set.text);
        let body = json!({"plan": "team", "seats": wrong});
        let begun = api.post(start, body).await.expect(422);
        assert_eq!(
            begun.body["errors"][0]["pointer"], "/seats",
            "{}",
            begun.text
        );
    }
    let none = api.put(seats, json!({})).await.expect(422);
    assert_eq!(none.body["errors"][0]["pointer"], "/seats");
    let of_nobody = api.put("/v1/users/bea/subscription/seats", json!({"seats": 2}));
    let refused = of_nobody.await.expect(409);
    assert_eq!(refused.body["code"], "no_subscription");
    for (from, to, column) in [
        ("sso = true", "sso = { limit = 1, per_seat = true }", 62),
        ("per_seat = true }, sso", "per_seat = 1 }, sso", 48),
        ("per_seat = true }, sso", "per_seats = true }, sso", 37),
    ] {
        let wrong = PLANS.replace(from, to);
        assert_ne!(wrong, PLANS);
        let refused = api.post_toml("/v1/catalog/apply", &wrong).await.expect(422);
        let place = &refused.body["errors"][0];
        let place = (&place["line"], &place["column"]);
        assert_eq!(place, (&json!(23), &json!(column)), "{}", refused.text);
    }
    assert_eq!(api.everything_of("orgs/acme").await, before);
}

/// C7 and C12: who would be over, with its seats counted.
async fn a_file_that_lowers_a_limit_for_each_seat_names_who_is_over(api: Api) {
    team(&api, 5).await;
    api.consume("bea", "messages", 60).await.expect(200);
    let plan = |text: String| {
        let api = &api;
        async move {
            let said = api.post_toml("/v1/catalog/plan", &text).await.expect(200);
            said.body["over_limit"].clone()
        }
    };
    let lower = PLANS.replace("limit = 20", "limit = 12");
    assert_eq!(plan(lower).await, json!([]), "5 × 12 is enough");
    let flat = PLANS.replace("limit = 20, per_seat = true", "limit = 20");
    let over: Value =
        json!([{"account": "org:acme", "feature": "messages", "used": 60, "limit": 20}]);
    assert_eq!(plan(flat).await, over);
}
