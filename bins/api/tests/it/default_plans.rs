//! The plan that accounts have by themselves, and trials, over HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::command::Command;
use quota_core::ids::AccountId;
use quota_core::origin::Origin;
use quota_service::Ask;
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    free_then_trial_then_paid_then_free_again,
    a_trial_takes_no_paid_month_and_gives_none,
    c14_what_ended_falls_back_to_the_default_plan_alone,
);

const PLANS: &str = r#"default_plan = "free"

[[feature]]
code = "reports"
name = "Reports"
unit = "report"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "free"
name = "Free"
limits = { reports = 3 }

[[plan]]
code = "pro"
name = "Pro"
price = 1900
trial_days = 14
limits = { reports = 100 }
"#;

/// The account's subscription as plan, status, and whether it renews by itself.
async fn held(api: &Api) -> Value {
    let shown = api.get("/v1/users/ann/subscription").await.expect(200).body;
    json!([shown["plan"], shown["status"], shown["renews"]])
}

async fn remaining(api: &Api) -> Value {
    let shown = api.get("/v1/users/ann/overview").await.expect(200).body;
    shown["features"][0]["own"]["remaining"].clone()
}

/// C14 and S13: a new account is free, tries a plan once, pays for it, and is free again when that has ended.
async fn free_then_trial_then_paid_then_free_again(api: Api) {
    api.post_toml("/v1/catalog/apply", PLANS).await.expect(200);
    let catalog = api.get("/v1/catalog").await.expect(200).body;
    assert_eq!(catalog["default_plan"], "free");
    api.user("ann", None).await;
    assert_eq!(held(&api).await, json!(["free", "active", true]));
    api.consume("ann", "reports", 3).await.expect(200);
    api.consume("ann", "reports", 1).await.expect(429);
    api.pass(TimeDelta::minutes(1));
    let path = "/v1/users/ann/subscription";
    api.post(path, json!({"plan": "pro"})).await.expect(200);
    assert_eq!(held(&api).await, json!(["pro", "trialing", false]));
    assert_eq!(remaining(&api).await, 100);
    api.pass(TimeDelta::days(14));
    // The trial is over, and nothing had to run for it.
    assert_eq!(held(&api).await, json!(["free", "active", true]));
    assert_eq!(remaining(&api).await, 3);
    api.consume("ann", "reports", 2).await.expect(200);
    assert_eq!(remaining(&api).await, 1);
    api.pass(TimeDelta::minutes(1));
    api.post(path, json!({"plan": "pro"})).await.expect(200);
    assert_eq!(held(&api).await, json!(["pro", "active", false]));
    assert_eq!(remaining(&api).await, 100);
    let cancel = format!("{path}/cancel");
    api.post(&cancel, json!({"when": "now"})).await.expect(200);
    assert_eq!(held(&api).await, json!(["free", "active", true]));
    assert_eq!(remaining(&api).await, 3);
    let refused = api.post(&cancel, json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "default_plan", "{}", refused.text);
    for (body, code, pointer) in [
        (json!({"plan": "free", "trial": true}), "no_trial", "/trial"),
        (
            json!({"plan": "pro", "trial": true, "status": "active"}),
            "trial_against_status",
            "/trial",
        ),
    ] {
        let refused = api.post(path, body).await.expect(422);
        assert_eq!(refused.body["code"], code, "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    let early = json!({"plan": "pro", "starts_at": "2020-01-01T00:00:00Z"});
    let refused = api.post(path, early).await.expect(422);
    assert_eq!(refused.body["code"], "over_already", "{}", refused.text);
    assert_eq!(refused.body["errors"][0]["pointer"], "/starts_at");
    // An operator may give a second one.
    let again = json!({"plan": "pro", "trial": true});
    api.post(path, again).await.expect(200);
    assert_eq!(held(&api).await, json!(["pro", "trialing", false]));
}

/// S13 and S5: who pays for a plan is given no trial of it unasked; a trial ends in nothing that nobody paid for.
async fn a_trial_takes_no_paid_month_and_gives_none(api: Api) {
    let team =
        "[[plan]]\ncode = \"team\"\nname = \"Team\"\nprice = 4900\nlimits = { reports = 900 }\n";
    api.apply(&format!("{PLANS}\n{team}")).await;
    api.user("ann", None).await;
    let path = "/v1/users/ann/subscription";
    api.pass(TimeDelta::minutes(1));
    let paid = json!({"plan": "pro", "trial": false});
    api.post(path, paid).await.expect(200);
    api.pass(TimeDelta::minutes(1));
    api.post(path, json!({"plan": "pro"})).await.expect(200);
    assert_eq!(held(&api).await, json!(["pro", "active", false]));
    let trial = json!({"plan": "pro", "trial": true});
    api.post(path, trial).await.expect(200);
    api.pass(TimeDelta::minutes(1));
    let change = format!("{path}/change-plan");
    let done = api.post(&change, json!({"plan": "team"})).await.expect(200);
    assert_eq!(held(&api).await, json!(["team", "active", false]));
    let detail = done.body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("; the trial of pro, to "), "{detail}");
}

const TEAMS: &str = r#"default_plan = "free"

[[feature]]
code = "reports"
name = "Reports"
unit = "report"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[plan]]
code = "free"
name = "Free"
limits = { reports = { limit = 2, per_seat = true } }

