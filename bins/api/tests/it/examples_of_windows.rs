//! The worked examples of the rule book about several limits on a feature and about what rolls over, over HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::stores::on_every_store;

on_every_store!(
    e32_a_request_must_fit_the_five_hours_and_the_week,
    e33_a_denied_request_begins_no_window,
    e34_credits_pay_what_the_windows_have_no_room_for,
    e35_what_is_left_of_the_limit_rolls_over_once,
    e36_windows_without_use_roll_over_no_more_than_max,
);

const PLANS: &str = r#"
[[feature]]
code = "messages"
name = "Messages"
unit = "message"
kind = "consumable"
cadence = "monthly"
credit_cost = 1

[[feature]]
code = "articles"
name = "Articles"
unit = "article"
kind = "consumable"
cadence = "monthly"

[[plan]]
code = "chat"
name = "Chat"
price = 2000
[plan.limits]
messages = [
    { limit = 45, per = "5h", anchor = "first_use" },
    { limit = 500, per = "weekly", anchor = "calendar" },
]
articles = { limit = 100, rollover = { max = 30 } }
"#;

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("a literal instant")
}

/// The plans on Monday, 1 March 2027, 00:00.
async fn from_march(api: &Api) {
    api.apply(PLANS).await;
    api.clock.set(instant("2027-03-01T00:00:00Z"));
}

/// Friday, 09:00: ann has used `week` messages since Monday, and `first` of them now, with which five hours begin.
async fn on_friday(api: &Api, (first, week): (u64, u64)) {
    from_march(api).await;
    api.user("ann", Some("chat")).await;
    api.clock.set(instant("2027-03-02T03:00:00Z"));
    let mut left = week - first;
    while left != 0 {
        let part = left.min(45);
        api.consume("ann", "messages", part).await.expect(200);
        left -= part;
        api.pass(TimeDelta::hours(6));
    }
    api.clock.set(instant("2027-03-05T09:00:00Z"));
    if first != 0 {
        api.consume("ann", "messages", first).await.expect(200);
    }
}

/// Used and remaining of the five hours and of the week.
async fn windows(api: &Api) -> Value {
    let shown = api.standing("users/ann", "messages").await;
    let windows = shown["windows"].as_array().cloned().unwrap_or_default();
    let numbers = windows.iter().map(|window| {
        let per = &window["per"];
        json!([per, window["used"], window["remaining"]])
    });
    numbers.collect()
}

/// E32: 45 per 5 h from the first use, 500 weekly; first use 09:00, used 44 and 300; at 10:00 1 is allowed, and then 1 denied:
/// `resets_at` 14:00, window `5h`.
async fn e32_a_request_must_fit_the_five_hours_and_the_week(api: Api) {
    on_friday(&api, (44, 300)).await;
    assert_eq!(
        windows(&api).await,
        json!([["5h", 44, 1], ["weekly", 300, 200]])
    );
    api.clock.set(instant("2027-03-05T10:00:00Z"));
    api.consume("ann", "messages", 1).await.expect(200);
    let denied = api.consume("ann", "messages", 1).await.expect(429);
    let why = json!([
        denied.body["reason"],
        denied.body["window"],
        denied.body["resets_at"],
        denied.body["available"]
    ]);
    assert_eq!(
        why,
        json!(["limit_reached", "5h", "2027-03-05T14:00:00Z", 0])
    );
    assert_eq!(
        windows(&api).await,
        json!([["5h", 45, 0], ["weekly", 301, 199]])
    );
    api.clock.set(instant("2027-03-05T14:00:00Z"));
    api.consume("ann", "messages", 1).await.expect(200);
}

