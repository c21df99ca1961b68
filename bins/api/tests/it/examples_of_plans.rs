//! The worked examples of the rule book about what follows a subscription, and about overage, over HTTP.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e41_a_start_that_is_booked_leaves_what_runs,
    e42_a_cancellation_is_resumed,
    e43_e44_a_smaller_plan_waits_and_keeps_the_billing_day,
    e48_a_renewal_does_not_give_the_day_twice,
    e50_overage_counts_against_a_limit_that_rises,
);

const PLANS: &str = r#"
[[feature]]
code = "reports"
name = "Reports"
unit = "report"
kind = "consumable"
cadence = "monthly"

[[feature]]
code = "upload"
name = "Uploads"
unit = "upload"
kind = "consumable"
cadence = "daily"
anchor = "calendar"

[[feature]]
code = "albums"
name = "Albums"
unit = "album"
kind = "capacity"
cadence = "subscription"

[[plan]]
code = "small"
name = "Small"
price = 500
limits = { reports = 10, upload = 100, albums = 3 }

[[plan]]
code = "large"
name = "Large"
price = 1700
limits = { reports = 100, upload = 100, albums = 10 }

[[plan]]
code = "yearly"
name = "Yearly"
price = 13400
interval = "year"
limits = { reports = 100, upload = 100, albums = 10 }
"#;

const AT: &str = "/v1/users/ann/subscription";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// Ann with a plan that began on 31 March 2027 at noon.
async fn from_31_march(api: &Api, plan: &str) {
    api.apply(PLANS).await;
    api.clock.set(instant("2027-03-31T12:00:00Z"));
    api.user("ann", Some(plan)).await;
}

async fn held(api: &Api) -> Value {
    api.get(AT).await.expect(200).body
}

/// E41: plan runs to 30 April, used 40; a start on 30 April is booked: allowed from the running plan, then the new one.
async fn e41_a_start_that_is_booked_leaves_what_runs(api: Api) {
    from_31_march(&api, "large").await;
    api.consume("ann", "reports", 40).await.expect(200);
    let turn = "2027-04-30T12:00:00Z";
    let body = json!({"plan": "small", "starts_at": turn});
    let booked = api.post(AT, body).await.expect(200);
    let detail = booked.body["detail"].as_str().expect("a detail").to_owned();
    assert!(
        detail.contains("then small from 2027-04-30T12:00:00"),
        "{detail}"
    );
    let running = held(&api).await;
    assert_eq!(running["ends_at"], turn);
    assert_eq!(running["upcoming"][0]["starts_at"], turn);
    let more = api.consume("ann", "reports", 1).await.expect(200);
    assert_eq!(more.balance("user")["remaining"], 59);
    api.clock.set(instant(turn));
    let next = api.consume("ann", "reports", 1).await.expect(200);
    assert_eq!(next.balance("user")["remaining"], 9);
}

/// E42: used 40, canceled at the period's end, resumed: used 40, same end, renews.
async fn e42_a_cancellation_is_resumed(api: Api) {
    from_31_march(&api, "large").await;
    api.consume("ann", "reports", 40).await.expect(200);
    let before = held(&api).await;
    let resume = format!("{AT}/resume");
    let none = api.post(&resume, json!({})).await.expect(409);
    assert_eq!(none.body["code"], "not_canceled");
    api.post(&format!("{AT}/cancel"), json!({}))
        .await
        .expect(200);
    let renew = format!("{AT}/renew");
    let refused = api.post(&renew, json!({})).await.expect(409);
    assert_eq!(refused.body["code"], "subscription_canceled");
    let detail = refused.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("ends at 2027-04-30T12:00:00"), "{detail}");
    let resumed = api.send(Method::POST, &resume, &[], Vec::new()).await;
    resumed.expect(200);
    assert_eq!(held(&api).await, before);
    let standing = api.standing("users/ann", "reports").await;
    assert_eq!(standing["used"], 40);
    api.post(&renew, json!({})).await.expect(200);
    api.clock.set(instant("2027-05-01T00:00:00Z"));
    api.consume("ann", "reports", 100).await.expect(200);
}

/// E43 and E44: a smaller plan, and a shorter one, wait for the end; the day of the month stays.
async fn e43_e44_a_smaller_plan_waits_and_keeps_the_billing_day(api: Api) {
    from_31_march(&api, "large").await;
    let change = format!("{AT}/change-plan");
    api.post(&change, json!({"plan": "small"}))
        .await
        .expect(200);
    api.clock.set(instant("2027-04-30T12:00:00Z"));
    api.post(&format!("{AT}/renew"), json!({}))
        .await
        .expect(200);
    let next = held(&api).await;
    assert_eq!(
        (&next["plan"], &next["ends_at"]),
        (&json!("small"), &json!("2027-05-31T12:00:00Z"))
    );
    let upgraded = api
        .post(&change, json!({"plan": "yearly"}))
        .await
        .expect(200);
    let detail = upgraded.body["detail"].as_str().expect("a detail");
    assert!(
        detail.contains("small, paid for to 2027-05-31T12:00:00"),
        "{detail}"
    );
    api.post(&change, json!({"plan": "large"}))
        .await
        .expect(200);
    let yearly = held(&api).await;
    assert_eq!(yearly["plan"], "yearly");
    assert_eq!(yearly["scheduled"]["at"], "2028-04-30T12:00:00Z");
}

/// E48: `upload` 100 a day, calendar, used 40 at 11:00, renewed 12:00, 40 more: used 80, remaining 20; the next day 100.
async fn e48_a_renewal_does_not_give_the_day_twice(api: Api) {
    from_31_march(&api, "large").await;
    api.clock.set(instant("2027-04-30T11:00:00Z"));
    api.consume("ann", "upload", 40).await.expect(200);
    api.clock.set(instant("2027-04-30T12:00:00Z"));
    api.post(&format!("{AT}/renew"), json!({}))
        .await
        .expect(200);
    let more = api.consume("ann", "upload", 40).await.expect(200);
    let user = more.balance("user");
    assert_eq!(
        (&user["used"], &user["remaining"]),
        (&json!(80), &json!(20))
    );
    assert_eq!(user["resets_at"], "2027-05-01T00:00:00Z");
    api.clock.set(instant("2027-05-01T00:00:00Z"));
    let standing = api.standing("users/ann", "upload").await;
    assert_eq!(standing["remaining"], 100);
}

/// E50: limit 3, 7 occupied (overage 4); limit becomes 10: remaining 3.
async fn e50_overage_counts_against_a_limit_that_rises(api: Api) {
    from_31_march(&api, "small").await;
    let tracked = json!({"user": "ann", "feature": "albums", "amount": 7});
    api.post("/v1/track", tracked).await.expect(200);
    let limit = json!({"limit": 10});
    api.put("/v1/users/ann/overrides/albums", limit)
        .await
        .expect(200);
    let standing = api.standing("users/ann", "albums").await;
    assert_eq!(
        (&standing["overage"], &standing["remaining"]),
        (&json!(4), &json!(3))
    );
}
