//! `dry_run` over HTTP: what a change of the subscription would come to (S5, S6, S8, C12, C13).

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    s5_a_dry_run_says_what_an_upgrade_does,
    s6_a_dry_run_says_what_a_downgrade_takes,
    c12_a_dry_run_of_seats_and_add_ons_says_who_is_over,
    s8_a_dry_run_of_a_start_says_what_it_replaces,
    s8_a_dry_run_says_what_a_cancellation_and_a_renewal_come_to,
    x1_a_dry_run_changes_nothing_and_binds_no_key,
    a_dry_run_is_refused_as_the_change_is,
);

const PLANS: &str = r#"[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "tokens"
name = "Tokens"
unit = "token"
kind = "consumable"
cadence = "weekly"

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"
credit_cost = 1

[[feature]]
code = "places"
name = "Places"
unit = "member"
kind = "capacity"
cadence = "subscription"
counts = "members"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[feature]]
code = "max_file_mb"
name = "Largest file"
kind = "setting"

[[plan]]
code = "starter"
name = "Starter"
limits = { messages = 5, albums = 1 }

[[plan]]
code = "team"
name = "Team"
price = 1000
on_demand = { messages = { price = 3, cap = 300 } }
[plan.limits]
messages = { limit = 20, per_seat = true }
tokens = [{ limit = 5, per = "5h", anchor = "first_use" }, { limit = 50 }]
albums = 4
places = { limit = 1, per_seat = true }
sso = true
max_file_mb = 50

[[plan]]
code = "large"
name = "Large"
price = 5000
limits = { messages = 500, tokens = 100, albums = 10, places = 50, sso = true, max_file_mb = "unlimited" }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
limits = { messages = 50 }
"#;

const CHANGE: &str = "/v1/users/ann/subscription/change-plan";

/// A user with the team's plan and some use.
async fn team(api: &Api) {
    api.apply(PLANS).await;
    api.user("ann", Some("team")).await;
    api.pass(TimeDelta::minutes(1));
    api.consume("ann", "messages", 18).await.expect(200);
    api.consume("ann", "tokens", 4).await.expect(200);
    api.consume("ann", "albums", 3).await.expect(200);
}

fn feature<'a>(body: &'a Value, code: &str) -> &'a Value {
    let mut all = body["features"].as_array().expect("a list").iter();
    let found = all.find(|one| one["feature"] == code);
    found.expect("the feature")
}

/// Limit and use, before and after.
fn limits(body: &Value, code: &str) -> Value {
    let one = feature(body, code);
    let of = |side: &str| json!([one[side]["granted"], one[side]["used"]]);
    json!([of("before"), of("after")])
}

/// What goes, and of which feature or plan.
fn drops(body: &Value) -> Vec<(&str, &str)> {
    let all = body["drops"].as_array().expect("a list").iter();
    all.map(|drop| {
        let named = drop["feature"].as_str().or(drop["plan"].as_str());
        let kind = drop["kind"].as_str().expect("a kind");
        (kind, named.unwrap_or_default())
    })
    .collect()
}

/// The same change twice, first only asked for: what it said is what the account shows afterwards.
async fn said_and_done(api: &Api, path: &str, body: Value) -> Value {
    let mut asked = body.clone();
    asked["dry_run"] = json!(true);
    let said = api.post(path, asked).await.expect(200).body;
    assert_eq!(said["dry_run"], true, "{said}");
    let done = api.post(path, body).await.expect(200);
    for word in ["changed", "detail"] {
        assert_eq!(said[word], done.body[word], "{said}");
    }
    said
}

/// What the account shows of plan, features, flags and settings, as `after` of a preview has it.
async fn shows(api: &Api, account: &str, said: &Value) {
    let shown = api.get(&format!("/v1/{account}/overview")).await;
    let shown = shown.expect(200).body;
    let held = &shown["account"]["subscription"];
    assert_eq!(said["after"]["subscription"], *held);
    assert_eq!(said["after"]["spending"], shown["spending"]);
    for one in shown["features"].as_array().expect("a list") {
        let code = one["feature"].as_str().expect("a code");
        assert_eq!(feature(said, code)["after"], one["own"], "{code}");
    }
    for (code, has) in shown["flags"].as_object().expect("a table") {
        assert_eq!(said["flags"][code]["after"], *has, "{code}");
    }
    for (code, setting) in said["settings"].as_object().expect("a table") {
        assert_eq!(setting["after"], shown["settings"][code], "{code}");
    }
}

