//! The accounts of the demo: each is in the state that it is there to show.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::price_lists::holds;
use crate::process::{Served, demo};

async fn asked(served: &Served, method: Method, path: &str, body: Option<Value>) -> Value {
    let url = format!("http://{}/v1/{path}", served.address);
    let mut request = Client::new().request(method, url).bearer_auth(&served.key);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.expect("an answer");
    response.json().await.expect("JSON")
}

/// What is asked of one account, and what the answer must have.
struct Ask {
    method: Method,
    path: &'static str,
    body: Option<Value>,
    wanted: Value,
}

fn check(user: &str, feature: &str, amount: u64, wanted: Value) -> Ask {
    let body = json!({"user": user, "feature": feature, "amount": amount});
    let (method, path) = (Method::POST, "check");
    Ask {
        method,
        path,
        body: Some(body),
        wanted,
    }
}

fn get(path: &'static str, wanted: Value) -> Ask {
    Ask {
        method: Method::GET,
        path,
        body: None,
        wanted,
    }
}

fn by_requests() -> Vec<Ask> {
    let bound = |window: &str| json!({"reason": "limit_reached", "window": window});
    let went_over = json!({"allowed": true, "balances": [{"windows": [{"rolled_over": 5}]}]});
    let near = json!({"reason": "spend_cap_reached", "available": 10});
    let boosted = json!({"draws": [{"source": "boost", "amount": 15}]});
    let tries = json!([{"source": "credits", "amount": 2}, {"source": "trial", "amount": 3}]);
    vec![
        check("fiona", "ai_messages", 1, bound("5h")),
        check("walter", "ai_messages", 1, bound("weekly")),
        check("rosa", "deep_research", 15, went_over),
        check("oscar", "ai_images", 11, near),
        check("boris", "ai_messages", 15, boosted),
        check("carol", "try_on", 5, json!({ "draws": tries })),
    ]
}

fn by_what_is_shown() -> Vec<Ask> {
    let spending = json!({"owed": 960, "cap": 1000});
    let with_add_ons =
        json!({"addons": {"workspace_sprint": 2}, "limits": {"ai_images": {"limit": 150}}});
    let full = json!({"limit": 3, "remaining": 0});
    vec![
        get("users/oscar/overview", json!({ "spending": spending })),
        get("users/ava/entitlements", with_add_ons),
        get(
            "users/tess/subscription",
            json!({"plan": "workspace_pro", "status": "trialing"}),
        ),
        get(
            "users/leo/subscription",
            json!({"plan": "workspace_free", "status": "active"}),
        ),
        get(
            "orgs/initech/entitlements",
            json!({"seats": 3, "flags": {"sso": true}, "limits": {"members": full}}),
        ),
    ]
}

/// C8: the demo has the AI workspace, with an account that the five hours bind, one that the week binds, one with what went over,
/// one near its cap, one with an add-on, with a boost, on trial, on the default plan after the end, and an org at its seats.
#[tokio::test]
async fn the_demo_has_an_account_in_each_state_of_the_ai_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = demo(folder.path(), &["--listen", "127.0.0.1:0"], &[]);
    let mut wrong = Vec::new();
    for ask in by_requests().into_iter().chain(by_what_is_shown()) {
        let place = format!("{} {:?}", ask.path, ask.body);
        let came = asked(&served, ask.method, ask.path, ask.body).await;
        if let Err(why) = holds(&ask.wanted, &came) {
            wrong.push(format!("{place}: {why} in {came}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let ended = asked(&served, Method::GET, "users/leo/ledger", None).await;
    assert!(ended.to_string().contains("workspace_pro"), "{ended}");
}
