//! Catalog files that leave out what accounts hold.

use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

const FEATURE: &str = r#"[[feature]]
code = "reports"
name = "Reports"
unit = "report"
kind = "consumable"
cadence = "monthly"
"#;
const OTHER: &str = r#"
[[feature]]
code = "exports"
name = "Exports"
unit = "export"
kind = "consumable"
cadence = "monthly"
"#;
const FREE: &str = r#"
[[plan]]
code = "free"
name = "Free"
limits = { reports = 10 }
"#;
const BIG: &str = r#"
[[plan]]
code = "big"
name = "Big"
limits = { reports = 100 }
"#;

async fn apply(api: &Api, query: &str, text: &str) -> Answer {
    api.post_toml(&format!("/v1/catalog/apply{query}"), text)
        .await
}

/// The entries that a refusal lists, as parameter and detail.
fn listed(refused: &Answer) -> Vec<String> {
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(refused.body["code"], "catalog_in_use", "{}", refused.text);
    let errors = refused.body["errors"].as_array().expect("a list").iter();
    let text = |error: &Value| {
        let (parameter, detail) = (&error["parameter"], &error["detail"]);
        [parameter, detail].map(|part| part.as_str().expect("a text").to_owned())
    };
    errors.map(|error| text(error).join(": ")).collect()
}

async fn set(api: &Api) {
    let all = format!("{FEATURE}{OTHER}{FREE}{BIG}");
    let everything = "?removing_features=&removing_plans=";
    apply(api, everything, &all).await.expect(200);
    api.user("ann", Some("free")).await;
}

/// C7: a file that leaves out a feature or plan that accounts hold changes nothing until the call names each of them.
async fn what_accounts_hold_goes_only_when_it_is_named(api: Api) {
    set(&api).await;
    api.consume("ann", "reports", 3).await.expect(200);
    let before = api.get("/v1/catalog").await.expect(200).body;
    let held = [
        "removing_features: feature `reports` is held by user:ann",
        "removing_plans: plan `free` is held by user:ann",
    ];
    assert_eq!(listed(&apply(&api, "", "").await), held);
    let half = "?removing_features=reports,exports&removing_plans=big";
    assert_eq!(listed(&apply(&api, half, "").await), held[1..]);
    assert_eq!(api.get("/v1/catalog").await.expect(200).body, before);
    api.consume("ann", "reports", 1).await.expect(200);
    let shown = api.post_toml("/v1/catalog/plan", "").await.expect(200);
    assert_eq!(
        shown.body["features_removed"],
        json!(["exports", "reports"])
    );
    assert_eq!(shown.body["plans_removed"], json!(["big", "free"]));
    assert_eq!(shown.body["names_nothing"], true, "{}", shown.text);
    assert_eq!(
        shown.body["held"],
        json!([
            {"feature": "reports", "accounts": 1, "example": "user:ann"},
            {"plan": "free", "accounts": 1, "example": "user:ann"},
        ])
    );
    let both = "?removing_features=reports&removing_plans=free";
    apply(&api, both, "").await.expect(200);
    let after = api.get("/v1/catalog").await.expect(200).body;
    assert_eq!(
        (&after["features"], &after["plans"]),
        (&json!([]), &json!([]))
    );
    let gone = api.consume("ann", "reports", 1).await.expect(404);
    assert_eq!(gone.body["code"], "unknown_feature");
}

/// C7: what no account holds goes without a word.
async fn what_nobody_holds_goes_by_itself(api: Api) {
    set(&api).await;
    let gone = apply(&api, "", &format!("{FEATURE}{FREE}")).await;
    let gone = gone.expect(200).body;
    assert_eq!(gone["features_removed"], json!(["exports"]));
    assert_eq!(gone["plans_removed"], json!(["big"]));
    assert_eq!(gone["held"], json!([]));
    assert_eq!(gone.get("names_nothing"), None, "{gone}");
    api.consume("ann", "reports", 10).await.expect(200);
}

/// C7: an override, a balance and a plan that is scheduled are holds too; a subscription that ended is none.
async fn overrides_balances_and_scheduled_plans_are_holds(api: Api) {
    set(&api).await;
    let without = |what: &str| format!("{FEATURE}{OTHER}{FREE}{BIG}").replace(what, "");
    let own = "/v1/users/ann/overrides/exports";
    api.put(own, json!({"limit": 5})).await.expect(200);
    let held = "removing_features: feature `exports` is held by user:ann";
    assert_eq!(listed(&apply(&api, "", &without(OTHER)).await), [held]);
    api.consume("ann", "exports", 1).await.expect(200);
    api.delete(own).await.expect(200);
    assert_eq!(listed(&apply(&api, "", &without(OTHER)).await), [held]);
    let later = json!({"plan": "big", "when": "period_end"});
    let change = "/v1/users/ann/subscription/change-plan";
    api.post(change, later).await.expect(200);
    let held = "removing_plans: plan `big` is held by user:ann";
    assert_eq!(listed(&apply(&api, "", &without(BIG)).await), [held]);
    let cancel = "/v1/users/ann/subscription/cancel";
    api.post(cancel, json!({"when": "now"})).await.expect(200);
    apply(&api, "", &without(BIG)).await.expect(200);
}

