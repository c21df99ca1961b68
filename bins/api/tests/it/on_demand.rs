//! On demand: units sold when all else is spent, up to a cap in money (C11).

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    e37_what_is_beyond_the_limit_is_sold_up_to_the_cap,
    an_accounts_own_cap_is_set_and_taken_away,
    c11_an_owner_sets_the_cap_lower_and_not_higher,
    an_orgs_plan_sells_to_its_members,
    a_refund_after_the_period_lowers_that_periods_bill,
    every_period_is_listed_with_what_was_sold_in_it,
    a_file_that_sells_less_names_who_is_affected,
);

const PLANS: &str = r#"
[[feature]]
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
cadence = "monthly"

[[plan]]
code = "pro"
name = "Pro"
price = 1900
currency = "eur"
limits = { messages = 10, tokens = 5000 }
[plan.on_demand]
messages = { price = 4, cap = 100 }
tokens = { price = 3, per = 1000, cap = 60 }
"#;

const SPEND_CAP: &str = "/v1/users/ann/spend-cap";

/// Ann with 9 of 10 messages used.
async fn metered(api: &Api) {
    api.apply(PLANS).await;
    api.user("ann", Some("pro")).await;
    api.consume("ann", "messages", 9).await.expect(200);
}

async fn spending(api: &Api, account: &str) -> Value {
    let overview = api.get(&format!("/v1/{account}/overview")).await;
    overview.expect(200).body["spending"].clone()
}

fn reason(denied: &Answer) -> Value {
    json!([
        denied.body["code"],
        denied.body["scope"],
        denied.body["available"]
    ])
}

/// E37: limit 10 used 9, no credits, on demand price 4, cap 100; 26: allowance 1, on demand 25, 100 owed; then 1 is denied.
async fn e37_what_is_beyond_the_limit_is_sold_up_to_the_cap(api: Api) {
    metered(&api).await;
    let spent = api.consume("ann", "messages", 26).await.expect(200);
    assert_eq!(spent.draws(), ["user allowance 1", "user on_demand 25"]);
    let ends_at =
        api.get("/v1/users/ann").await.expect(200).body["subscription"]["ends_at"].clone();
    let wanted = json!({"used": 25, "held": 0, "remaining": 0, "price": 4, "per": 1, "currency": "eur", "owed": 100,
        "cap": 100, "period_ends_at": ends_at});
    assert_eq!(spent.balance("user")["on_demand"], wanted);
    let denied = api.consume("ann", "messages", 1).await.expect(429);
    assert_eq!(reason(&denied), json!(["spend_cap_reached", "user", 0]));
    assert_eq!(denied.body["resets_at"], ends_at);
    assert!(denied.header("retry-after").is_some());
    let check = json!({"user": "ann", "feature": "messages", "amount": 1});
    let checked = api.post("/v1/check", check).await.expect(200).body;
    assert_eq!(checked["reason"], "spend_cap_reached");
    // Each part of a price is charged whole, and the sum of all features is in the overview.
    api.consume("ann", "tokens", 5_334).await.expect(200);
    let sum = json!({"owed": 102, "cap": 160, "currency": "eur", "period_ends_at": ends_at});
    assert_eq!(spending(&api, "users/ann").await, sum);
    let left = api.get("/v1/users/ann/entitlements").await.expect(200).body;
    assert_eq!(left["limits"]["messages"]["on_demand"], 0);
    assert_eq!(left["limits"]["tokens"]["on_demand"], 19_666);
    let ledger = api.get("/v1/users/ann/ledger").await.expect(200);
    assert!(ledger.text.contains("on_demand"), "{}", ledger.text);
}

