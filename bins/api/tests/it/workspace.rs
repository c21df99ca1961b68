//! The AI workspace, the fifth example catalog, over HTTP: what C9 to C14 say, in one file.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::api_under_test::Api;
use crate::price_lists::holds;
use crate::stores::on_every_store;

on_every_store!(
    c8_one_account_has_windows_what_goes_over_images_on_demand_an_add_on_and_a_boost,
    c8_a_team_has_seats_members_flags_and_settings,
    c10_of_a_start_in_the_past_the_weeks_before_go_over,
);

const CATALOG: &str = include_str!("../../../../crates/quota-core/catalogs/ai-workspace.toml");

#[track_caller]
fn has(came: &Value, wanted: &Value) {
    let outcome = holds(wanted, came);
    assert_eq!(outcome, Ok(()), "{came}");
}

/// C8: the fifth catalog: C14 (default plan, trial), C9 (5 h and a week), C10 (what goes over), C11 (on demand up to a cap) and C13
/// (add-on, boost), of one account.
async fn c8_one_account_has_windows_what_goes_over_images_on_demand_an_add_on_and_a_boost(
    api: Api,
) {
    api.apply(CATALOG).await;
    api.user("ann", None).await;
    let at = "/v1/users/ann/subscription";
    has(
        &api.get(at).await.expect(200).body,
        &json!({"plan": "workspace_free"}),
    );
    api.pass(TimeDelta::minutes(1));
    api.post(at, json!({"plan": "workspace_pro"}))
        .await
        .expect(200);
    has(
        &api.get(at).await.expect(200).body,
        &json!({"status": "trialing"}),
    );
    api.consume("ann", "ai_messages", 45).await.expect(200);
    let denied = api.consume("ann", "ai_messages", 1).await.expect(429);
    has(&denied.body, &json!({"window": "5h", "available": 0}));
    let addon = "/v1/users/ann/addons/workspace_sprint";
    api.put(addon, json!({"quantity": 1})).await.expect(200);
    let denied = api.consume("ann", "ai_messages", 156).await.expect(429);
    has(&denied.body, &json!({"window": "weekly", "available": 155}));
    api.consume("ann", "ai_messages", 155).await.expect(200);
    let boost = json!({"id": "sorry", "feature": "ai_messages", "amount": 20});
    api.post("/v1/users/ann/boosts", boost).await.expect(201);
    let boosted = api.consume("ann", "ai_messages", 5).await.expect(200);
    assert_eq!(boosted.draws(), ["user boost 5"]);
    let sold = api.consume("ann", "ai_images", 350).await.expect(200);
    assert_eq!(sold.draws(), ["user allowance 100", "user on_demand 250"]);
    let denied = api.consume("ann", "ai_images", 1).await.expect(429);
    has(&denied.body, &json!({"reason": "spend_cap_reached"}));
    api.pass(TimeDelta::days(8));
    let research = api.consume("ann", "deep_research", 1).await.expect(200);
    has(
        &research.balance("user"),
        &json!({"granted": 15, "remaining": 14, "windows": [{"rolled_over": 5}]}),
    );
    let left = api.get("/v1/users/ann/entitlements").await.expect(200).body;
    let settings = json!({"max_file_mb": 250, "support": "mail"});
    has(
        &left,
        &json!({"flags": {"sso": false}, "settings": settings, "addons": {"workspace_sprint": 1}}),
    );
    api.pass(TimeDelta::days(6));
    has(
        &api.get(at).await.expect(200).body,
        &json!({"plan": "workspace_free"}),
    );
}

/// C8: the fifth catalog: C12 (seats and members), flags and settings, of an org.
async fn c8_a_team_has_seats_members_flags_and_settings(api: Api) {
    api.apply(CATALOG).await;
    api.put("/v1/orgs/acme", json!({})).await.expect(201);
    api.pass(TimeDelta::minutes(1));
    api.subscribe("orgs/acme", json!({"plan": "workspace_team", "seats": 2}))
        .await;
    for member in ["ann", "bea"] {
        api.post("/v1/users", json!({"id": member, "org": "acme"}))
            .await
            .expect(201);
    }
    let full = api
        .post("/v1/users", json!({"id": "cem", "org": "acme"}))
        .await
        .expect(409);
    has(
        &full.body,
        &json!({"code": "limit_reached", "limit": 2, "used": 2}),
    );
    api.consume("ann", "ai_messages", 600).await.expect(200);
    let denied = api.consume("bea", "ai_messages", 1).await.expect(429);
    has(&denied.body, &json!({"reason": "org_limit_reached"}));
    let left = api.get("/v1/orgs/acme/entitlements").await.expect(200).body;
    let settings = json!({"max_file_mb": 500, "support": "phone"});
    has(
        &left,
        &json!({"seats": 2, "flags": {"sso": true}, "settings": settings}),
    );
}

/// C10: a plan that was paid for 10 days ago, and takes the place of the default plan only now, ran since then: of its first week
/// something goes over.
async fn c10_of_a_start_in_the_past_the_weeks_before_go_over(api: Api) {
    api.apply(CATALOG).await;
    api.user("ann", None).await;
    api.pass(TimeDelta::minutes(1));
    let starts_at = api.engine.now() - TimeDelta::days(10);
    let paid = json!({"plan": "workspace_pro", "starts_at": starts_at, "status": "active"});
    api.subscribe("users/ann", paid).await;
    let standing = api.standing("users/ann", "deep_research").await;
    has(
        &standing,
        &json!({"granted": 15, "windows": [{"rolled_over": 5}]}),
    );
}
