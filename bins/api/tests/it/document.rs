//! The OpenAPI document: every route is in it, its references lead somewhere, its examples are answered.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::api_under_test::Api;

/// Every route, as method and path.
const ROUTES: [&str; 152] = [
    "get /v1/billing/events",
    "post /v1/billing/events/{id}/replay",
    "get /v1/billing/problems",
    "post /v1/billing/problems/{id}/retry",
    "post /v1/billing/problems/{id}/settle",
    "put /v1/billing/customers/{customer}",
    "delete /v1/billing/customers/{customer}",
    "get /v1/users/{id}/customers",
    "get /v1/orgs/{id}/customers",
    "post /v1/users/{id}/sync",
    "post /v1/orgs/{id}/sync",
    "post /v1/users/{id}/purchases/claim",
    "post /v1/orgs/{id}/purchases/claim",
    "post /v1/checkout",
    "get /v1/checkout/{id}",
    "post /v1/portal",
    "post /v1/webhooks/{provider}",
    "get /v1/codes",
    "post /v1/codes",
    "get /v1/codes/{id}",
    "post /v1/codes/{id}/revoke",
    "get /v1/codes/{id}/uses",
    "get /v1/code-batches",
    "get /v1/code-batches/{id}",
    "post /v1/code-batches/{id}/revoke",
    "post /v1/users/{id}/redeem",
    "post /v1/orgs/{id}/redeem",
    "get /v1/payments/{provider}/{ref}",
    "get /v1/orgs/{id}/payments",
    "post /v1/orgs/{id}/purchases",
    "post /v1/orgs/{id}/refunds",
    "post /v1/orgs/{id}/disputes",
    "post /v1/orgs/{id}/debt/forgive",
    "get /v1/users/{id}/payments",
    "post /v1/users/{id}/purchases",
    "post /v1/users/{id}/refunds",
    "post /v1/users/{id}/disputes",
    "post /v1/users/{id}/debt/forgive",
    "get /v1/orgs/{id}/member-limits/{feature}",
    "put /v1/orgs/{id}/member-limits/{feature}",
    "delete /v1/orgs/{id}/member-limits/{feature}",
    "get /v1/orgs/{id}/members/{user}/limits/{feature}",
    "put /v1/orgs/{id}/members/{user}/limits/{feature}",
    "delete /v1/orgs/{id}/members/{user}/limits/{feature}",
    "get /healthz",
    "get /metrics",
    "get /readyz",
    "delete /v1/keys/{id}",
    "delete /v1/orgs/{id}/overrides/{feature}",
    "delete /v1/users/{id}/overrides/{feature}",
    "delete /v1/users/{id}/tokens/{token}",
    "get /v1/operations/{id}",
    "get /v1/reservations/{id}",
    "get /v1/users/{id}/tokens/{token}",
    "post /v1/orgs/{id}/credits/{grant}/take-back",
    "post /v1/users/{id}/credits/{grant}/take-back",
    "delete /v1/orgs/{id}/boosts/{boost}",
    "delete /v1/orgs/{id}/credits/{grant}",
    "delete /v1/users/{id}/credits/{grant}",
    "delete /v1/users/{id}/boosts/{boost}",
    "get /v1/orgs/{id}/boosts",
    "get /v1/users/{id}/boosts",
    "post /v1/orgs/{id}/boosts",
    "post /v1/users/{id}/boosts",
    "get /v1/orgs/{id}/top-up",
    "put /v1/orgs/{id}/top-up",
    "delete /v1/orgs/{id}/top-up",
    "get /v1/users/{id}/top-up",
    "put /v1/users/{id}/top-up",
    "delete /v1/users/{id}/top-up",
    "delete /v1/orgs/{id}/spend-cap",
    "delete /v1/users/{id}/spend-cap",
    "put /v1/orgs/{id}/spend-cap",
    "get /v1/orgs/{id}/spending",
    "put /v1/users/{id}/spend-cap",
    "get /v1/users/{id}/spending",
    "get /v1/catalog",
    "get /v1/jobs",
    "get /v1/jobs/{name}/runs",
    "get /v1/keys",
    "get /v1/orgs",
    "get /v1/orgs/{id}",
    "get /v1/orgs/{id}/credits",
    "get /v1/orgs/{id}/credits/{grant}",
    "get /v1/orgs/{id}/entitlements",
    "get /v1/orgs/{id}/ledger",
    "get /v1/orgs/{id}/members",
    "get /v1/orgs/{id}/overview",
    "get /v1/orgs/{id}/subscription",
    "get /v1/runs/{id}/batches",
    "get /v1/users",
    "get /v1/users/{id}",
    "get /v1/users/{id}/credits",
    "get /v1/users/{id}/credits/{grant}",
    "get /v1/users/{id}/entitlements",
    "get /v1/users/{id}/ledger",
    "get /v1/users/{id}/overview",
    "get /v1/users/{id}/subscription",
    "get /v1/users/{id}/tokens",
    "patch /v1/orgs/{id}",
    "patch /v1/users/{id}",
    "patch /v1/users/{id}/tokens/{token}",
    "post /v1/batch",
    "post /v1/capacity/release",
    "post /v1/catalog/apply",
    "post /v1/catalog/plan",
    "post /v1/check",
    "post /v1/consume",
    "post /v1/consumptions/{id}/refund",
    "post /v1/jobs/{name}/run",
    "post /v1/keys",
    "post /v1/orgs",
    "post /v1/orgs/{id}/credits",
    "post /v1/orgs/{id}/reset",
    "post /v1/orgs/{id}/subscription",
    "post /v1/orgs/{id}/subscription/cancel",
    "post /v1/orgs/{id}/subscription/change-plan",
    "post /v1/orgs/{id}/subscription/renew",
    "post /v1/orgs/{id}/subscription/resume",
    "post /v1/orgs/{id}/subscription/status",
    "post /v1/reservations",
    "post /v1/reservations/{id}/commit",
    "post /v1/reservations/{id}/extend",
    "post /v1/reservations/{id}/release",
    "post /v1/track",
    "post /v1/users",
    "post /v1/users/{id}/credits",
    "post /v1/users/{id}/reset",
    "post /v1/users/{id}/subscription",
    "post /v1/users/{id}/subscription/cancel",
    "post /v1/users/{id}/subscription/change-plan",
    "post /v1/users/{id}/subscription/renew",
    "post /v1/users/{id}/subscription/resume",
    "post /v1/users/{id}/subscription/status",
    "post /v1/users/{id}/tokens",
    "put /v1/orgs/{id}",
    "put /v1/orgs/{id}/overrides/{feature}",
    "delete /v1/orgs/{id}/addons/{plan}",
    "delete /v1/users/{id}/addons/{plan}",
    "get /v1/orgs/{id}/addons",
    "get /v1/users/{id}/addons",
    "put /v1/orgs/{id}/addons/{plan}",
    "put /v1/users/{id}/addons/{plan}",
    "put /v1/orgs/{id}/subscription/seats",
    "put /v1/users/{id}/subscription/seats",
    "put /v1/users/{id}",
    "put /v1/users/{id}/org",
    "put /v1/users/{id}/overrides/{feature}",
    "put /v1/users/{id}/tokens/{token}",
    "get /v1/catalog/schema",
    "get /openapi.json",
    "get /docs",
];

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, item) in paths {
        let item = item.as_object().expect("a path item");
        for (method, operation) in item {
            if ["get", "put", "post", "patch", "delete"].contains(&method.as_str()) {
                operations.push((method.clone(), path.clone(), operation.clone()));
            }
        }
    }
    operations
}

