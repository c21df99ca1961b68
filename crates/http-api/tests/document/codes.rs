//! Codes: made, looked at, redeemed, guessed, revoked.

use serde_json::{Value, json};

use crate::api::Api;

const NONE: Value = Value::Null;

/// Codes of one gift; the first of them with its secret, and its batch.
async fn made(api: &Api, gift: Value, uses_max: u32) -> (String, String, String) {
    let asked = json!({"name": "spring", "count": 2, "uses_max": uses_max, "gift": gift,
        "from": "2026-01-01T00:00:00Z", "until": "2027-06-01T00:00:00+02:00"});
    let made = api.ask("post /v1/codes", asked, 201).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let first = &made.body["codes"][0];
    let batch = &made.body["batch"]["id"];
    (text(&first["id"]), text(&first["code"]), text(batch))
}

/// Everything that can be asked of codes, for one account and another.
pub(crate) async fn told(api: &Api, account: &str) {
    let redeem = format!("post /v1/{account}/redeem");
    let other = format!("post /v1/{account}.other/redeem");
    let boost = json!({"boost": {"feature": "articles_per_month", "amount": 5, "days": 3}});
    let until = json!({"boost": {"feature": "articles_per_month", "amount": 5, "until": "2027-01-01T00:00:00Z"}});
    let plan = json!({"plan": {"plan": "article_pro", "days": 30}});
    let credits = json!({"credits": {"amount": 100, "priority": 1, "days": 90}});
    let (mut first, mut batch) = (String::new(), String::new());
    for gift in [boost, until, plan, credits] {
        let (id, code, of) = made(api, gift, 1).await;
        let code = json!({"code": code});
        api.ask(&redeem, code.clone(), 201).await;
        api.ask(&redeem, code.clone(), 200).await;
        api.ask(&other, code, 409).await;
        (first, batch) = (id, of);
    }
    let one = format!("get /v1/codes/{first}");
    let shown = api.ask(&one, NONE, 200).await;
    assert_eq!(shown.body["state"], "used_up", "{}", shown.text);
    api.ask(&format!("{one}/uses"), NONE, 200).await;
    api.ask("get /v1/codes", NONE, 200).await;
    let of_batch = format!("get /v1/codes?batch={batch}&limit=1");
    let page = api.ask(&of_batch, NONE, 200).await;
    assert!(page.body["next"].is_string(), "{}", page.text);
    let revoke = format!("post /v1/codes/{first}/revoke");
    let revoked = api.ask(&revoke, NONE, 200).await;
    assert_eq!(revoked.body["state"], "revoked", "{}", revoked.text);
    api.ask("get /v1/code-batches", NONE, 200).await;
    let batch = format!("/v1/code-batches/{batch}");
    let whole = api.ask(&format!("get {batch}"), NONE, 200).await;
    assert_eq!(whole.body["uses"], 1, "{}", whole.text);
    api.ask(&format!("post {batch}/revoke"), NONE, 200).await;
    api.ask(&format!("get {batch}"), NONE, 200).await;
    for _ in 0..5 {
        // Each is sent twice.
        api.ask(&other, json!({"code": "MPJSA"}), 404).await;
    }
    api.ask(&other, json!({"code": "MPJSA"}), 429).await;
}