/// F6: to take away an override of an unknown feature is 404; one of a feature that has left the catalog can be taken away.
async fn an_override_goes_though_its_feature_has_left_the_catalog(api: Api) {
    set(&api).await;
    let own = "/v1/users/ann/overrides/exports";
    let member_limit = "/v1/orgs/acme/member-limits/exports";
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    for path in [own, member_limit] {
        api.put(path, json!({"limit": 5})).await.expect(200);
    }
    let fewer = format!("{FEATURE}{FREE}{BIG}");
    let named = "?removing_features=exports";
    apply(&api, named, &fewer).await.expect(200);
    for path in [own, member_limit] {
        let cleared = api.delete(path).await.expect(200);
        assert_eq!(cleared.body["detail"], "exports", "{}", cleared.text);
        let unknown = api.delete(path).await.expect(404);
        assert_eq!(unknown.body["code"], "unknown_feature", "{}", unknown.text);
        assert_eq!(unknown.body["errors"][0]["parameter"], "feature");
    }
    let none = api.delete("/v1/users/ann/overrides/reports").await;
    none.expect(200);
}

on_every_store!(
    an_override_goes_though_its_feature_has_left_the_catalog,
    what_accounts_hold_goes_only_when_it_is_named,
    what_nobody_holds_goes_by_itself,
    overrides_balances_and_scheduled_plans_are_holds,
    an_unknown_feature_binds_no_key,
);

#[tokio::test]
async fn a_name_that_is_no_code_is_refused_and_what_is_in_the_file_is_ignored() {
    let api = Api::in_memory().await;
    set(&api).await;
    let all = format!("{FEATURE}{OTHER}{FREE}{BIG}");
    let refused = apply(&api, "?removing_plans=Big", &all).await.expect(422);
    assert_eq!(refused.body["errors"][0]["parameter"], "removing_plans");
    let kept = apply(&api, "?removing_plans=free,big", &all).await;
    assert_eq!(kept.expect(200).body["changes"], false);
}

/// C7: a name that nothing has is refused, and nothing goes; who repeats a call that was carried out is not refused.
#[tokio::test]
async fn a_name_that_nothing_has_is_refused() {
    let api = Api::in_memory().await;
    set(&api).await;
    api.consume("ann", "reports", 3).await.expect(200);
    let before = api.get("/v1/catalog").await.expect(200).body;
    let cases = [
        (
            "removing_features=reports,exprots&removing_plans=free",
            "removing_features",
            "feature `exprots`",
        ),
        (
            "removing_features=reports&removing_plans=free,biig",
            "removing_plans",
            "plan `biig`",
        ),
    ];
    for (query, parameter, named) in cases {
        let refused = apply(&api, &format!("?{query}"), "").await.expect(422);
        let error = &refused.body["errors"][0];
        assert_eq!(refused.body["code"], "invalid_parameter");
        assert_eq!(error["parameter"], parameter);
        assert_eq!(error["detail"], format!("{named} is not in the catalog"));
        assert_eq!(api.get("/v1/catalog").await.expect(200).body, before);
    }
    let right = "?removing_features=reports&removing_plans=free";
    for changes in [true, false] {
        let done = apply(&api, right, OTHER).await.expect(200);
        assert_eq!(done.body["changes"], changes);
    }
    let later = apply(&api, "?removing_features=reports", "").await;
    assert_eq!(later.expect(200).body["changes"], true, "it was there once");
}

/// C7: a feature that was removed comes back only as it was counted: what was used of it then is still there.
#[tokio::test]
async fn a_feature_comes_back_as_it_was_counted() {
    let api = Api::in_memory().await;
    set(&api).await;
    api.consume("ann", "reports", 3).await.expect(200);
    let all = "?removing_features=reports&removing_plans=free";
    apply(&api, all, OTHER).await.expect(200);
    let other = FEATURE
        .replace("consumable", "capacity")
        .replace("monthly", "subscription");
    let refused = apply(&api, "", &format!("{OTHER}{other}{FREE}"))
        .await
        .expect(422);
    let detail = refused.body["detail"].as_str().expect("a text");
    assert!(
        detail.starts_with("line 12, column 8: feature `reports`: kind must be what it was"),
        "{detail}"
    );
    apply(&api, "", &format!("{FEATURE}{FREE}"))
        .await
        .expect(200);
    assert_eq!(api.standing("users/ann", "reports").await["used"], 3);
}

/// X1: a feature that is unknown is a mistake: it binds no key, and the same request is answered once there is one.
async fn an_unknown_feature_binds_no_key(api: Api) {
    set(&api).await;
    let ask = json!({"user": "ann", "feature": "prints", "amount": 1});
    let send = || api.post_keyed("/v1/consume", "once", &ask);
    for _ in 0..2 {
        let unknown = send().await.expect(404);
        assert_eq!(unknown.body["code"], "unknown_feature");
        assert_eq!(unknown.body["id"], Value::Null);
    }
    let all = format!("{FEATURE}{OTHER}{FREE}{BIG}").replace("\"exports\"", "\"prints\"");
    let all = all.replace("reports = 10", "reports = 10, prints = 1");
    apply(&api, "", &all).await.expect(200);
    let first = send().await.expect(200).body;
    let again = send().await.expect(200).body;
    assert_eq!(
        (&first["id"], &again["replayed"]),
        (&again["id"], &json!(true))
    );
}
