//! What would end a denial, over HTTP (F8).

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::api_under_test::{Answer, Api};
use crate::stores::on_every_store;

on_every_store!(
    f8_a_denial_lists_what_would_end_it,
    f8_every_call_that_decides_takes_offers,
    f8_a_flag_has_offers,
    f8_offers_are_the_orgs_where_the_org_bound,
    f8_offers_are_no_part_of_what_a_key_binds,
    f8_packs_and_seats_are_offered,
);

const PLANS: &str = r#"[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"
credit_cost = 2

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[plan]]
code = "basic"
name = "Basic"
price = 500
limits = { messages = 10 }

[[plan]]
code = "large"
name = "Large"
price = 3000
limits = { messages = 100, sso = true }

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 300
limits = { messages = 20 }

[[plan]]
code = "starter"
name = "Starter"
limits = { messages = 2 }
"#;

/// A user who has used all of the basic plan.
async fn used_up(api: &Api) {
    api.apply(PLANS).await;
    api.user("ann", Some("basic")).await;
    api.pass(TimeDelta::minutes(1));
    api.consume("ann", "messages", 10).await.expect(200);
}

fn asking(user: &str, feature: &str, amount: u64) -> Value {
    json!({"user": user, "feature": feature, "amount": amount, "offers": true})
}

/// Each offer as a word and how many.
fn words(body: &Value) -> Vec<String> {
    let offers = body["offers"].as_array().expect("a list").iter();
    let word = |offer: &Value| {
        let name = offer["plan"].as_str().unwrap_or("credits");
        let many = [&offer["quantity"], &offer["credits"]];
        let many = many.into_iter().find_map(Value::as_u64);
        many.map_or_else(|| name.to_owned(), |many| format!("{name} {many}"))
    };
    offers.map(word).collect()
}

/// F8: a plan, the fewest of an add-on, the fewest credits; each of them, bought, ends the denial. A cheaper plan would wait
/// and is not listed (S5), and nothing is listed unasked.
async fn f8_a_denial_lists_what_would_end_it(api: Api) {
    used_up(&api).await;
    let denied = api.post("/v1/consume", asking("ann", "messages", 30));
    let denied = denied.await.expect(429).body;
    assert_eq!(denied["code"], "limit_reached");
    assert_eq!(words(&denied), ["large", "more 2", "credits 60"]);
    let plan = json!({"kind": "plan", "account": "user:ann", "scope": "user", "plan": "large", "name": "Large",
        "price": 3000, "currency": "usd", "interval": "month"});
    assert_eq!(denied["offers"][0], plan);
    let addon = json!({"kind": "addon", "account": "user:ann", "scope": "user", "plan": "more", "name": "More",
        "price": 300, "currency": "usd", "interval": "month", "quantity": 2, "held": 0});
    assert_eq!(denied["offers"][1], addon);
    let unasked = api.consume("ann", "messages", 30).await.expect(429);
    assert_eq!(unasked.body.get("offers"), None);
    let allowed = api.post("/v1/check", asking("ann", "messages", 1)).await;
    assert_eq!(
        words(&allowed.expect(200).body),
        ["large", "more 1", "credits 2"]
    );
    let more = "/v1/users/ann/addons/more";
    api.put(more, json!({"quantity": 2})).await.expect(200);
    let spent = api.post("/v1/consume", asking("ann", "messages", 30));
    assert_eq!(spent.await.expect(200).body.get("offers"), None);
    let next = api.post("/v1/consume", asking("ann", "messages", 20)).await;
    let next = next.expect(429).body;
    assert_eq!(words(&next), ["large", "more 3", "credits 20"]);
    assert_eq!(next["offers"][1]["held"], 2);
    api.credits("users/ann", "pack", 20).await;
    let paid = api.post("/v1/consume", asking("ann", "messages", 20)).await;
    paid.expect(200);
    api.put("/v1/users/new", json!({})).await.expect(201);
    let fresh = api.post("/v1/consume", asking("new", "messages", 2)).await;
    let fresh = fresh.expect(429).body;
    assert_eq!(words(&fresh), ["basic", "large", "starter", "credits 4"]);
}

/// F8, X2, R1: check, reserve, lists of items and of operations.
async fn f8_every_call_that_decides_takes_offers(api: Api) {
    used_up(&api).await;
    let all = ["large", "more 1", "credits 10"];
    let checked = api.post("/v1/check", asking("ann", "messages", 5)).await;
    assert_eq!(words(&checked.expect(200).body), all);
    let mut reserve = asking("ann", "messages", 5);
    reserve["ttl_seconds"] = json!(60);
    let denied = api.post("/v1/reservations", reserve).await;
    assert_eq!(words(&denied.expect(429).body), all);
    let items =
        json!([{"feature": "messages", "amount": 15}, {"feature": "messages", "amount": 15}]);
    let several = json!({"user": "ann", "items": items, "offers": true});
    for (path, status) in [("/v1/consume", 429), ("/v1/check", 200)] {
        let denied = api.post(path, several.clone()).await.expect(status).body;
        assert_eq!(words(&denied), ["large", "more 2", "credits 60"], "{path}");
    }
    let mut tracked = asking("ann", "messages", 1);
    tracked["operation"] = json!("track");
    let plain = json!({"user": "ann", "feature": "messages", "amount": 5});
    let list = json!({"operations": [asking("ann", "messages", 5), plain, tracked]});
    let done = api.post("/v1/batch", list).await.expect(200).body;
    let results = &done["results"];
    assert_eq!(words(&results[0]), all);
    assert_eq!(results[1].get("offers"), None);
    let place = &results[2]["errors"][0]["pointer"];
    assert_eq!(place, "/operations/2/offers", "a track is never denied");
    let unknown = api
        .post("/v1/consume", asking("nobody", "messages", 1))
        .await;
    assert_eq!(words(&unknown.expect(404).body), [""; 0]);
    let bad = json!({"user": "ann", "feature": "messages", "amount": 1, "offers": 1});
    for path in ["/v1/consume", "/v1/check"] {
        let bad = api.post(path, bad.clone()).await.expect(422);
        assert_eq!(bad.body["errors"][0]["pointer"], "/offers");
    }
}

