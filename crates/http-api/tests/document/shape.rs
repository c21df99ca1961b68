//! What the document must hold of every operation, whatever is answered.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::{Api, Record, Sent, document, operations};

/// The only write whose handler says more of its key than the rest.
const BATCH: &str = "post /v1/batch";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The parameters of an operation in one place, such as `query`.
fn parameters<'a>(operation: &'a Value, place: &str) -> Vec<&'a str> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let here = all.filter(|parameter| parameter["in"] == place);
    here.map(|parameter| text(&parameter["name"])).collect()
}

#[test]
fn every_answer_and_every_parameter_is_described() {
    let document = document();
    let mut undescribed = Vec::new();
    for (name, operation) in operations(&document) {
        let responses = operation["responses"].as_object().into_iter().flatten();
        let silent = responses.filter(|(_, answer)| text(&answer["description"]).is_empty());
        undescribed.extend(silent.map(|(status, _)| format!("{name} {status}")));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let silent = parameters.filter(|one| text(&one["description"]).is_empty());
        undescribed.extend(silent.map(|one| format!("{name} {}", one["name"])));
    }
    assert_eq!(undescribed, [""; 0]);
}

#[test]
fn no_text_of_the_document_cites_a_rule_by_number() {
    let document = document().to_string();
    let cites = |text: &str| {
        let (inside, _) = text.split_once(')')?;
        let first = inside.chars().next()?;
        let is_rule = first.is_ascii_uppercase() && inside[1..].parse::<u32>().is_ok();
        is_rule.then(|| inside.to_owned())
    };
    let found: Vec<String> = document.split(" (").filter_map(cites).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_problem_is_a_problem_by_its_media_type() {
    let document = document();
    for (name, operation) in operations(&document) {
        for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
            let is_refusal = status.as_str() >= "400";
            let content = answer["content"].as_object().into_iter().flatten();
            for (kind, _) in content {
                let is_problem = kind == "application/problem+json";
                assert_eq!(is_problem, is_refusal, "{name} {status} {kind}");
            }
        }
    }
}

#[test]
fn every_write_takes_an_idempotency_key_and_nothing_else_does() {
    let document = document();
    for (name, operation) in operations(&document) {
        let is_read = name.starts_with("get ") || name == "post /v1/check";
        let of_admins = ["/v1/keys", "/v1/catalog/", "/run"];
        let is_admins = of_admins.iter().any(|part| name.contains(part));
        let mut keys = parameters(operation, "header");
        keys.retain(|header| !["If-None-Match", "Stripe-Signature"].contains(header));
        // What a provider keeps is set to what it is, however often it is asked; only a checkout is made.
        let is_of_provider = operation["tags"][0] == "billing" && name != "post /v1/checkout";
        let wanted: &[&str] = if is_read || is_admins || is_of_provider {
            &[]
        } else {
            &["Idempotency-Key"]
        };
        assert_eq!(keys, wanted, "{name}");
        if name == BATCH {
            let words = operation["parameters"][0]["description"].as_str();
            assert!(words.is_some_and(|words| words.contains('#')), "{words:?}");
        }
    }
}

#[test]
fn a_key_is_sent_in_either_header() {
    let document = document();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["api_key"]["scheme"], "bearer");
    assert_eq!(schemes["x_api_key"]["type"], "apiKey");
    assert_eq!(schemes["x_api_key"]["in"], "header");
    assert_eq!(schemes["x_api_key"]["name"], "X-Api-Key");
    let either = json!([{"api_key": []}, {"x_api_key": []}]);
    assert_eq!(document["security"], either);
    for (name, operation) in operations(&document) {
        let open = [
            "/healthz",
            "/readyz",
            "/v1/catalog/schema",
            "/v1/webhooks/{provider}",
        ];
        let is_open = open.iter().any(|path| name.ends_with(path));
        let wanted = if is_open { json!([{}]) } else { Value::Null };
        assert_eq!(operation["security"], wanted, "{name}");
    }
}

#[test]
fn only_users_are_listed_by_org() {
    let document = document();
    for (name, operation) in operations(&document) {
        let wanted: &[&str] = match name.as_str() {
            "get /v1/users" => &["after", "limit", "org"],
            "get /v1/orgs"
            | "get /v1/code-batches"
            | "get /v1/codes/{id}/uses"
            | "get /v1/orgs/{id}/members"
            | "get /v1/orgs/{id}/credits"
            | "get /v1/users/{id}/credits"
            | "get /v1/orgs/{id}/boosts"
            | "get /v1/users/{id}/boosts"
            | "get /v1/orgs/{id}/payments"
            | "get /v1/users/{id}/payments"
            | "get /v1/orgs/{id}/spending"
            | "get /v1/users/{id}/spending"
            | "get /v1/orgs/{id}/ledger"
            | "get /v1/users/{id}/ledger" => &["after", "limit"],
            "get /v1/codes" => &["batch", "after", "limit"],
            "get /v1/jobs/{name}/runs" => &["limit"],
            "get /v1/billing/events" => &["state", "after", "limit"],
            "get /v1/billing/problems" => &["open", "kind", "account", "after", "limit"],
            "post /v1/catalog/apply" => &["removing_features", "removing_plans"],
            _ => &[],
        };
        assert_eq!(parameters(operation, "query"), wanted, "{name}");
    }
}

#[tokio::test]
async fn an_org_in_another_list_is_refused_and_the_served_document_is_this_one() {
    let api = Api::of(&Record::new(), http_api::ApiSettings::default(), false).await;
    let none = Value::Null;
    api.ask("put /v1/orgs/acme", json!({}), 201).await;
    for list in ["orgs", "orgs/acme/members", "orgs/acme/ledger"] {
        let answer = api
            .ask(&format!("get /v1/{list}?org=acme"), none.clone(), 422)
            .await;
        assert_eq!(answer.body["code"], "invalid_parameter", "{list}");
    }
    api.ask("get /v1/users?org=acme", none, 200).await;
    let (path, sent) = ("/openapi.json", Sent::default());
    let served = api.unrecorded(&Method::GET, path, &sent).await;
    assert_eq!(served.body, document());
}

#[test]
fn every_operation_has_a_tag_that_is_described() {
    let document = document();
    let tags = document["tags"].as_array().into_iter().flatten();
    let described: Vec<&str> = tags
        .filter(|tag| !text(&tag["description"]).is_empty())
        .map(|tag| text(&tag["name"]))
        .collect();
    for (name, operation) in operations(&document) {
        let tag = text(&operation["tags"][0]);
        assert!(described.contains(&tag), "{name}: `{tag}`");
    }
}
