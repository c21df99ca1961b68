//! Catalog files that are wrong: the problem says line and column, and the catalog stays.

use reqwest::Method;

use crate::api_under_test::{Answer, Api};

const GOOD: &str = r#"[[feature]]
code = "reports"
name = "Reports"
unit = "report"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "free"
name = "Free"
limits = { reports = 10 }
"#;

async fn apply(api: &Api, text: &str) -> Answer {
    let headers = [("content-type", "application/toml; charset=utf-8")];
    let path = "/v1/catalog/apply";
    api.send(Method::POST, path, &headers, text.as_bytes().to_vec())
        .await
}

#[track_caller]
fn is_refused_at(answer: &Answer, line: u64, column: u64) {
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(answer.body["code"], "invalid_catalog", "{}", answer.text);
    assert_eq!(answer.body["errors"][0]["line"], line, "{}", answer.text);
    assert_eq!(
        answer.body["errors"][0]["column"], column,
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_wrong_file_says_line_and_column_and_changes_nothing() {
    let api = Api::in_memory().await;
    let before = api.get("/v1/catalog").await.expect(200).body;
    let unknown_key = GOOD.replace("unit =", "colour = \"red\"\nunit =");
    is_refused_at(&apply(&api, &unknown_key).await, 4, 1);
    let negative = GOOD.replace("reports = 10", "reports = -5");
    is_refused_at(&apply(&api, &negative).await, 11, 22);
    let duplicate = format!("{GOOD}\n[[plan]]\ncode = \"free\"\nname = \"Again\"\n");
    is_refused_at(&apply(&api, &duplicate).await, 14, 8);
    let feature_twice = GOOD.replace("[[plan]]", "[[feature]]\ncode = \"reports\"\nname = \"R\"\nunit = \"r\"\nkind = \"consumable\"\ncadence = \"daily\"\n\n[[plan]]");
    is_refused_at(&apply(&api, &feature_twice).await, 9, 8);
    let by_position = format!("plan = [['free', 'Free', 0, 'usd', 'month', false, {{}}]]\n{GOOD}");
    let by_position = by_position.split("\n[[plan]]").next().unwrap_or_default();
    is_refused_at(&apply(&api, by_position).await, 1, 9);
    let no_toml = GOOD.replace("[[plan]]", "[[plan]");
    assert_eq!(apply(&api, &no_toml).await.status, 422);
    let unknown_feature = GOOD.replace("reports = 10", "nothing = 10");
    is_refused_at(&apply(&api, &unknown_feature).await, 11, 22);
    for (limits, line, column) in [
        ("[plan.limits]\nnothing = 10\n", 12, 11),
        ("limits.nothing = 10\n", 11, 18),
    ] {
        let unknown_feature = GOOD.replace("limits = { reports = 10 }\n", limits);
        let answer = apply(&api, &unknown_feature).await;
        is_refused_at(&answer, line, column);
        let pointer = &answer.body["errors"][0]["pointer"];
        assert_eq!(pointer, "/plan/0/limits/nothing", "{}", answer.text);
    }
    assert_eq!(api.get("/v1/catalog").await.expect(200).body, before);
}

/// C2, C6, C9 and C14: all mistakes of a file are told, each with its line and column, in the order of the file; the detail says how
/// many there are.
#[tokio::test]
async fn all_mistakes_of_a_file_are_told_with_line_and_column() {
    let api = Api::in_memory().await;
    let before = api.get("/v1/catalog").await.expect(200).body;
    let wrong = GOOD
        .replace("unit =", "scale = 0\nunit =")
        .replace("name = \"Free\"", "name = \"Free\"\ncurrency = \"EUR\"")
        .replace(
            "{ reports = 10 }",
            "{ nothing = 1, reports = [{ limit = 5, rollover = { max = 0 } }, { limit = 3 }] }",
        );
    let wrong = format!("default_plan = \"none\"\n{wrong}");
    for path in ["/v1/catalog/plan", "/v1/catalog/apply"] {
        let refused = api.post_toml(path, &wrong).await.expect(422);
        let errors = refused.body["errors"].as_array().expect("a list");
        let place = |error: &serde_json::Value| {
            let (line, column) = (&error["line"], &error["column"]);
            format!(
                "{line}:{column} {}",
                error["pointer"].as_str().unwrap_or("")
            )
        };
        let places: Vec<String> = errors.iter().map(place).collect();
        let wanted = [
            "1:16 /default_plan",
            "5:9 /feature/0/scale",
            "13:12 /plan/0/currency",
            "14:22 /plan/0/limits/nothing",
            "14:68 /plan/0/limits/reports/0/rollover/max",
            "14:75 /plan/0/limits/reports/1",
        ];
        assert_eq!(places, wanted, "{}", refused.text);
        let detail = refused.body["detail"].as_str().unwrap_or_default();
        assert!(detail.starts_with("line 1, column 16: the file: default_plan"));
        assert!(detail.ends_with("; and 5 more"), "{detail}");
    }
    assert_eq!(api.get("/v1/catalog").await.expect(200).body, before);
}

/// C7: of very many mistakes 50 are told, and how many there are beside them.
#[tokio::test]
async fn no_more_than_fifty_mistakes_are_told() {
    let api = Api::in_memory().await;
    let plan = |number: usize| {
        format!("[[plan]]\ncode = \"p{number}\"\nname = \"P\"\ncurrency = \"EUR\"\n")
    };
    let wrong: String = (0..60).map(plan).collect();
    let refused = apply(&api, &wrong).await.expect(422);
    let errors = refused.body["errors"].as_array().expect("a list");
    assert_eq!(errors.len(), 50);
    let detail = refused.body["detail"].as_str().unwrap_or_default();
    assert!(detail.ends_with("; and 59 more"), "{detail}");
}

#[tokio::test]
async fn a_wrong_file_in_json_has_pointers() {
    let api = Api::in_memory().await;
    let feature = serde_json::json!({"code": "reports", "name": "R", "unit": "r",
        "kind": "consumable", "cadence": "monthly"});
    let twice = serde_json::json!({"feature": [feature, feature]});
    let answer = api.post("/v1/catalog/plan", twice).await.expect(422);
    assert_eq!(answer.body["errors"][0]["pointer"], "/feature/1/code");
    let unknown = serde_json::json!({"feature": [], "plans": []});
    let answer = api.post("/v1/catalog/plan", unknown).await.expect(422);
    assert_eq!(answer.body["errors"][0]["pointer"], "/plans");
    let lacking = serde_json::json!({"feature": [{"code": "reports", "name": "R", "kind": "consumable",
        "cadence": "monthly"}]});
    for path in ["/v1/catalog/plan", "/v1/catalog/apply"] {
        let answer = api.post(path, lacking.clone()).await.expect(422);
        let told = (&answer.body["code"], &answer.body["detail"]);
        let wanted = (
            &"invalid_catalog".into(),
            &"/feature/0/unit: is required".into(),
        );
        assert_eq!(told, wanted, "{}", answer.text);
        let pointer = &answer.body["errors"][0]["pointer"];
        assert_eq!(pointer, "/feature/0/unit", "{}", answer.text);
    }
}

/// C3, C9, C10: the pointer leads to the value that is wrong, within a limit and a list of limits.
#[tokio::test]
async fn a_wrong_limit_in_json_has_a_whole_pointer() {
    let api = Api::in_memory().await;
    let file = |feature: serde_json::Value, limits: serde_json::Value| {
        let mut of = serde_json::json!({"code": "reports", "name": "R"});
        for (key, value) in feature.as_object().into_iter().flatten() {
            of[key] = value.clone();
        }
        serde_json::json!({"feature": [of],
            "plan": [{"code": "free", "name": "F", "limits": {"reports": limits}}]})
    };
    let spent = serde_json::json!({"kind": "consumable", "unit": "r", "cadence": "monthly"});
    let kept = serde_json::json!({"kind": "capacity", "unit": "r", "cadence": "weekly"});
    let flag = serde_json::json!({"kind": "flag", "cadence": "weekly"});
    let nothing_over = serde_json::json!({"limit": 5, "rollover": {"max": 0}});
    let second = serde_json::json!([{"limit": 5},
        {"limit": 3, "per": "weekly", "anchor": "first_use"}]);
    for (feature, limits, place) in [
        (&spent, nothing_over, "/plan/0/limits/reports/rollover/max"),
        (&spent, second, "/plan/0/limits/reports/1/anchor"),
        (&kept, serde_json::json!(5), "/feature/0/cadence"),
        (&flag, serde_json::json!(true), "/feature/0/cadence"),
    ] {
        let body = file(feature.clone(), limits);
        let refused = api.post("/v1/catalog/plan", body).await.expect(422);
        let pointer = &refused.body["errors"][0]["pointer"];
        assert_eq!(pointer, place, "{}", refused.text);
    }
}

#[tokio::test]
async fn a_plan_says_what_would_change_and_who_would_be_over_the_limit() {
    // C7: the difference, and who would be over the limit; then it is written.
    let api = Api::in_memory().await;
    apply(&api, GOOD).await.expect(200);
    api.user("ann", Some("free")).await;
    api.consume("ann", "reports", 8).await.expect(200);
    // U1: an unlimited user is over no limit.
    api.user("uma", Some("free")).await;
    api.patch("/v1/users/uma", serde_json::json!({"unlimited": true}))
        .await
        .expect(200);
    api.consume("uma", "reports", 20).await.expect(200);
    let lower = GOOD.replace("reports = 10", "reports = 5");
    let headers = [("content-type", "application/toml")];
    let plan = api
        .send(
            Method::POST,
            "/v1/catalog/plan",
            &headers,
            lower.clone().into_bytes(),
        )
        .await
        .expect(200);
    assert_eq!(plan.body["changes"], true);
    assert_eq!(plan.body["plans_changed"]["free"][0]["from"], 10);
    assert_eq!(plan.body["plans_changed"]["free"][0]["to"], 5);
    assert_eq!(plan.body["over_limit"][0]["account"], "user:ann");
    assert_eq!(plan.body["over_limit"][0]["used"], 8);
    assert_eq!(plan.body["over_limit"][0]["limit"], 5);
    assert_eq!(plan.body["over_limit_count"], 1);
    api.consume("ann", "reports", 1).await.expect(200);
    apply(&api, &lower).await.expect(200);
    api.consume("ann", "reports", 1).await.expect(429);
    let again = apply(&api, &lower).await.expect(200);
    assert_eq!(again.body["changes"], false);
    let same = api.send(
        Method::POST,
        "/v1/catalog/plan",
        &headers,
        lower.into_bytes(),
    );
    let same = same.await.expect(200);
    assert_eq!(
        same.body["version"], again.body["version"],
        "nothing changes"
    );
}

/// C7, C9 and X9: of several limits the one is named that the account would be over; what was used beyond a limit counts.
#[tokio::test]
async fn a_plan_says_which_of_several_limits_is_passed() {
    let api = Api::in_memory().await;
    let both = |month: u64, week: u64| {
        let limits = format!("[{{ limit = {month} }}, {{ limit = {week}, per = \"weekly\" }}]");
        GOOD.replace("reports = 10", &format!("reports = {limits}"))
    };
    apply(&api, &both(20, 10)).await.expect(200);
    api.user("ann", Some("free")).await;
    let told = serde_json::json!({"user": "ann", "feature": "reports", "amount": 12});
    api.post("/v1/track", told).await.expect(200);
    let over = |window: &str, limit: u64| {
        serde_json::json!({"account": "user:ann", "feature": "reports", "window": window, "used": 12,
            "limit": limit})
    };
    for (month, week, wanted) in [
        (20, 11, vec![over("weekly", 11)]),
        (11, 10, vec![over("monthly", 11)]),
        (11, 9, vec![over("monthly", 11), over("weekly", 9)]),
        (30, 10, vec![]),
    ] {
        let file = both(month, week);
        let shown = api.post_toml("/v1/catalog/plan", &file).await;
        let shown = shown.expect(200).body;
        assert_eq!(
            shown["over_limit"],
            serde_json::json!(wanted),
            "{month} {week}"
        );
    }
}

/// C7: prices, intervals and what is sold on demand are told too, field by field.
#[tokio::test]
async fn a_plan_says_what_changes_beside_limits() {
    let api = Api::in_memory().await;
    let before = GOOD.replace(
        "limits = { reports = 10 }",
        "price = 900\nlimits = { reports = 10 }\non_demand = { reports = { price = 4, cap = 100 } }",
    );
    assert_ne!(before, GOOD);
    apply(&api, &before).await.expect(200);
    let after = before
        .replace("price = 900", "price = 1200\ninterval = \"year\"")
        .replace("price = 4, cap = 100", "price = 9, cap = 20")
        .replace("name = \"Reports\"", "name = \"All reports\"");
    let plan = api.post_toml("/v1/catalog/plan", &after).await.expect(200);
    let changed = plan.body["fields_changed"].as_array().expect("a list");
    let told: Vec<String> = changed
        .iter()
        .map(|change| {
            let entry = change["plan"].as_str().or(change["feature"].as_str());
            let [field, from, to] =
                ["field", "from", "to"].map(|name| change[name].as_str().unwrap_or("nothing"));
            format!("{} {field} {from} {to}", entry.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        told,
        [
            "reports name Reports All reports",
            "free interval month year",
            "free on_demand.reports.cap 100 20",
            "free on_demand.reports.price 4 9",
            "free price 900 1200",
        ]
    );
}