/// F8, C2: a flag that is `not_in_plan`.
async fn f8_a_flag_has_offers(api: Api) {
    used_up(&api).await;
    let asked = json!({"user": "ann", "feature": "sso", "offers": true});
    let denied = api.post("/v1/check", asked.clone()).await.expect(200).body;
    assert_eq!(
        json!([denied["reason"], denied["allowed"]]),
        json!(["not_in_plan", false])
    );
    assert_eq!(words(&denied), ["large"]);
    let change = "/v1/users/ann/subscription/change-plan";
    api.post(change, json!({"plan": "large"})).await.expect(200);
    let had = api.post("/v1/check", asked).await.expect(200).body;
    assert_eq!(json!([had["allowed"], had["offers"]]), json!([true, null]));
}

/// F8, O5: the org lacks it, so the org may buy it.
async fn f8_offers_are_the_orgs_where_the_org_bound(api: Api) {
    api.apply(PLANS).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "basic"})).await;
    let bea = api.put("/v1/users/bea", json!({"org": "acme"})).await;
    bea.expect(201);
    let denied = api.post("/v1/consume", asking("bea", "messages", 30)).await;
    let denied = denied.expect(429).body;
    assert_eq!(denied["code"], "org_limit_reached");
    assert_eq!(words(&denied), ["large", "more 1", "credits 40"]);
    let offers = denied["offers"].as_array().expect("a list");
    for offer in offers {
        let who = json!([offer["account"], offer["scope"]]);
        assert_eq!(who, json!(["org:acme", "org"]), "{offer}");
    }
    let path = "/v1/orgs/acme/addons/more";
    api.put(path, json!({"quantity": 1})).await.expect(200);
    let spent = api.post("/v1/consume", asking("bea", "messages", 30)).await;
    spent.expect(200);
}

fn without_offers(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    let members = body.as_object_mut().expect("a table");
    members.remove("offers");
    body
}

/// F8, X1: the same key with and without offers is the same request. A repetition gets the first answer, and beside it what
/// would end the denial now.
async fn f8_offers_are_no_part_of_what_a_key_binds(api: Api) {
    used_up(&api).await;
    let plain = json!({"user": "ann", "feature": "messages", "amount": 5});
    let first = api
        .post_keyed("/v1/consume", "k-1", &plain)
        .await
        .expect(429);
    assert_eq!(first.body.get("offers"), None);
    let asked = asking("ann", "messages", 5);
    let again = api
        .post_keyed("/v1/consume", "k-1", &asked)
        .await
        .expect(429);
    assert_eq!(again.body["replayed"], true);
    assert_eq!(words(&again.body), ["large", "more 1", "credits 10"]);
    let third = api
        .post_keyed("/v1/consume", "k-1", &plain)
        .await
        .expect(429);
    assert_eq!(without_offers(&again), third.body);
    api.credits("users/ann", "pack", 10).await;
    let later = api
        .post_keyed("/v1/consume", "k-1", &asked)
        .await
        .expect(429);
    assert_eq!(
        words(&later.body),
        [""; 0],
        "another request would be allowed now"
    );
    let ledger = api.get("/v1/users/ann/ledger").await.expect(200);
    assert!(!ledger.text.contains("offers"), "{}", ledger.text);
}

/// More of the catalog: a plan by seats, and a pack.
const TEAM: &str = r#"
[[plan]]
code = "team"
name = "Team"
price = 900
limits = { messages = { limit = 20, per_seat = true } }

[[pack]]
code = "credits_50"
name = "50 credits"
credits = 50
price = 400
"#;

/// F8, C12: seats of the plan that is had, and packs of the catalog beside the credits that they give.
async fn f8_packs_and_seats_are_offered(api: Api) {
    api.apply(&format!("{PLANS}{TEAM}")).await;
    api.user("ann", Some("team")).await;
    api.pass(TimeDelta::minutes(1));
    api.consume("ann", "messages", 20).await.expect(200);
    let denied = api.post("/v1/consume", asking("ann", "messages", 30));
    let denied = denied.await.expect(429).body;
    let offers = denied["offers"].as_array().expect("a list");
    let of = |kind: &str| {
        let mut offers = offers.iter();
        offers.find(|offer| offer["kind"] == kind).cloned()
    };
    let seats = json!({"kind": "seats", "account": "user:ann", "scope": "user", "plan": "team", "name": "Team",
        "price": 900, "currency": "usd", "interval": "month", "quantity": 3, "held": 1});
    assert_eq!(of("seats"), Some(seats));
    let pack = json!({"kind": "pack", "account": "user:ann", "scope": "user", "pack": "credits_50", "name": "50 credits",
        "price": 400, "currency": "usd", "quantity": 2, "credits": 50});
    assert_eq!(of("pack"), Some(pack));
    let path = "/v1/users/ann/subscription/seats";
    api.put(path, json!({"seats": 3})).await.expect(200);
    let spent = api.post("/v1/consume", asking("ann", "messages", 30)).await;
    spent.expect(200);
}
