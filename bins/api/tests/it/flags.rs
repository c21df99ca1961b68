//! Flags, settings and entitlements over HTTP (C2).

use chrono::TimeDelta;
use quota_core::ports::KeyScope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    flags_are_checked_and_never_spent,
    a_member_has_the_flags_of_its_org,
    entitlements_have_a_tag_that_changes_with_them,
    a_file_that_drops_a_flag_names_who_loses_it,
    f6_an_operator_gives_and_takes_flags_and_sets_settings,
);

const PLANS: &str = r#"[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[feature]]
code = "max_file_mb"
name = "Largest file"
unit = "MB"
kind = "setting"

[[plan]]
code = "free"
name = "Free"
limits = { articles = 3, max_file_mb = 10 }

[[plan]]
code = "pro"
name = "Pro"
price = 1900
limits = { articles = 100, sso = true, max_file_mb = "unlimited" }
"#;

async fn check(api: &Api, user: &str, feature: &str) -> Value {
    let ask = json!({"user": user, "feature": feature});
    api.post("/v1/check", ask).await.expect(200).body
}

/// C2: a check of several features says what the settings among them are, as a check of one does; a denied one says none.
#[tokio::test]
async fn a_check_of_several_features_tells_the_settings_among_them() {
    let api = Api::in_memory().await;
    api.apply(PLANS).await;
    api.user("ann", Some("pro")).await;
    let asked = |amount: u64| {
        let items = ["max_file_mb", "articles", "sso"];
        let items = items.map(|code| json!({"feature": code, "amount": amount}));
        json!({"user": "ann", "items": items})
    };
    let told = api.post("/v1/check", asked(1)).await.expect(200).body;
    let values = json!({"max_file_mb": "unlimited"});
    assert_eq!(told["values"], values, "{told}");
    let denied = api.post("/v1/check", asked(101)).await.expect(200).body;
    assert_eq!(denied["allowed"], false, "{denied}");
    assert!(denied.get("values").is_none(), "{denied}");
}

async fn entitlements(api: &Api, account: &str) -> Answer {
    api.get(&format!("/v1/{account}/entitlements")).await
}

/// F3: what helps who has no subscription: no credits pay for a flag.
async fn no_credits_are_offered_for_a_flag(api: &Api) {
    api.user("zoe", None).await;
    let detail = "the user has no subscription, and nothing else gives `sso`: start one to a plan that has it with `POST …/subscription`";
    let denied = check(api, "zoe", "sso").await;
    let told = json!([denied["reason"], denied["detail"]]);
    assert_eq!(told, json!(["no_subscription", detail]));
}