[[plan]]
code = "team"
name = "Team"
price = 1000
limits = { reports = { limit = 20, per_seat = true } }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
limits = { reports = 50, sso = true }
"#;

/// What is told of a user's plan: by its subscription, by its overview, and by its entitlements.
async fn told(api: &Api, user: &str) -> [Value; 3] {
    let path = format!("/v1/users/{user}");
    let held = api.get(&format!("{path}/subscription")).await.expect(200);
    let held = json!([held.body["plan"], held.body["status"], held.body["seats"]]);
    let overview = api.get(&format!("{path}/overview")).await.expect(200).body;
    let (account, own) = (&overview["account"], &overview["features"][0]["own"]);
    let overview = json!([
        account["subscription"]["plan"],
        own["granted"],
        own["used"],
        overview["flags"]["sso"]
    ]);
    let entitled = api.get(&format!("{path}/entitlements")).await.expect(200);
    let entitled = entitled.body;
    let limit = &entitled["limits"]["reports"]["limit"];
    let flag = &entitled["flags"]["sso"];
    let entitled = json!([entitled["seats"], entitled["addons"], limit, flag]);
    [held, overview, entitled]
}

/// As the daily job does.
async fn record_the_end(api: &Api, user: &str) {
    let ask = Ask {
        account: AccountId::parse(&format!("user:{user}")).expect("a literal id"),
        key: None,
        command: Command::ExpireSubscription,
        origin: Origin::default(),
    };
    api.engine.submit(ask).await.expect("it is recorded");
}

/// No more than the 2 of the default plan are there, and no add-on is in force.
async fn uses_the_default_plan_up(api: &Api, user: &str) {
    let denied = api.consume(user, "reports", 3).await.expect(429);
    let why = json!([denied.body["code"], denied.body["available"]]);
    assert_eq!(why, json!(["limit_reached", 2]), "{user}");
    api.consume(user, "reports", 2).await.expect(200);
    let addons = format!("/v1/users/{user}/addons");
    let addons = api.get(&addons).await.expect(200).body;
    let is_out = |addon: &Value| addon["in_force"] == false;
    let mut all = addons["addons"].as_array().expect("a list").iter();
    assert!(all.all(is_out), "{user}: {addons}");
}

