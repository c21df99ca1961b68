//! What a price list cannot say, and what requests about it cannot ask: each is refused by its place, and nothing changes.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    bad_price_lists_are_refused_by_line_and_column,
    a_setting_is_no_number_to_spend,
    bad_instants_of_use_are_named_and_change_nothing,
    bad_boosts_add_ons_and_member_limits_are_named_and_change_nothing,
);

const PLANS: &str = r#"default_plan = "free"

[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

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
limits = { messages = 10, albums = 3, max_file_mb = 10 }

[[plan]]
code = "pro"
name = "Pro"
price = 1900
currency = "eur"
limits = { messages = 100, albums = 30, sso = true, max_file_mb = 50 }
on_demand = { messages = { price = 4, cap = 100 } }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
currency = "eur"
limits = { messages = 50 }
"#;

/// What is written instead of what, before which text the mistake stands, and what is said of it.
const WRONG_LISTS: [(&str, &str, &str, &str); 29] = [
    (
        "cadence = \"monthly\"",
        "cadence = \"0h\"",
        "\"0h\"",
        "`0h` is no cadence",
    ),
    (
        "cadence = \"monthly\"",
        "cadence = \"400d\"",
        "\"400d\"",
        "`400d` is no cadence",
    ),
    (
        "messages = 100",
        "messages = [{ limit = 100 }, { limit = 9, per = \"0h\" }]",
        "\"0h\"",
        "`0h` is no cadence",
    ),
    (
        "messages = 100",
        "messages = [{ limit = 100 }, { limit = 9, per = \"400d\" }]",
        "\"400d\"",
        "`400d` is no cadence",
    ),
    (
        "cadence = \"monthly\"",
        "cadence = \"monthly\"\nanchor = \"first_use\"",
        "\"first_use\"",
        "feature `messages`: anchor cannot be `first_use`: that needs hours, days or a span",
    ),
    (
        "messages = 100",
        "messages = { limit = 100, anchor = \"first_use\" }",
        "\"first_use\" }",
        "limits of `messages` have an `anchor` that cannot be `first_use`: that needs hours",
    ),
    (
        "albums = 30",
        "albums = { limit = 30, rollover = { max = 5 } }",
        "{ max = 5 }",
        "limits of `albums` cannot have a `rollover`: that is for consumables",
    ),
    (
        "messages = 100",
        "messages = { limit = 100, per = \"5h\", anchor = \"first_use\", rollover = { max = 5 } }",
        "{ max = 5 }",
        "limits of `messages` cannot have a `rollover` with `first_use`",
    ),
    (
        "{ price = 4, cap = 100 }",
        "{ cap = 100 }",
        "{ cap = 100 }",
        "`price`",
    ),
    (
        "price = 4, cap = 100",
        "price = 0, cap = 100",
        "0, cap = 100",
        "on_demand of `messages` must have a `price` of 1 to 10^15",
    ),
    ("cap = 100", "cap = -1", "-1 }", "`on_demand.messages.cap`"),
    (
        "cap = 100",
        "cap = 100, currency = \"usd\"",
        "\"usd\"",
        "on_demand of `messages` must be sold in the plan's currency, `eur`, and not in `usd`",
    ),
    (
        "messages = 100",
        "messages = [{ limit = 100, per = \"weekly\" }, { limit = 9, per = \"weekly\" }]",
        "{ limit = 9",
        "limits of `messages` are two for `weekly`: say one",
    ),
    (
        "messages = 100",
        "messages = [{ limit = 100 }, { limit = 9, per = \"monthly\" }]",
        "{ limit = 9",
        "limits of `messages` are two for `monthly`: say one",
    ),
    (
        "sso = true",
        "sso = { limit = 1, per_seat = true }",
        "{ limit = 1, per_seat",
        "limits of `sso` must be `true` or `false`: it is a flag",
    ),
    (
        "sso = true",
        "sso = { limit = 1, member_limit = 5 }",
        "{ limit = 1, member_limit",
        "limits of `sso` cannot have a `member_limit`: nothing of a flag is counted",
    ),
    (
        "max_file_mb = 50",
        "max_file_mb = { limit = 50, per = \"daily\" }",
        "{ limit = 50",
        "limits of `max_file_mb` must be a whole number or a text: it is a setting",
    ),
    (
        "messages = 100",
        "messages = { limit = 100, rollover = { max = 0 } }",
        "0 } }",
        "limits of `messages` must have a `rollover.max` of 1 to 10^15",
    ),
    (
        "messages = 100",
        "messages = [{ limit = 100 }, { limit = \"unlimited\", per = \"weekly\", rollover = { max = 5 } }]",
        "{ max = 5 }",
        "limits of `messages` cannot have a `rollover` with \"unlimited\"",
    ),
    (
        "cap = 100",
        "cap = 3",
        "3 } }",
        "on_demand of `messages` must have a `cap` that one unit fits, 4 or more",
    ),
    (
        "messages = 50",
        "messages = { limit = 50, per = \"weekly\" }",
        "{ limit = 50",
        "plan `more`: limits of `messages` add nothing: no base plan has a limit on it for `weekly`",
    ),
    (
        "messages = 50",
        "messages = [{ limit = 50 }, { limit = 9, per = \"5h\", anchor = \"first_use\" }]",
        "{ limit = 9",
        "limits of `messages` add nothing: no base plan has a limit on it for `first_use-5h`",
    ),
    (
        "max_file_mb = 50",
        "max_file_mb = \"gold\"",
        "\"gold\"",
        "plan `pro`: limits of `max_file_mb` cannot be a text: plan `free` says a number of it",
    ),
    (
        "kind = \"flag\"",
        "kind = \"flag\"\ncadence = \"daily\"",
        "cadence = \"daily\"",
        "feature `sso`: a flag has no `cadence`",
    ),
    (
        "cadence = \"subscription\"",
        "cadence = \"weekly\"",
        "\"weekly\"",
        "feature `albums`: on_renewal is `carry` by default for a capacity",
    ),
    (
        "cadence = \"subscription\"",
        "cadence = \"subscription\"\ncounts = \"members\"\nscale = 5",
        "5\n",
        "feature `albums`: scale must be left out where members are counted",
    ),
    (
        "default_plan = \"free\"",
        "default_plan = \"none\"",
        "\"none\"",
        "default_plan names the unknown plan `none`",
    ),
    (
        "default_plan = \"free\"",
        "default_plan = \"pro\"",
        "\"pro\"",
        "default_plan must be a free plan: `pro` has a price",
    ),
    (
        "default_plan = \"free\"",
        "default_plan = \"more\"",
        "\"more\"",
        "default_plan must be a base plan: `more` is an add-on",
    ),
];

/// Line and column of the first place at which a text has another.
fn place_of(wrong: &str, needle: &str) -> Value {
    let at = wrong.find(needle).expect("it is in the file");
    let before = wrong.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|of| *of != '\n').count() + 1;
    json!([line, column])
}