/// C2, and E47's half about a base plan: a flag is allowed or `not_in_plan`, a setting is told, and neither is spent.
async fn flags_are_checked_and_never_spent(api: Api) {
    api.apply(PLANS).await;
    api.user("ann", Some("free")).await;
    let denied = check(&api, "ann", "sso").await;
    assert_eq!(denied["allowed"], false);
    assert_eq!(
        (&denied["reason"], &denied["scope"]),
        (&json!("not_in_plan"), &json!("user"))
    );
    let detail = "neither the plan, an add-on nor an override gives `sso`: change the plan, add an add-on that has it, or set an override";
    assert_eq!(denied["detail"], detail);
    no_credits_are_offered_for_a_flag(&api).await;
    let told = check(&api, "ann", "max_file_mb").await;
    assert_eq!(
        (&told["allowed"], &told["value"]),
        (&json!(true), &json!(10))
    );
    let change = json!({"plan": "pro", "when": "now"});
    let at = "/v1/users/ann/subscription/change-plan";
    api.post(at, change).await.expect(200);
    let had = check(&api, "ann", "sso").await;
    assert_eq!(had["allowed"], true, "{had}");
    assert_eq!((&had["draws"], &had["balances"]), (&json!([]), &json!([])));
    assert_eq!(
        check(&api, "ann", "max_file_mb").await["value"],
        "unlimited"
    );
    let before = api.everything_of("users/ann").await;
    let one = json!({"user": "ann", "feature": "sso", "amount": 1});
    let items = json!({"user": "ann", "items": [{"feature": "articles", "amount": 1}, {"feature": "sso", "amount": 1}]});
    let mut held = one.clone();
    held["ttl_seconds"] = json!(60);
    for (path, body, place) in [
        ("/v1/consume", one.clone(), "/feature"),
        ("/v1/track", one.clone(), "/feature"),
        ("/v1/reservations", held, "/feature"),
        ("/v1/capacity/release", one, "/feature"),
        ("/v1/consume", items, "/items/1/feature"),
        (
            "/v1/users/ann/boosts",
            json!({"id": "b", "feature": "sso", "amount": 1}),
            "/feature",
        ),
        (
            "/v1/users/ann/reset",
            json!({"features": ["sso"]}),
            "/features/0",
        ),
    ] {
        let refused = api.post(path, body).await.expect(422).body;
        assert_eq!(refused["code"], "not_countable", "{path}: {refused}");
        assert_eq!(refused["errors"][0]["pointer"], place, "{path}: {refused}");
        let detail = refused["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("`sso`"), "{path}: {refused}");
    }
    let limit = json!({"limit": 5});
    let refused = api
        .put("/v1/users/ann/overrides/sso", limit)
        .await
        .expect(422);
    assert_eq!(refused.body["code"], "not_countable");
    assert_eq!(refused.body["errors"][0]["parameter"], "feature");
    assert!(refused.text.contains("has a `value`"), "{}", refused.text);
    assert_eq!(api.everything_of("users/ann").await, before);
    api.pass(TimeDelta::days(40));
    assert_eq!(
        check(&api, "ann", "sso").await["reason"],
        "subscription_expired"
    );
}

/// O3: user and org both have a flag, or the member has it not; entitlements of both say the same.
async fn a_member_has_the_flags_of_its_org(api: Api) {
    api.apply(PLANS).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.put("/v1/users/bea", json!({"org": "acme"}))
        .await
        .expect(201);
    assert_eq!(
        check(&api, "bea", "sso").await["allowed"],
        true,
        "the org is only tracked"
    );
    api.subscribe("orgs/acme", json!({"plan": "free"})).await;
    let denied = check(&api, "bea", "sso").await;
    assert_eq!(
        (&denied["reason"], &denied["scope"]),
        (&json!("org_not_in_plan"), &json!("org"))
    );
    api.consume("bea", "articles", 1).await.expect(200);
    let shown = entitlements(&api, "users/bea").await.expect(200).body;
    assert_eq!(shown["flags"], json!({"sso": false}));
    assert_eq!(shown["settings"], json!({"max_file_mb": 10}));
    let articles = &shown["limits"]["articles"];
    assert_eq!(
        (&articles["scope"], &articles["remaining"]),
        (&json!("org"), &json!(2))
    );
    let org = entitlements(&api, "orgs/acme").await.expect(200).body;
    assert_eq!(org["flags"], shown["flags"]);
    assert_eq!(
        (&org["account"], &org["in_force"]),
        (&json!("org:acme"), &json!(true))
    );
    let overview = api.get("/v1/users/bea/overview").await.expect(200).body;
    assert_eq!(
        (&overview["flags"], &overview["settings"]),
        (&shown["flags"], &shown["settings"])
    );
    assert_eq!(overview["features"].as_array().map(Vec::len), Some(1));
}

/// The same answer has the same tag, and is not sent twice; a use, a change of plan and the end of a window make another.
async fn entitlements_have_a_tag_that_changes_with_them(api: Api) {
    api.apply(PLANS).await;
    api.user("ann", Some("free")).await;
    let path = "/v1/users/ann/entitlements";
    let tag = |answer: &Answer| answer.header("etag").expect("a tag").to_owned();
    let first = api.get(path).await.expect(200);
    let mut known = tag(&first);
    assert!(known.starts_with('"') && known.ends_with('"'), "{known}");
    assert_eq!(first.body["limits"]["articles"]["limit"], 3);
    let asked = |tags: String| {
        let api = &api;
        async move {
            let headers = [("if-none-match", tags.as_str())];
            api.send(Method::GET, path, &headers, Vec::new()).await
        }
    };
    for tags in [known.clone(), format!("\"old\", W/{known}"), "*".to_owned()] {
        let same = asked(tags).await.expect(304);
        assert_eq!((same.text.as_str(), tag(&same)), ("", known.clone()));
    }
    asked("\"old\"".to_owned()).await.expect(200);
    api.pass(TimeDelta::minutes(1));
    asked(known.clone()).await.expect(304);
    let boost = json!({"id": "b", "feature": "articles", "amount": 7});
    api.post("/v1/users/ann/boosts", boost).await.expect(201);
    let given = asked(known).await.expect(200);
    assert_eq!(given.body["limits"]["articles"]["boosts"], 7);
    known = tag(&given);
    api.consume("ann", "articles", 1).await.expect(200);
    let used = asked(known.clone()).await.expect(200);
    assert_eq!(used.body["limits"]["articles"]["remaining"], 2);
    assert_ne!(tag(&used), known);
    known = tag(&used);
    let change = json!({"plan": "pro", "when": "now"});
    api.post("/v1/users/ann/subscription/change-plan", change)
        .await
        .expect(200);
    let changed = asked(known.clone()).await.expect(200);
    assert_eq!(changed.body["flags"]["sso"], true);
    known = tag(&changed);
    api.pass(TimeDelta::days(40));
    let ended = asked(known).await.expect(200).body;
    assert_eq!(
        (&ended["in_force"], &ended["flags"]["sso"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(ended["settings"], json!({}));
    let nobody = entitlements(&api, "users/nobody").await.expect(404);
    assert_eq!(nobody.body["code"], "unknown_account");
}

/// C7: what a file would take from accounts is told before it is applied; what they keep is not.
async fn a_file_that_drops_a_flag_names_who_loses_it(api: Api) {
    api.apply(PLANS).await;
    api.user("ann", Some("pro")).await;
    api.user("ben", Some("free")).await;
    let without = PLANS.replace("sso = true, ", "");
    let plan = api
        .post_toml("/v1/catalog/plan", &without)
        .await
        .expect(200)
        .body;
    assert_eq!(
        plan["lost_flags"],
        json!([{"account": "user:ann", "feature": "sso"}])
    );
    assert_eq!(
        (&plan["lost_flag_count"], &plan["over_limit_count"]),
        (&json!(1), &json!(0))
    );
    let change = &plan["plans_changed"]["pro"][0];
    assert_eq!(
        (&change["from"], &change["to"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(check(&api, "ann", "sso").await["allowed"], true);
    let more = PLANS.replace("articles = 3,", "articles = 3, sso = true,");
    let given = api
        .post_toml("/v1/catalog/plan", &more)
        .await
        .expect(200)
        .body;
    assert_eq!(given["lost_flags"], json!([]));
    api.post_toml("/v1/catalog/apply", &without)
        .await
        .expect(200);
    assert_eq!(check(&api, "ann", "sso").await["reason"], "not_in_plan");
    let shown = entitlements(&api, "users/ann").await.expect(200).body;
    assert_eq!(shown["flags"], json!({"sso": false}));
}

#[tokio::test]
async fn a_read_key_sees_entitlements_and_nobody_else_does() {
    let api = Api::in_memory().await;
    api.apply(PLANS).await;
    api.user("ann", Some("pro")).await;
    let read = api.engine.create_key("reader", KeyScope::Read).await;
    let bearer = format!("Bearer {}", read.expect("a key").secret);
    let path = "/v1/users/ann/entitlements";
    for (secret, status) in [(bearer.as_str(), 200), ("Bearer quota_0", 401)] {
        let headers = [("authorization", secret)];
        api.send(Method::GET, path, &headers, Vec::new())
            .await
            .expect(status);
    }
}

/// The schema is there for editors, who have no key.
#[tokio::test]
async fn the_schema_of_the_catalog_file_is_served_to_all() {
    let api = Api::in_memory().await;
    let headers = [("authorization", "")];
    let path = "/v1/catalog/schema";
    let served = api
        .send(Method::GET, path, &headers, Vec::new())
        .await
        .expect(200);
    assert_eq!(
        served.header("content-type"),
        Some("application/schema+json")
    );
    assert_eq!(
        served.body["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let kinds = &served.body["$defs"]["Kind"]["enum"];
    assert_eq!(*kinds, json!(["consumable", "capacity", "flag", "setting"]));
}

/// C2: what does not fit a kind is refused where it stands.
#[tokio::test]
async fn a_wrong_flag_is_refused_with_its_place() {
    let api = Api::in_memory().await;
    let before = api.get("/v1/catalog").await.expect(200).body;
    for (from, to, line, column, words) in [
        (
            "sso = true",
            "sso = 1",
            28,
            34,
            "plan `pro`: limits of `sso` must be `true` or `false`",
        ),
        (
            "articles = 3",
            "articles = true",
            22,
            23,
            "plan `free`: limits of `articles` must be a whole",
        ),
        (
            "articles = 3",
            "articles = \"many\"",
            22,
            23,
            "plan `free`: limits of `articles` must be a whole",
        ),
        (
            "max_file_mb = 10",
            "max_file_mb = { limit = 10 }",
            22,
            40,
            "plan `free`: limits of `max_file_mb` must be a whole",
        ),
        (
            "kind = \"flag\"",
            "kind = \"flag\"\nanchor = \"calendar\"",
            12,
            1,
            "feature `sso`: a flag has no `anchor`",
        ),
        ("cadence = \"monthly\"\n", "", 1, 1, "`cadence` is required"),
        ("unit = \"article\"\n", "", 1, 1, "`unit` is required"),
        (
            "kind = \"flag\"",
            "kind = \"flag\"\ncolour = \"red\"",
            12,
            1,
            "`colour` is not a known field; known here: ",
        ),
        (
            "unit = \"MB\"\nkind = \"setting\"",
            "kind = \"consumable\"",
            13,
            1,
            "`unit` is required",
        ),
    ] {
        let wrong = PLANS.replace(from, to);
        assert_ne!(wrong, PLANS);
        let refused = api.post_toml("/v1/catalog/apply", &wrong).await.expect(422);
        let error = &refused.body["errors"][0];
        let place = (&error["line"], &error["column"]);
        assert_eq!(
            place,
            (&json!(line), &json!(column)),
            "{to}: {}",
            refused.text
        );
        let detail = refused.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words), "{to}: {detail}");
    }
    assert_eq!(api.get("/v1/catalog").await.expect(200).body, before);
}

#[tokio::test]
async fn a_wrong_flag_in_json_has_a_pointer() {
    let api = Api::in_memory().await;
    let before = api.get("/v1/catalog").await.expect(200).body;
    let feature = json!({"code": "sso", "name": "S", "kind": "flag"});
    let plan = json!({"code": "p", "name": "P", "limits": {"sso": 7}});
    let file = json!({"feature": [feature], "plan": [plan]});
    let refused = api.post("/v1/catalog/plan", file).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/plan/0/limits/sso");
    let feature = json!({"code": "sso", "name": "S", "kind": "flag", "scale": 2});
    let refused = api
        .post("/v1/catalog/plan", json!({"feature": [feature]}))
        .await
        .expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/feature/0/scale");
    assert_eq!(api.get("/v1/catalog").await.expect(200).body, before);
}

/// F6: an override of a flag or a setting beats the plan, is shown with the account, holds its feature in the catalog, and is taken
/// away again; what does not fit is refused by its field, and nothing changes.
async fn f6_an_operator_gives_and_takes_flags_and_sets_settings(api: Api) {
    api.apply(PLANS).await;
    api.user("ann", Some("free")).await;
    let at = |feature: &str| format!("/v1/users/ann/overrides/{feature}");
    let value = json!({"value": true, "reason": "a trial of it"});
    let set = api.put(&at("sso"), value).await.expect(200).body;
    let told = json!([set["changed"], set["detail"], set["in_force"]]);
    assert_eq!(told, json!(["override_set", "sso: true", true]));
    assert_eq!(check(&api, "ann", "sso").await["allowed"], true);
    let size = json!({"value": 70, "expires_at": "2026-11-21T00:00:00Z"});
    api.put(&at("max_file_mb"), size).await.expect(200);
    assert_eq!(check(&api, "ann", "max_file_mb").await["value"], 70);
    let ann = api.get("/v1/users/ann").await.expect(200).body;
    let by = "admin of the test";
    let wanted = json!({
        "max_file_mb": {"value": 70, "expires_at": "2026-11-21T00:00:00Z", "actor": by},
        "sso": {"value": true, "reason": "a trial of it", "actor": by},
    });
    assert_eq!(ann["overrides"], wanted);
    let before = api.everything_of("users/ann").await;
    for (feature, body, code, place) in [
        ("sso", json!({"value": 1}), "wrong_value", "/value"),
        ("sso", json!({"value": 1.5}), "invalid_body", "/value"),
        ("sso", json!({"value": []}), "invalid_body", "/value"),
        ("articles", json!({"value": 5}), "wrong_value", "/value"),
        ("sso", json!({}), "invalid_body", "/limit"),
        (
            "sso",
            json!({"value": true, "limit": 1}),
            "invalid_body",
            "/value",
        ),
    ] {
        let refused = api.put(&at(feature), body).await.expect(422);
        let told = (&refused.body["code"], &refused.body["errors"][0]["pointer"]);
        assert_eq!(told, (&json!(code), &json!(place)), "{}", refused.text);
    }
    assert_eq!(api.everything_of("users/ann").await, before);
    let flag = "[[feature]]\ncode = \"sso\"\nname = \"Single sign-on\"\nkind = \"flag\"\n";
    let without = PLANS.replace(flag, "").replace("sso = true, ", "");
    let held = api
        .post_toml("/v1/catalog/apply", &without)
        .await
        .expect(409);
    assert!(
        held.text.contains("feature `sso` is held by user:ann"),
        "{}",
        held.text
    );
    api.pass(TimeDelta::days(1));
    assert_eq!(check(&api, "ann", "max_file_mb").await["value"], 10);
    api.delete(&at("sso")).await.expect(200);
    assert_eq!(check(&api, "ann", "sso").await["reason"], "not_in_plan");
    api.post_toml("/v1/catalog/apply", &without)
        .await
        .expect(200);
}