/// Every `$ref` in a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let (Value::String(target), "$ref") = (member, name.as_str()) {
                    found.insert(target.clone());
                } else {
                    references(member, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn every_route_is_in_the_document_and_answers() {
    let api = Api::in_memory().await;
    let document = api.get("/openapi.json").await.expect(200);
    assert_eq!(document.header("content-type"), Some("application/json"));
    let document = document.body;
    assert_eq!(document["openapi"], "3.1.0");
    let described: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let undescribed = ["get /openapi.json", "get /docs"];
    let expected: BTreeSet<String> = ROUTES
        .iter()
        .filter(|route| !undescribed.contains(route))
        .map(|route| (*route).to_owned())
        .collect();
    assert_eq!(described, expected);
    for route in ROUTES {
        let (method, path) = route.split_once(' ').expect("method and path");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        let path = path
            .replace("{feature}", "articles_per_month")
            .replace("{token}", "t")
            .replace("{grant}", "g")
            .replace("{boost}", "b")
            .replace("{plan}", "p")
            .replace("{name}", "prune")
            .replace("{id}", "i");
        let answer = api.send(method, &path, &[], Vec::new()).await;
        let told = format!("{route}: {} {}", answer.status, answer.text);
        assert_ne!(answer.body["code"], "not_found", "{told}");
        assert_ne!(answer.status, 405, "{told}");
        assert!(answer.status < 500, "{told}");
        if answer.status >= 400 {
            assert_eq!(
                answer.header("content-type"),
                Some("application/problem+json"),
                "{told}"
            );
            for member in ["type", "title", "status", "detail", "code"] {
                assert!(!answer.body[member].is_null(), "{member} of {told}");
            }
        }
    }
}

#[tokio::test]
async fn the_document_is_whole() {
    let api = Api::in_memory().await;
    let document = api.get("/openapi.json").await.expect(200).body;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    let priority = &document["components"]["schemas"]["NewGrantBody"]["properties"]["priority"];
    assert_eq!(
        (&priority["format"], &priority["maximum"]),
        (&"int64".into(), &u32::MAX.into()),
        "{priority}"
    );
    for reference in found {
        let pointer = reference
            .strip_prefix('#')
            .expect("a reference within the document");
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let told = format!("{method} {path}");
        let name = operation["operationId"]
            .as_str()
            .expect("a name")
            .to_owned();
        assert!(names.insert(name.clone()), "{told}: `{name}` stands twice");
        assert!(operation["summary"].is_string(), "{told} says what it does");
        assert!(
            operation["responses"].is_object(),
            "{told} says what it answers"
        );
        for part in path.split('/').filter(|part| part.starts_with('{')) {
            let part = part.trim_matches(['{', '}']);
            let parameters = operation["parameters"].as_array().expect("parameters");
            let is_described = parameters.iter().any(|parameter| parameter["name"] == part);
            assert!(is_described, "{told}: {part}");
        }
    }
    assert_eq!(
        document["components"]["securitySchemes"]["api_key"]["scheme"],
        "bearer"
    );
}

/// A body as the schema's examples have it.
fn example_of(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        return example_of(document, document.pointer(pointer).expect("a schema"));
    }
    for example in [&schema["example"], &schema["examples"][0]] {
        if !example.is_null() {
            return example.clone();
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.first().cloned().unwrap_or_default();
    }
    if schema["type"] == "array" {
        return Value::Array(vec![example_of(document, &schema["items"])]);
    }
    if schema["type"] == "string" {
        return "x".into();
    }
    if schema["type"] == "integer" {
        return 1.into();
    }
    let mut body = serde_json::Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = schema["required"]
            .as_array()
            .is_some_and(|required| required.iter().any(|one| one == name));
        if !property["example"].is_null() {
            body.insert(name.clone(), property["example"].clone());
        } else if is_required {
            let example = example_of(document, property);
            body.insert(name.clone(), example);
        }
    }
    Value::Object(body)
}

#[tokio::test]
async fn the_examples_of_the_document_are_taken() {
    let api = Api::in_memory().await;
    api.user("alice", Some("article_pro")).await;
    api.put("/v1/orgs/i", serde_json::json!({}))
        .await
        .expect(201);
    let document = api.get("/openapi.json").await.expect(200).body;
    let mut taken = 0;
    for (method, path, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let has_example =
            !schema.is_null() && !path.contains("catalog") && !path.contains("overrides");
        if !has_example {
            continue;
        }
        let body = example_of(&document, schema);
        let path = path
            .replace("{id}", "i")
            .replace("{token}", "t")
            .replace("{grant}", "g")
            .replace("{boost}", "b")
            .replace("{plan}", "p")
            .replace("{name}", "prune");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        let answer = api.json(method.clone(), &path, &body).await;
        let is_read = !["invalid_body", "malformed_body"]
            .iter()
            .any(|code| answer.body["code"] == *code);
        // Fields without an example stay away; what then lacks is named as missing and no more.
        let lacks = answer.text.contains("is required");
        assert!(is_read || lacks, "{method} {path} {body}: {}", answer.text);
        taken += u32::from(is_read);
    }
    assert!(taken >= 20, "{taken} examples were read");
}