/// E33: as E32, the week used 500 and no 5 h window runs: 1 is denied, window `weekly`, `resets_at` Monday 00:00, and no 5 h window
/// begins.
async fn e33_a_denied_request_begins_no_window(api: Api) {
    on_friday(&api, (0, 500)).await;
    let before = api.everything_of("users/ann").await;
    let denied = api.consume("ann", "messages", 1).await.expect(429);
    let why = json!([
        denied.body["reason"],
        denied.body["window"],
        denied.body["resets_at"]
    ]);
    assert_eq!(
        why,
        json!(["limit_reached", "weekly", "2027-03-08T00:00:00Z"])
    );
    assert_eq!(api.everything_of("users/ann").await, before);
    let shown = api.standing("users/ann", "messages").await;
    let five_hours = &shown["windows"][0];
    let begun = json!([
        five_hours["per"],
        five_hours["used"],
        five_hours["starts_at"]
    ]);
    assert_eq!(begun, json!(["5h", 0, null]));
    api.clock.set(instant("2027-03-08T00:00:00Z"));
    let allowed = api.consume("ann", "messages", 1).await.expect(200);
    let five_hours = allowed.balance("user")["windows"][0].clone();
    let begun = json!([five_hours["starts_at"], five_hours["resets_at"]]);
    assert_eq!(
        begun,
        json!(["2027-03-08T00:00:00Z", "2027-03-08T05:00:00Z"])
    );
}

/// E34: as E32 with 1 left of the 5 h, 10 of the week, credits 5 at cost 1; 3: allowance 1 (both windows +1), credits 2.
async fn e34_credits_pay_what_the_windows_have_no_room_for(api: Api) {
    on_friday(&api, (44, 490)).await;
    api.credits("users/ann", "pack", 5).await;
    assert_eq!(
        windows(&api).await,
        json!([["5h", 44, 1], ["weekly", 490, 10]])
    );
    let spent = api.consume("ann", "messages", 3).await.expect(200);
    assert_eq!(spent.draws(), ["user allowance 1", "user credits 2"]);
    assert_eq!(spent.balance("user")["credits"], 3);
    assert_eq!(
        windows(&api).await,
        json!([["5h", 45, 0], ["weekly", 491, 9]])
    );
}

/// A user on the plan, paid for to the end of June.
async fn to_june(api: &Api, user: &str) {
    api.user(user, Some("chat")).await;
    let renew = format!("/v1/users/{user}/subscription/renew");
    for _ in 0..3 {
        api.post(&renew, json!({})).await.expect(200);
    }
}

/// Granted, rolled over and remaining of a user's articles.
async fn articles(api: &Api, user: &str) -> Value {
    let shown = api.standing(&format!("users/{user}"), "articles").await;
    let rolled_over = &shown["windows"][0]["rolled_over"];
    json!([shown["granted"], rolled_over, shown["remaining"]])
}

/// E35: limit 100, rollover 30; window 1 used 60: window 2 has 130; if 20 are used in it, window 3 has 130; if 120, window 3 has 110.
async fn e35_what_is_left_of_the_limit_rolls_over_once(api: Api) {
    from_march(&api).await;
    let cases = [("ann", 20, 130), ("bob", 120, 110)];
    for (user, ..) in cases {
        to_june(&api, user).await;
        api.consume(user, "articles", 60).await.expect(200);
    }
    api.clock.set(instant("2027-04-01T00:00:00Z"));
    for (user, used, _) in cases {
        assert_eq!(articles(&api, user).await, json!([130, 30, 130]), "{user}");
        let spent = api.consume(user, "articles", used).await.expect(200);
        assert_eq!(spent.balance("user")["remaining"], 130 - used, "{user}");
    }
    api.clock.set(instant("2027-05-01T00:00:00Z"));
    for (user, _, third) in cases {
        let wanted = json!([third, third - 100, third]);
        assert_eq!(articles(&api, user).await, wanted, "{user}");
        let denied = api.consume(user, "articles", third + 1).await.expect(429);
        assert_eq!(denied.body["available"], third, "{user}");
        api.consume(user, "articles", third).await.expect(200);
    }
}

/// E36: limit 100, rollover 30, three windows without use: the fourth has 130.
async fn e36_windows_without_use_roll_over_no_more_than_max(api: Api) {
    from_march(&api).await;
    to_june(&api, "ann").await;
    api.clock.set(instant("2027-06-01T00:00:00Z"));
    assert_eq!(articles(&api, "ann").await, json!([130, 30, 130]));
    api.consume("ann", "articles", 131).await.expect(429);
    api.consume("ann", "articles", 130).await.expect(200);
    assert_eq!(articles(&api, "ann").await, json!([130, 30, 0]));
}
