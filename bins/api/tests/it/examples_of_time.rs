//! The worked examples of the rule book about windows, over HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::audit::audit;
use quota_core::command::{CloseWindows, Command};
use quota_core::ids::AccountId;
use quota_core::origin::Origin;
use quota_service::Ask;
use serde_json::json;

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e11_monthly_windows_start_where_the_anchor_says,
    e14_a_yearly_plan_has_twelve_monthly_windows,
    e45_what_is_told_late_is_booked_in_a_closed_window,
    what_is_told_too_late_changes_nothing,
);

const YEARLY: &str = r#"
[[feature]]
code = "reports"
name = "Reports"
unit = "report"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "yearly"
name = "Yearly"
price = 12000
interval = "year"
limits = { reports = 10 }

[[plan]]
code = "free"
name = "Free"
limits = { reports = 10 }
"#;

const MONTHLY: &str = r#"
[[feature]]
code = "reports"
name = "Reports"
unit = "report"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "free"
name = "Free"
limits = { reports = 100 }
"#;

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// E11: windows start 31 Jan 10:00, 28 Feb 10:00, 31 Mar 10:00, 30 Apr 10:00.
async fn e11_monthly_windows_start_where_the_anchor_says(api: Api) {
    api.apply(YEARLY).await;
    api.clock.set(instant("2027-01-31T10:00:00Z"));
    api.user("ann", Some("free")).await;
    for next in [
        "2027-02-28T10:00:00Z",
        "2027-03-31T10:00:00Z",
        "2027-04-30T10:00:00Z",
    ] {
        let answer = api.consume("ann", "reports", 10).await.expect(200);
        assert_eq!(answer.balance("user")["resets_at"], next);
        api.clock.set(instant(next) - TimeDelta::microseconds(1));
        api.consume("ann", "reports", 1).await.expect(429);
        api.clock.set(instant(next));
    }
}

/// E14: 12 windows of 10; from the end of the year all denied `subscription_expired`.
async fn e14_a_yearly_plan_has_twelve_monthly_windows(api: Api) {
    api.apply(YEARLY).await;
    api.user("ann", Some("yearly")).await;
    for _ in 0..12 {
        let answer = api.consume("ann", "reports", 10).await.expect(200);
        let denied = api.consume("ann", "reports", 1).await.expect(429);
        assert_eq!(denied.body["reason"], "limit_reached");
        let resets_at = answer.balance("user")["resets_at"].clone();
        api.clock
            .set(instant(resets_at.as_str().expect("an instant")));
    }
    assert_eq!(api.engine.now(), instant("2027-11-20T12:00:00Z"));
    let denied = api.consume("ann", "reports", 1).await.expect(403);
    assert_eq!(denied.body["reason"], "subscription_expired");
    let check = json!({"user": "ann", "feature": "reports", "amount": 1});
    let check = api.post("/v1/check", check).await.expect(200);
    assert_eq!(check.body["allowed"], false);
    assert_eq!(check.body["reason"], "subscription_expired");
}

/// April with 90 of 100 used and closed, May with 5; 3 May.
async fn april_is_closed(api: &Api) {
    api.apply(MONTHLY).await;
    api.clock.set(instant("2027-04-01T00:00:00Z"));
    api.user("ann", Some("free")).await;
    api.consume("ann", "reports", 90).await.expect(200);
    api.clock.set(instant("2027-05-01T00:00:00Z"));
    api.consume("ann", "reports", 5).await.expect(200);
    let ask = Ask {
        account: AccountId::parse("user:ann").expect("a literal id"),
        key: None,
        command: Command::CloseWindows(CloseWindows::default()),
        origin: Origin::default(),
    };
    api.engine.submit(ask).await.expect("it closes April");
    api.clock.set(instant("2027-05-03T09:00:00Z"));
}

/// E45: April with 90 of 100, closed; on 3 May 7 are told of 29 April: April has 97, and May is as it was. A refund goes
/// back to April.
async fn e45_what_is_told_late_is_booked_in_a_closed_window(api: Api) {
    april_is_closed(&api).await;
    let told = |amount: u64| json!({"user": "ann", "feature": "reports", "amount": amount, "at": "2027-04-29T02:00:00+02:00"});
    let booked = api.post_keyed("/v1/track", "k", &told(7)).await.expect(200);
    let april = booked.balance("user");
    assert_eq!(
        (&april["used"], &april["remaining"]),
        (&json!(97), &json!(3))
    );
    assert_eq!(april["resets_at"], "2027-05-01T00:00:00Z");
    let again = api.post_keyed("/v1/track", "k", &told(7)).await.expect(200);
    assert_eq!(again.body["id"], booked.body["id"], "once for its key");
    let may = api.standing("users/ann", "reports").await;
    assert_eq!((&may["used"], &may["remaining"]), (&json!(5), &json!(95)));
    let id = booked.body["id"].as_str().expect("an id");
    let operation = api.get(&format!("/v1/operations/{id}")).await.expect(200);
    assert_eq!(operation.body["at"], "2027-05-03T09:00:00Z");
    let entry = &operation.body["entries"][0];
    assert_eq!(entry["used_at"], "2027-04-29T00:00:00Z");

    let refund = format!("/v1/consumptions/{id}/refund");
    api.post(&refund, json!({"amount": 4})).await.expect(200);
    let batch = json!({"operations": [told(10)]});
    let mut batch = batch;
    batch["operations"][0]["operation"] = json!("track");
    let over = api.post("/v1/batch", batch).await.expect(200);
    let result = &over.body["results"][0];
    assert_eq!(result["balances"][0]["used"], 100, "93 and 7");
    assert_eq!(result["balances"][0]["overage"], 3, "what April had not");
    let may = api.standing("users/ann", "reports").await;
    assert_eq!((&may["used"], &may["overage"]), (&json!(5), &json!(0)));
    let home = AccountId::parse("user:ann").expect("a literal id");
    let records = api.engine.storage().audit_home(&home).await;
    let records = records.expect("it is read").expect("a home");
    assert_eq!(audit(&records), []);
}

/// X5: an instant in the future or more than 35 days ago is refused, and so is one of a consume.
async fn what_is_told_too_late_changes_nothing(api: Api) {
    april_is_closed(&api).await;
    let before = api.everything_of("users/ann").await;
    for at in ["2027-05-03T09:00:01Z", "2027-03-29T08:59:59Z"] {
        let told = json!({"user": "ann", "feature": "reports", "amount": 7, "at": at});
        let refused = api.post("/v1/track", told).await.expect(422);
        assert_eq!(refused.body["code"], "not_recent");
        assert_eq!(refused.body["errors"][0]["pointer"], "/at");
    }
    let told = json!({"user": "ann", "feature": "reports", "amount": 7, "at": "yesterday"});
    let refused = api.post("/v1/track", told).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/at");
    let consume =
        json!({"user": "ann", "feature": "reports", "amount": 7, "at": "2027-05-03T09:00:00Z"});
    let answer = api
        .post("/v1/batch", json!({"operations": [consume]}))
        .await
        .expect(200);
    let refused = &answer.body["results"][0];
    assert_eq!(refused["errors"][0]["pointer"], "/operations/0/at");
    assert_eq!(api.everything_of("users/ann").await, before);
}