/// S5, C9, C11, P13: an upgrade acts at once; every kind of limit before and after, what restarts, and the time paid for.
async fn s5_a_dry_run_says_what_an_upgrade_does(api: Api) {
    team(&api).await;
    let said = said_and_done(&api, CHANGE, json!({"plan": "large"})).await;
    assert_eq!(said["changed"], "plan_changed");
    assert_eq!(
        json!([said["acts_now"], said["needs_renewal"]]),
        json!([true, false])
    );
    assert_eq!(said["acts_at"], said["at"]);
    assert_eq!(limits(&said, "messages"), json!([[20, 18], [500, 0]]));
    assert_eq!(limits(&said, "albums"), json!([[4, 3], [10, 3]]));
    let windows = &feature(&said, "tokens")["before"]["windows"];
    let windows = json!([windows[0]["granted"], windows[1]["granted"]]);
    assert_eq!(windows, json!([50, 5]), "{said}");
    assert_eq!(said["flags"]["sso"], json!({"before": true, "after": true}));
    let size = json!({"before": 50, "after": "unlimited"});
    assert_eq!(said["settings"]["max_file_mb"], size);
    assert_eq!(said["over"], json!([]));
    assert_eq!(
        drops(&said),
        [("on_demand", "messages"), ("paid_time", "team")]
    );
    let paid = said["drops"][1]["detail"].as_str().expect("a sentence");
    assert!(
        paid.starts_with("team, paid for to 2026-12-20T12:00:00Z"),
        "{paid}"
    );
    shows(&api, "users/ann", &said).await;
}

/// S5, S6, S7: a downgrade waits. What is occupied is over the new limit, and what the plan has not goes; after the period's
/// end it is as it was said.
async fn s6_a_dry_run_says_what_a_downgrade_takes(api: Api) {
    team(&api).await;
    let said = said_and_done(&api, CHANGE, json!({"plan": "starter"})).await;
    assert_eq!(said["changed"], "plan_change_scheduled");
    let when = json!([said["acts_now"], said["acts_at"], said["needs_renewal"]]);
    assert_eq!(when, json!([false, "2026-12-20T12:00:00Z", false]));
    assert_eq!(limits(&said, "messages"), json!([[20, 18], [5, 0]]));
    assert_eq!(limits(&said, "albums"), json!([[4, 3], [1, 3]]));
    let over = json!([{"feature": "albums", "limit": 1, "used": 3, "over_by": 2}]);
    assert_eq!(said["over"], over);
    let gone = [
        ("on_demand", "messages"),
        ("feature", "places"),
        ("feature", "tokens"),
        ("flag", "sso"),
        ("setting", "max_file_mb"),
    ];
    assert_eq!(drops(&said), gone);
    // To another plan: the change that waits gives way, and a paid plan begins only with a renewal.
    let back = json!({"plan": "large", "when": "period_end", "dry_run": true});
    let back = api.post(CHANGE, back).await.expect(200).body;
    assert_eq!(
        json!([back["needs_renewal"], back["over"]]),
        json!([true, []])
    );
    assert_eq!(
        drops(&back),
        [("on_demand", "messages"), ("plan_change", "starter")]
    );
    let then = said["acts_at"].as_str().expect("an instant");
    api.clock.set(then.parse().expect("an instant"));
    shows(&api, "users/ann", &said).await;
}