/// Ann on `pro` with some use; bob on the default plan, if there is one; acme on `pro`, with cem.
async fn accounts(api: &Api, plans: &str) {
    api.apply(plans).await;
    api.user("ann", Some("pro")).await;
    api.consume("ann", "messages", 7).await.expect(200);
    api.user("bob", None).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "pro"})).await;
    api.put("/v1/users/cem", json!({"org": "acme"}))
        .await
        .expect(201);
}

/// The catalog, and everything of every account.
async fn everything(api: &Api) -> Value {
    let catalog = api.get("/v1/catalog").await.expect(200).body;
    let mut all = vec![catalog];
    for account in ["users/ann", "users/bob", "users/cem", "orgs/acme"] {
        all.push(api.everything_of(account).await);
    }
    Value::Array(all)
}

/// C2 to C4, C9 to C14, O7: what a file cannot say is told with line and column, planned or applied.
async fn bad_price_lists_are_refused_by_line_and_column(api: Api) {
    accounts(&api, PLANS).await;
    let before = everything(&api).await;
    for (from, to, needle, words) in WRONG_LISTS {
        let wrong = PLANS.replacen(from, to, 1);
        assert_ne!(wrong, PLANS, "{to}");
        for path in ["/v1/catalog/plan", "/v1/catalog/apply"] {
            let refused = api.post_toml(path, &wrong).await.expect(422);
            assert_eq!(refused.body["code"], "invalid_catalog", "{}", refused.text);
            let errors = refused.body["errors"].as_array().expect("a list");
            let said = |error: &Value| error["detail"].as_str().unwrap_or_default().to_owned();
            let error = errors.iter().find(|error| said(error).contains(words));
            let error = error.unwrap_or_else(|| unreachable!("{to}: {}", refused.text));
            let place = json!([error["line"], error["column"]]);
            assert_eq!(place, place_of(&wrong, needle), "{to}: {}", refused.text);
            let twice = said(error).contains("`: feature `");
            assert!(!twice, "said twice: {}", refused.text);
            // What is counted another way than before is a mistake beside that.
            let others = errors.iter().filter(|other| *other != error);
            let mut others = others.filter(|other| !said(other).contains("cannot change"));
            assert_eq!(others.next(), None, "{to}: {}", refused.text);
        }
    }
    assert_eq!(everything(&api).await, before);
    api.apply(PLANS).await;
}