/// C14, P13, S4 and S9: where what was paid for ends, the default plan counts at once, for one seat and without add-ons; a payment that
/// comes late brings plan, seats and add-ons back. So it is whether or not the job recorded the end.
async fn c14_what_ended_falls_back_to_the_default_plan_alone(api: Api) {
    api.apply(TEAMS).await;
    let users = [("ann", false), ("bob", true)];
    for (user, _) in users {
        api.user(user, None).await;
    }
    api.pass(TimeDelta::minutes(1));
    for (user, _) in users {
        let team = json!({"plan": "team", "seats": 5});
        api.subscribe(&format!("users/{user}"), team).await;
        let addon = format!("/v1/users/{user}/addons/more");
        api.put(&addon, json!({"quantity": 2})).await.expect(200);
        api.consume(user, "reports", 9).await.expect(200);
    }
    let team = |used: u64| {
        [
            json!(["team", "active", 5]),
            json!(["team", 200, used, true]),
            json!([5, {"more": 2}, 200, true]),
        ]
    };
    let free = |used: u64| {
        [
            json!(["free", "active", 1]),
            json!(["free", 2, used, false]),
            json!([1, null, 2, false]),
        ]
    };
    let held = api.get("/v1/users/ann/subscription").await.expect(200).body;
    let ends_at = held["ends_at"].as_str().expect("an instant");
    let ends_at: DateTime<Utc> = ends_at.parse().expect("an instant");
    api.clock.set(ends_at - TimeDelta::microseconds(1));
    for (user, _) in users {
        assert_eq!(told(&api, user).await, team(9), "{user}");
    }
    api.clock.set(ends_at);
    for (user, is_recorded) in users {
        assert_eq!(told(&api, user).await, free(0), "{user}");
        if is_recorded {
            record_the_end(&api, user).await;
            assert_eq!(told(&api, user).await, free(0), "{user}");
        }
        uses_the_default_plan_up(&api, user).await;
        assert_eq!(told(&api, user).await, free(2), "{user}");
    }
    api.pass(TimeDelta::days(3));
    for (user, _) in users {
        let renew = format!("/v1/users/{user}/subscription/renew");
        api.post(&renew, json!({})).await.expect(200);
        assert_eq!(told(&api, user).await, team(2), "{user}");
        api.consume(user, "reports", 198).await.expect(200);
        api.consume(user, "reports", 1).await.expect(429);
    }
}

/// C14: what a file says of the default plan is checked, shown before it acts, and told when accounts live on it.
#[tokio::test]
async fn a_file_names_a_free_plan_as_the_default() {
    let api = Api::in_memory().await;
    for (text, line, column) in [
        (
            PLANS.replace("= \"free\"\n\n[[feature", "= \"none\"\n\n[[feature"),
            1,
            16,
        ),
        (
            PLANS.replace("= \"free\"\n\n[[feature", "= \"pro\"\n\n[[feature"),
            1,
            16,
        ),
        (PLANS.replace("trial_days = 14", "trial_days = 0"), 19, 14),
        (PLANS.replace("trial_days = 14", "trial_days = 367"), 19, 14),
        (PLANS.replace("price = 1900\n", ""), 18, 14),
    ] {
        let refused = api.post_toml("/v1/catalog/apply", &text).await.expect(422);
        let first = &refused.body["errors"][0];
        let place = json!([first["line"], first["column"]]);
        assert_eq!(place, json!([line, column]), "{}", refused.text);
    }
    api.post_toml("/v1/catalog/apply", PLANS).await.expect(200);
    api.user("ann", Some("pro")).await;
    api.pass(TimeDelta::days(40));
    let without = PLANS.replace("default_plan = \"free\"", "");
    let shown = api
        .post_toml("/v1/catalog/plan", &without)
        .await
        .expect(200)
        .body;
    assert_eq!(shown["default_plan"], json!({"from": "free", "to": null}));
    assert_eq!(shown["changes"], true);
    let ann = json!([{"account": "user:ann", "feature": "reports"}]);
    let lost = (&shown["lost_limits"], &shown["lost_limit_count"]);
    assert_eq!(lost, (&ann, &json!(1)), "{shown}");
    let free = "[[plan]]\ncode = \"free\"\nname = \"Free\"\nlimits = { reports = 3 }\n";
    assert!(without.contains(free));
    let held = api
        .post_toml("/v1/catalog/plan", &without.replace(free, ""))
        .await;
    let held = held.expect(200).body["held"].clone();
    let ann = json!([{"plan": "free", "accounts": 1, "example": "user:ann"}]);
    assert_eq!(held, ann);
}