/// C12, C13, S6: fewer seats with more members, and fewer of an add-on.
async fn c12_a_dry_run_of_seats_and_add_ons_says_who_is_over(api: Api) {
    api.apply(PLANS).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "team", "seats": 3}))
        .await;
    for user in ["ann", "bea", "cem"] {
        let path = format!("/v1/users/{user}");
        api.put(&path, json!({"org": "acme"})).await.expect(201);
    }
    let path = "/v1/orgs/acme/subscription/seats";
    let fewer = json!({"seats": 2, "dry_run": true});
    let fewer = api.put(path, fewer).await.expect(200).body;
    let over = json!([{"feature": "places", "limit": 2, "used": 3, "over_by": 1}]);
    assert_eq!(fewer["over"], over, "{fewer}");
    let seats = |side: &str| fewer[side]["subscription"]["seats"].clone();
    assert_eq!((seats("before"), seats("after")), (json!(3), json!(2)));
    assert_eq!(limits(&fewer, "messages"), json!([[60, 0], [40, 0]]));
    let more = "/v1/orgs/acme/addons/more";
    let two = api.put(more, json!({"quantity": 2, "dry_run": true}));
    let two = two.await.expect(200).body;
    assert_eq!(two["changed"], "addon_set");
    assert_eq!(limits(&two, "messages"), json!([[60, 0], [160, 0]]));
    assert_eq!(two["after"]["subscription"]["addons"][0]["quantity"], 2);
    assert_eq!(two["before"]["subscription"].get("addons"), None);
    api.put(more, json!({"quantity": 2})).await.expect(200);
    api.consume("ann", "messages", 150).await.expect(200);
    let one = api.put(more, json!({"quantity": 1, "dry_run": true}));
    let one = one.await.expect(200).body;
    assert_eq!(one["over"][0]["over_by"], 40, "{one}");
    let org = "/v1/orgs/acme/subscription/change-plan";
    let free = json!({"plan": "starter", "when": "now", "usage": "keep", "dry_run": true});
    let free = api.post(org, free).await.expect(200).body;
    let over = free["over"].as_array().expect("a list").iter();
    let over: Vec<_> = over.map(|one| (&one["feature"], &one["limit"])).collect();
    assert_eq!(
        over,
        [
            (&json!("messages"), &json!(105)),
            (&json!("places"), &json!(0))
        ]
    );
}

/// S8: a start in place of another, and one that waits behind it.
async fn s8_a_dry_run_of_a_start_says_what_it_replaces(api: Api) {
    team(&api).await;
    let path = "/v1/users/ann/subscription";
    let later = json!({"plan": "large", "starts_at": "2026-12-01T00:00:00Z", "dry_run": true});
    let later = api.post(path, later).await.expect(200).body;
    assert_eq!(
        later["acts_at"], "2026-12-20T12:00:00Z",
        "behind what is paid for"
    );
    assert_eq!(limits(&later, "messages"), json!([[20, 18], [500, 0]]));
    let said = said_and_done(&api, path, json!({"plan": "large"})).await;
    assert_eq!(said["changed"], "subscription_started");
    assert!(drops(&said).contains(&("paid_time", "team")), "{said}");
    shows(&api, "users/ann", &said).await;
}

/// S4, S8: a cancellation acts at the period's end, and nothing is had then; taken back, all goes on. A renewal acts when its
/// period begins.
async fn s8_a_dry_run_says_what_a_cancellation_and_a_renewal_come_to(api: Api) {
    team(&api).await;
    let end = "2026-12-20T12:00:00Z";
    let [cancel, resume, renew] =
        ["cancel", "resume", "renew"].map(|verb| format!("/v1/users/ann/subscription/{verb}"));
    let dry = || json!({"dry_run": true});
    let before = api.everything_of("users/ann").await;
    let said = api.post(&cancel, dry()).await.expect(200).body;
    assert_eq!(
        (&said["acts_at"], &said["acts_now"]),
        (&json!(end), &json!(false))
    );
    assert_eq!(said["after"]["subscription"]["in_force"], false, "{said}");
    assert_eq!(limits(&said, "messages"), json!([[20, 18], [null, 0]]));
    assert!(said["drops"].to_string().contains("sso"), "{said}");
    let said = api.post(&renew, dry()).await.expect(200).body;
    assert_eq!(
        (&said["acts_at"], &said["needs_renewal"]),
        (&json!(end), &json!(false))
    );
    assert_eq!(limits(&said, "messages"), json!([[20, 18], [20, 0]]));
    let refused = api.post(&resume, dry()).await.expect(409);
    assert_eq!(refused.body["code"], "not_canceled");
    assert_eq!(api.everything_of("users/ann").await, before);
    api.post(&cancel, json!({})).await.expect(200);
    let said = api.post(&resume, dry()).await.expect(200).body;
    assert_eq!(
        (&said["changed"], &said["acts_now"]),
        (&json!("subscription_resumed"), &json!(true))
    );
    let after = &said["after"]["subscription"];
    assert_eq!(after.get("cancel_at"), None, "{said}");
    let held = api.get("/v1/users/ann/subscription").await.expect(200).body;
    assert_eq!(held["cancel_at"], end, "nothing was taken back");
}