/// C11: an account's own cap binds all features together, from the next request on; one above the plan's takes their place.
async fn an_accounts_own_cap_is_set_and_taken_away(api: Api) {
    metered(&api).await;
    let set = json!({"amount": 8, "reason": "a student"});
    let done = api.put(SPEND_CAP, set).await.expect(200).body;
    let told = json!([done["changed"], done["detail"]]);
    assert_eq!(told, json!(["spend_cap_set", "operator: 8"]));
    let denied = api.consume("ann", "messages", 4).await.expect(429);
    assert_eq!(reason(&denied), json!(["spend_cap_reached", "user", 3]));
    api.consume("ann", "messages", 2).await.expect(200);
    api.consume("ann", "tokens", 6_333).await.expect(200);
    assert_eq!(spending(&api, "users/ann").await["owed"], 8);
    let denied = api.consume("ann", "messages", 1).await.expect(429);
    assert_eq!(reason(&denied), json!(["spend_cap_reached", "user", 0]));
    api.put(SPEND_CAP, json!({"amount": 5_000}))
        .await
        .expect(200);
    let shown = spending(&api, "users/ann").await;
    assert_eq!(
        (&shown["cap"], &shown["operator_cap"]),
        (&json!(5_000), &json!(5_000))
    );
    api.consume("ann", "messages", 1_000).await.expect(200);
    let gone = api.delete(SPEND_CAP).await.expect(200).body;
    assert_eq!(gone["changed"], "spend_cap_cleared");
    let denied = api.consume("ann", "messages", 1).await.expect(429);
    assert_eq!(denied.body["code"], "spend_cap_reached");
    let shown = spending(&api, "users/ann").await;
    assert_eq!(
        (&shown["cap"], &shown["owed"]),
        (&json!(160), &json!(4_008))
    );
    let again = api.delete(SPEND_CAP).await.expect(200).body;
    assert_eq!(again["changed"], "nothing");
    // Bad input names its field and changes nothing.
    let before = api.everything_of("users/ann").await;
    for amount in [json!(-1), json!(1.5), json!("5"), Value::Null] {
        let refused = api
            .put(SPEND_CAP, json!({"amount": amount}))
            .await
            .expect(422);
        let place = &refused.body["errors"][0]["pointer"];
        assert_eq!(place, "/amount", "{}", refused.text);
    }
    let large = json!({"amount": 1_000_000_000_000_001_u64});
    let refused = api.put(SPEND_CAP, large).await.expect(422).body;
    let told = json!([refused["code"], refused["errors"][0]["pointer"]]);
    assert_eq!(told, json!(["out_of_range", "/amount"]));
    assert_eq!(api.everything_of("users/ann").await, before);
    let nobody = api
        .put("/v1/users/nobody/spend-cap", json!({"amount": 1}))
        .await;
    assert_eq!(nobody.expect(404).body["code"], "unknown_account");
}

/// C11: the owner may set the cap lower: as far as the operator's, or without one as the plan's caps together. It takes away what it set
/// itself, and the operator takes both. Who asks is said in the body, not in the query.
async fn c11_an_owner_sets_the_cap_lower_and_not_higher(api: Api) {
    metered(&api).await;
    let by = |amount: u64, by: &str| json!({"amount": amount, "by": by});
    let refused = |answer: Answer, status: u16| {
        let body = answer.expect(status).body;
        json!([body["code"], body["errors"][0]["pointer"]])
    };
    let much = json!(["spend_cap_too_high", "/amount"]);
    let asked = api.put(SPEND_CAP, by(161, "owner")).await;
    assert_eq!(refused(asked, 409), much);
    api.put(SPEND_CAP, by(100, "operator")).await.expect(200);
    let asked = api.put(SPEND_CAP, by(101, "owner")).await;
    assert_eq!(refused(asked, 409), much);
    let set = api.put(SPEND_CAP, by(8, "owner")).await.expect(200).body;
    assert_eq!(set["detail"], "owner: 8");
    let denied = api.consume("ann", "messages", 4).await.expect(429);
    assert_eq!(reason(&denied), json!(["spend_cap_reached", "user", 3]));
    let shown = spending(&api, "users/ann").await;
    let caps = json!([shown["cap"], shown["operator_cap"], shown["owner_cap"]]);
    assert_eq!(caps, json!([8, 100, 8]));
    let owner = json!({"by": "owner"});
    let own = api.json(Method::DELETE, SPEND_CAP, &owner);
    own.await.expect(200);
    let shown = spending(&api, "users/ann").await;
    let caps = json!([shown["cap"], shown["operator_cap"], shown["owner_cap"]]);
    assert_eq!(caps, json!([100, 100, null]));
    api.put(SPEND_CAP, by(8, "owner")).await.expect(200);
    api.delete(SPEND_CAP).await.expect(200);
    assert_eq!(spending(&api, "users/ann").await["cap"], 160);
    let other = api.put(SPEND_CAP, by(8, "boss")).await;
    assert_eq!(refused(other, 422), json!(["invalid_body", "/by"]));
    let query = format!("{SPEND_CAP}?by=owner");
    for asked in [
        api.put(&query, json!({"amount": 5})).await,
        api.delete(&query).await,
    ] {
        let refused = asked.expect(422).body;
        let told = json!([refused["code"], refused["errors"][0]["parameter"]]);
        assert_eq!(told, json!(["invalid_parameter", "by"]), "{refused}");
    }
}

