//! Boosts: given, drawn on, shown and taken back (C13, F1).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    f1_a_boost_pays_after_the_allowance_and_before_credits,
    a_boost_is_shown_until_it_is_over_and_after,
    an_orgs_boost_pays_for_its_members,
    a_boost_that_cannot_be_is_refused_by_its_field,
);

const BOOSTS: &str = "/v1/users/ann/boosts";

/// F1 and R6: allowance, boost, credits; the balance shows what is left beside each, and a refund gives back to the boost.
async fn f1_a_boost_pays_after_the_allowance_and_before_credits(api: Api) {
    api.user("ann", Some("shop_premium")).await;
    api.credits("users/ann", "pack", 5).await;
    let boost = json!({"id": "sale", "feature": "try_on", "amount": 2, "reason": "a slow day"});
    let given = api.post(BOOSTS, boost).await.expect(201);
    assert_eq!(given.body["changed"], "boost_given");
    api.consume("ann", "try_on", 9).await.expect(200);
    let spent = api.consume("ann", "try_on", 4).await.expect(200);
    assert_eq!(
        spent.draws(),
        ["user allowance 1", "user boost 2", "user credits 1"]
    );
    assert_eq!(spent.body["draws"][1]["boost"], "sale");
    let left = |answer: &Value| json!([answer["remaining"], answer["boosts"], answer["credits"]]);
    assert_eq!(left(&spent.balance("user")), json!([0, null, 4]));
    let denied = api.consume("ann", "try_on", 5).await.expect(429);
    assert_eq!(denied.body["available"], 4);
    let path = spent.body["id"].as_str().expect("an id");
    let refund = format!("/v1/consumptions/{path}/refund");
    let back = api.post(&refund, json!({"amount": 2})).await.expect(200);
    assert_eq!(left(&back.balance("user")), json!([0, 1, 5]));
    let standing = api.standing("users/ann", "try_on").await;
    assert_eq!(left(&standing), json!([0, 1, 5]));
    let denied = api.consume("ann", "try_on", 7).await.expect(429);
    assert_eq!(denied.body["available"], 6);
}

/// C13: a boost ends with the period unless its end is said; the list and the overview have it while it is live, the list
/// afterwards too, page by page; what is left is taken back once.
async fn a_boost_is_shown_until_it_is_over_and_after(api: Api) {
    api.user("ann", Some("article_pro")).await;
    let ann = api.get("/v1/users/ann").await.expect(200).body;
    let until = api.engine.now() + TimeDelta::hours(1);
    for (id, ends_at) in [("over", Some(until)), ("left", None), ("back", None)] {
        let mut boost = json!({"id": id, "feature": "articles_per_month", "amount": 9});
        if let Some(ends_at) = ends_at {
            boost["ends_at"] = json!(ends_at);
        }
        api.post(BOOSTS, boost).await.expect(201);
    }
    let one = format!("{BOOSTS}/back");
    let back = api.delete(&one).await.expect(200);
    assert_eq!(back.body["changed"], "boost_taken_back");
    let twice = api.delete(&one).await.expect(409);
    assert_eq!(twice.body["code"], "boost_empty");
    assert!(twice.text.contains("it was taken back"), "{}", twice.text);
    let overview = api.get("/v1/users/ann/overview").await.expect(200).body;
    assert_eq!(ids(&overview), ["left", "over"]);
    api.pass(TimeDelta::hours(1));
    let list = api.get(BOOSTS).await.expect(200).body;
    assert_eq!(ids(&list), ["left", "back", "over"]);
    let states = ["live", "taken_back", "expired"];
    for (boost, state) in list["boosts"]
        .as_array()
        .expect("a list")
        .iter()
        .zip(states)
    {
        assert_eq!(boost["state"], state);
        assert_eq!(boost["feature"], "articles_per_month");
    }
    let instant = |value: &Value| -> DateTime<Utc> {
        let text = value.as_str().expect("an instant");
        text.parse().expect("an instant")
    };
    let of_period = &ann["subscription"]["ends_at"];
    assert_eq!(
        instant(&list["boosts"][0]["ends_at"]),
        instant(of_period),
        "{ann}"
    );
    let page = api.get(&format!("{BOOSTS}?limit=1")).await.expect(200).body;
    assert_eq!(
        (ids(&page), &page["next"]),
        (vec!["left", "back"], &json!("back"))
    );
    let page = api.get(&format!("{BOOSTS}?after=back")).await.expect(200);
    assert_eq!(ids(&page.body), ["over"]);
    let overview = api.get("/v1/users/ann/overview").await.expect(200).body;
    assert_eq!(ids(&overview), ["left"]);
}