/// S5, X1: nothing is booked or announced, and the key stays free for the change itself.
async fn x1_a_dry_run_changes_nothing_and_binds_no_key(api: Api) {
    team(&api).await;
    let before = api.everything_of("users/ann").await;
    let body = json!({"plan": "large", "dry_run": true});
    let said = api.post_keyed(CHANGE, "k-1", &body).await.expect(200);
    assert_eq!(said.body["dry_run"], true);
    let again = api.post_keyed(CHANGE, "k-1", &body).await.expect(200);
    assert_eq!(again.body["before"], said.body["before"]);
    assert_eq!(api.everything_of("users/ann").await, before);
    let real = json!({"plan": "large"});
    let done = api.post_keyed(CHANGE, "k-1", &real).await.expect(200);
    let told = json!([done.body["changed"], done.body["replayed"]]);
    assert_eq!(told, json!(["plan_changed", false]));
    let repeated = api.post_keyed(CHANGE, "k-1", &body).await.expect(200);
    assert_eq!(repeated.body["changed"], "nothing", "{}", repeated.text);
}

/// S5: an unknown plan, an add-on as a plan, no subscription, a canceled one: the same problem, and nothing is changed.
async fn a_dry_run_is_refused_as_the_change_is(api: Api) {
    team(&api).await;
    api.user("bob", None).await;
    api.user("cem", Some("team")).await;
    let cancel = "/v1/users/cem/subscription/cancel";
    api.post(cancel, json!({"when": "now"})).await.expect(200);
    let mut codes = Vec::new();
    for (user, plan) in [
        ("ann", "nothing"),
        ("ann", "more"),
        ("bob", "large"),
        ("cem", "large"),
        ("nobody", "large"),
    ] {
        let path = format!("/v1/users/{user}/subscription/change-plan");
        let asked = json!({"plan": plan, "dry_run": true});
        let said = api.post(&path, asked).await;
        let done = api.post(&path, json!({"plan": plan})).await;
        assert_eq!((said.status, &said.body), (done.status, &done.body));
        codes.push(said.body["code"].as_str().unwrap_or_default().to_owned());
    }
    let all = [
        "unknown_plan",
        "is_an_addon",
        "no_subscription",
        "subscription_ended",
        "unknown_account",
    ];
    assert_eq!(codes, all);
    for (path, wrong) in [
        ("/v1/users/ann/addons/team", json!({"quantity": 1})),
        ("/v1/users/ann/addons/nothing", json!({"quantity": 1})),
        ("/v1/users/bob/addons/more", json!({"quantity": 1})),
        ("/v1/users/bob/subscription/seats", json!({"seats": 2})),
    ] {
        let mut asked = wrong.clone();
        asked["dry_run"] = json!(true);
        let said = api.put(path, asked).await;
        let done = api.put(path, wrong).await;
        assert_eq!((said.status, &said.body), (done.status, &done.body));
        assert!(said.status >= 400, "{}", said.text);
    }
    let bad = api.post(CHANGE, json!({"plan": "large", "dry_run": "yes"}));
    let bad = bad.await.expect(422);
    assert_eq!(bad.body["errors"][0]["pointer"], "/dry_run");
}