/// O1: what an org's plan sells, its members use, and the org owes.
async fn an_orgs_plan_sells_to_its_members(api: Api) {
    api.apply(PLANS).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "pro"})).await;
    api.put("/v1/users/bea", json!({"org": "acme"}))
        .await
        .expect(201);
    let spent = api.consume("bea", "messages", 13).await.expect(200);
    assert_eq!(spent.draws()[1..], ["org allowance 10", "org on_demand 3"]);
    api.put("/v1/orgs/acme/spend-cap", json!({"amount": 16}))
        .await
        .expect(200);
    let denied = api.consume("bea", "messages", 2).await.expect(429);
    assert_eq!(reason(&denied), json!(["spend_cap_reached", "org", 1]));
    assert_eq!(spending(&api, "orgs/acme").await["owed"], 12);
    assert_eq!(spending(&api, "users/bea").await, Value::Null);
    let members = api.get("/v1/orgs/acme/members").await.expect(200);
    assert!(members.text.contains("13"), "{}", members.text);
}

/// X3: what is given back after the period is over lowers what was sold in it, and nothing of the period that runs.
async fn a_refund_after_the_period_lowers_that_periods_bill(api: Api) {
    metered(&api).await;
    let spent = api.consume("ann", "messages", 6).await.expect(200);
    let renew = "/v1/users/ann/subscription/renew";
    api.post(renew, json!({})).await.expect(200);
    api.pass(TimeDelta::days(31));
    api.consume("ann", "messages", 12).await.expect(200);
    let id = spent.body["id"].as_str().expect("an id");
    let refund = format!("/v1/consumptions/{id}/refund");
    let back = api
        .post(&refund, json!({"amount": 2}))
        .await
        .expect(200)
        .body;
    let returned = &back["returned"][0];
    assert_eq!(
        (&returned["source"], &returned["amount"]),
        (&json!("on_demand"), &json!(2))
    );
    assert_eq!(spending(&api, "users/ann").await["owed"], 8);
}

