//! The worked examples of the rule book about windows, over HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e11_monthly_windows_start_where_the_anchor_says,
    e14_a_yearly_plan_has_twelve_monthly_windows,
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