/// C2: a setting is told; no request spends, holds, tracks, gives back, resets, boosts or limits it.
async fn a_setting_is_no_number_to_spend(api: Api) {
    accounts(&api, PLANS).await;
    let before = everything(&api).await;
    let one = json!({"user": "ann", "feature": "max_file_mb", "amount": 1});
    let mut held = one.clone();
    held["ttl_seconds"] = json!(60);
    let items = json!({"user": "ann", "items": [
        {"feature": "messages", "amount": 1}, {"feature": "max_file_mb", "amount": 1}]});
    let boost = json!({"id": "b", "feature": "max_file_mb", "amount": 1});
    let reset = json!({"features": ["messages", "max_file_mb"]});
    for (path, body, place) in [
        ("/v1/consume", one.clone(), "/feature"),
        ("/v1/consume", items, "/items/1/feature"),
        ("/v1/track", one.clone(), "/feature"),
        ("/v1/reservations", held, "/feature"),
        ("/v1/capacity/release", one, "/feature"),
        ("/v1/users/ann/boosts", boost, "/feature"),
        ("/v1/users/ann/reset", reset, "/features/1"),
    ] {
        let refused = api.post(path, body).await.expect(422).body;
        assert_eq!(refused["code"], "not_countable", "{path}: {refused}");
        assert_eq!(refused["errors"][0]["pointer"], place, "{path}: {refused}");
        let detail = refused["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("`max_file_mb`"), "{path}: {refused}");
    }
    for path in [
        "/v1/users/ann/overrides/max_file_mb",
        "/v1/orgs/acme/member-limits/max_file_mb",
        "/v1/orgs/acme/members/cem/limits/max_file_mb",
    ] {
        let refused = api.put(path, json!({"limit": 5})).await.expect(422).body;
        assert_eq!(refused["code"], "not_countable", "{path}: {refused}");
        assert_eq!(refused["errors"][0]["parameter"], "feature", "{path}");
        if path.contains("limits/") {
            let shown = api.get(path).await.expect(422).body;
            assert_eq!(shown["code"], "not_countable", "{path}: {shown}");
            assert_eq!(shown["errors"][0]["parameter"], "feature", "{path}");
        }
    }
    assert_eq!(everything(&api).await, before);
}

/// X5: an instant of use in the future, 36 days ago, or before the account is refused, alone and in a batch.
async fn bad_instants_of_use_are_named_and_change_nothing(api: Api) {
    accounts(&api, PLANS).await;
    api.pass(TimeDelta::days(40));
    let made_at = api.engine.now();
    api.user("dan", None).await;
    api.pass(TimeDelta::hours(2));
    let now = api.engine.now();
    let before = [everything(&api).await, api.everything_of("users/dan").await];
    for (user, at, code) in [
        ("ann", now + TimeDelta::seconds(1), "not_recent"),
        ("ann", now - TimeDelta::days(36), "not_recent"),
        ("dan", made_at - TimeDelta::seconds(1), "before_account"),
        ("dan", now - TimeDelta::days(36), "not_recent"),
    ] {
        let told = json!({"user": user, "feature": "messages", "amount": 1, "at": at});
        let refused = api.post("/v1/track", told.clone()).await.expect(422).body;
        assert_eq!(refused["code"], code, "{told}: {refused}");
        assert_eq!(refused["errors"][0]["pointer"], "/at", "{told}: {refused}");
        let mut one = told.clone();
        one["operation"] = json!("track");
        let batch = json!({"operations": [one]});
        let result = api.post("/v1/batch", batch).await.expect(200).body["results"][0].clone();
        assert_eq!(result["code"], code, "{told}: {result}");
        let place = &result["errors"][0]["pointer"];
        assert_eq!(place, "/operations/0/at", "{told}: {result}");
    }
    let after = [everything(&api).await, api.everything_of("users/dan").await];
    assert_eq!(after, before);
    let first = json!({"user": "dan", "feature": "messages", "amount": 1, "at": made_at});
    api.post("/v1/track", first).await.expect(200);
    // What was paid for before the account was made is known from then on.
    let starts_at = made_at - TimeDelta::days(9);
    let paid = json!({"plan": "pro", "starts_at": starts_at});
    api.subscribe("users/dan", paid).await;
    let early = json!({"user": "dan", "feature": "messages", "amount": 1, "at": starts_at});
    api.post("/v1/track", early).await.expect(200);
}

/// C13 and O7: a boost in the past, an add-on without a base plan, and a member limit on a flag.
async fn bad_boosts_add_ons_and_member_limits_are_named_and_change_nothing(api: Api) {
    let plans = PLANS.replacen("default_plan = \"free\"\n", "", 1);
    assert_ne!(plans, PLANS);
    accounts(&api, &plans).await;
    let before = everything(&api).await;
    let yesterday = api.engine.now() - TimeDelta::days(1);
    let boost = json!({"id": "b", "feature": "messages", "amount": 5, "ends_at": yesterday});
    let (one, five) = (json!({"quantity": 1}), json!({"limit": 5}));
    let post = |path, body| (Method::POST, path, body);
    let put = |path, body| (Method::PUT, path, body);
    let cases = [
        (post("/v1/users/ann/boosts", boost), 422, "not_in_future"),
        (
            put("/v1/users/bob/addons/more", one),
            409,
            "no_subscription",
        ),
        (
            put("/v1/orgs/acme/member-limits/sso", five.clone()),
            422,
            "not_countable",
        ),
        (
            put("/v1/orgs/acme/members/cem/limits/sso", five),
            422,
            "not_countable",
        ),
    ];
    let places = [
        json!({"pointer": "/ends_at"}),
        Value::Null,
        json!({"parameter": "feature"}),
        json!({"parameter": "feature"}),
    ];
    for (((method, path, body), status, code), place) in cases.into_iter().zip(places) {
        let refused = api.json(method, path, &body).await.expect(status).body;
        assert_eq!(refused["code"], code, "{path}: {refused}");
        let error = &refused["errors"][0];
        for part in ["pointer", "parameter"] {
            assert_eq!(error[part], place[part], "{path}: {refused}");
        }
    }
    assert_eq!(everything(&api).await, before);
}