/// C11: what is owed is not lost with its period: it is shown beside what runs while that period would have run, and listed from then
/// on, page by page; the ledger says at which price it was sold.
async fn every_period_is_listed_with_what_was_sold_in_it(api: Api) {
    metered(&api).await;
    let path = "/v1/users/ann/spending";
    let none = api.get(path).await.expect(200).body;
    assert_eq!(none, json!({"items": []}));
    let spent = api.consume("ann", "messages", 3).await.expect(200);
    api.pass(TimeDelta::minutes(5));
    api.subscribe("users/ann", json!({"plan": "pro"})).await;
    let shown = spending(&api, "users/ann").await;
    assert_eq!(
        (&shown["owed"], &shown["earlier"][0]["owed"]),
        (&json!(0), &json!(8))
    );
    api.consume("ann", "tokens", 5_001).await.expect(200);
    api.pass(TimeDelta::days(40));
    assert_eq!(spending(&api, "users/ann").await, Value::Null);
    let listed = api.get(path).await.expect(200).body;
    let sold = |at: usize| {
        let period = &listed["items"][at];
        json!([period["owed"], period["currency"], period["features"]])
    };
    let tokens =
        json!([{"feature": "tokens", "used": 1, "held": 0, "price": 3, "per": 1000, "owed": 1}]);
    assert_eq!(sold(0), json!([1, "eur", tokens]));
    let messages =
        json!([{"feature": "messages", "used": 2, "held": 0, "price": 4, "per": 1, "owed": 8}]);
    assert_eq!(sold(1), json!([8, "eur", messages]));
    let first = api.get(&format!("{path}?limit=1")).await.expect(200).body;
    assert_eq!(first["items"], json!([listed["items"][0]]));
    let next = first["next"].as_str().expect("there is more");
    let rest = format!("{path}?limit=1&after={next}");
    let second = api.get(&rest).await.expect(200).body;
    assert_eq!(second, json!({"items": [listed["items"][1]]}));
    let wrong = api
        .get(&format!("{path}?after=soon"))
        .await
        .expect(422)
        .body;
    assert_eq!(wrong["errors"][0]["parameter"], "after", "{wrong}");
    let id = spent.body["id"].as_str().expect("an id");
    let told = api.get(&format!("/v1/operations/{id}")).await.expect(200);
    let price = json!({"price": 4, "per": 1, "currency": "eur"});
    assert_eq!(told.body["entries"][1]["price"], price, "{}", told.text);
    let nobody = api.get("/v1/users/nobody/spending").await.expect(404);
    assert_eq!(nobody.body["code"], "unknown_account");
}

/// C7 and C11: who would be sold less is named before a file is applied; a bad one says where it is wrong, and changes nothing.
async fn a_file_that_sells_less_names_who_is_affected(api: Api) {
    metered(&api).await;
    api.consume("ann", "messages", 11).await.expect(200);
    let plan = "/v1/catalog/plan";
    let lower = PLANS.replace("price = 4, cap = 100", "price = 4, cap = 39");
    let told = api.post_toml(plan, &lower).await.expect(200).body;
    let less = json!([{"account": "user:ann", "feature": "messages", "owed": 40, "cap": 39}]);
    assert_eq!(
        (&told["less_on_demand"], &told["less_on_demand_count"]),
        (&less, &json!(1))
    );
    let enough = PLANS.replace("price = 4, cap = 100", "price = 4, cap = 40");
    let told = api.post_toml(plan, &enough).await.expect(200).body;
    assert_eq!(told["less_on_demand"], json!([]));
    let none = PLANS.replace("tokens = { price = 3, per = 1000, cap = 60 }\n", "");
    let told = api.post_toml(plan, &none).await.expect(200).body;
    let less = json!([{"account": "user:ann", "feature": "tokens", "owed": 0}]);
    assert_eq!(told["less_on_demand"], less);
    let before = api.get("/v1/catalog").await.expect(200).body;
    let wrong = [
        ("{ price = 4, cap = 100 }", "{ cap = 100 }", 12),
        ("{ price = 4, cap = 100 }", "{ price = 0, cap = 100 }", 22),
        ("cap = 100", "cap = -1", 31),
        ("cap = 100", "cap = 100, currency = \"usd\"", 47),
        ("cap = 100", "cap = 100, per = 0", 42),
        ("cap = 100", "cap = 100, colour = 1", 36),
        ("messages = { price = 4", "nothing = { price = 4", 11),
        ("limits = { messages = 10, ", "limits = { ", 12),
    ];
    for (from, to, column) in wrong {
        let text = PLANS.replace(from, to);
        assert_ne!(text, PLANS);
        let refused = api
            .post_toml("/v1/catalog/apply", &text)
            .await
            .expect(422)
            .body;
        let told = json!([
            refused["code"],
            refused["errors"][0]["line"],
            refused["errors"][0]["column"]
        ]);
        assert_eq!(
            told,
            json!(["invalid_catalog", 23, column]),
            "{to}: {refused}"
        );
    }
    assert_eq!(api.get("/v1/catalog").await.expect(200).body, before);
}