fn ids(body: &Value) -> Vec<&str> {
    let boosts = body["boosts"].as_array().expect("a list").iter();
    boosts
        .map(|boost| boost["id"].as_str().expect("a text"))
        .collect()
}

/// F1 and O1: an org's boost pays at the org, whatever pays for the member.
async fn an_orgs_boost_pays_for_its_members(api: Api) {
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.subscribe("orgs/acme", json!({"plan": "article_free"}))
        .await;
    let bea = json!({"org": "acme"});
    api.put("/v1/users/bea", bea).await.expect(201);
    let limit = api.standing("orgs/acme", "articles_per_month").await["granted"]
        .as_u64()
        .expect("a number");
    let boost = json!({"id": "sale", "feature": "articles_per_month", "amount": 4});
    let at = "/v1/orgs/acme/boosts";
    api.post(at, boost).await.expect(201);
    let spent = api.consume("bea", "articles_per_month", limit + 3).await;
    let spent = spent.expect(200);
    let of_org = [format!("org allowance {limit}"), "org boost 3".to_owned()];
    assert_eq!(spent.draws()[1..], of_org);
    assert_eq!(spent.balance("org")["boosts"], 1);
    let denied = api.consume("bea", "articles_per_month", 2).await;
    let denied = denied.expect(429).body;
    let why = json!([denied["code"], denied["available"]]);
    assert_eq!(why, json!(["org_limit_reached", 1]));
    let list = api.get(at).await.expect(200).body;
    assert_eq!(list["boosts"][0]["used"], 3);
}

/// C13: bad input names its field and changes nothing.
async fn a_boost_that_cannot_be_is_refused_by_its_field(api: Api) {
    api.user("ann", None).await;
    let (feature, tomorrow) = ("articles_per_month", api.engine.now() + TimeDelta::days(1));
    let before = api.everything_of("users/ann").await;
    let good = json!({"id": "sale", "feature": feature, "amount": 5, "ends_at": tomorrow});
    let cases = [
        ("ends_at", Value::Null, 422, "end_required"),
        ("ends_at", json!(api.engine.now()), 422, "not_in_future"),
        ("feature", json!("storage_space"), 422, "not_a_consumable"),
        ("feature", json!("nothing"), 404, "unknown_feature"),
        ("amount", json!(0), 422, "invalid_body"),
        ("id", json!(""), 422, "invalid_body"),
    ];
    for (field, value, status, code) in cases {
        let mut body = good.clone();
        body[field] = value;
        let refused = api.post(BOOSTS, body).await.expect(status);
        assert_eq!(refused.body["code"], code, "{}", refused.text);
        let place = &refused.body["errors"][0]["pointer"];
        assert_eq!(place, &json!(format!("/{field}")), "{}", refused.text);
    }
    assert_eq!(api.everything_of("users/ann").await, before);
    api.post(BOOSTS, good.clone()).await.expect(201);
    let twice = api.post(BOOSTS, good).await.expect(409);
    assert_eq!(twice.body["code"], "boost_exists");
    assert_eq!(twice.body["errors"][0]["pointer"], "/id");
    let unknown = api.delete(&format!("{BOOSTS}/none")).await.expect(404);
    assert_eq!(unknown.body["code"], "unknown_boost");
    let nobody = api.get("/v1/users/nobody/boosts").await.expect(404);
    assert_eq!(nobody.body["code"], "unknown_account");
}
