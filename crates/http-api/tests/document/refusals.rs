//! Every operation, asked in every way that is refused whatever it is about.

use std::sync::Arc;

use axum::http::Method;
use http_api::{ApiSettings, SchemaReport};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Api, CATALOG, JSON, Record, Sent, TOML, method_of, one_article};
use crate::connected;

/// Bytes of a body that are read, where a body is to be too large.
const BYTES_MAX: usize = 1024;

/// An operation with everything that it needs.
struct Right {
    method: Method,
    path: String,
    kind: (&'static str, &'static str),
    body: String,
}

/// A request that is right but for the state that it meets.
fn right(operation: &str) -> Right {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let (kind, body) = match path {
        "/v1/catalog/plan" | "/v1/catalog/apply" => (TOML, CATALOG.to_owned()),
        _ => (JSON, body_of(method, path).to_string()),
    };
    Right {
        method: method_of(method),
        path: path_of(method, path),
        kind,
        body,
    }
}

/// A path about what does not exist.
fn path_of(method: &str, template: &str) -> String {
    let none = Uuid::nil().to_string();
    // `user:nobody`
    let (account, part) = ("dXNlcjpub2JvZHk", template.split('/').nth(2));
    let provider = if part == Some("webhooks") {
        "stripe"
    } else {
        "bank"
    };
    let id = match part {
        Some("reservations") => format!("res.{account}.{none}"),
        Some("consumptions" | "operations") => format!("op.{account}.{none}"),
        Some("keys" | "runs" | "codes" | "code-batches") => none,
        _ if template.contains("/problems/") => "stripe:test:unknown_payer:nothing".to_owned(),
        // It comes to be.
        _ if method == "put" && template.ends_with("/{id}") => "somebody".to_owned(),
        _ => "nobody".to_owned(),
    };
    template
        .replace("{id}", &id)
        .replace("{feature}", "articles_per_month")
        .replace("{token}", "ci")
        .replace("{grant}", "pack")
        .replace("{boost}", "sale")
        .replace("{plan}", "article_more")
        .replace("{name}", "none")
        .replace("{provider}", provider)
        .replace("{customer}", "cus_nobody")
        .replace("{ref}", "nothing")
}

fn body_of(method: &str, path: &str) -> Value {
    let last = path.rsplit('/').next().unwrap_or_default();
    match (method, last) {
        ("post", "users" | "orgs") => json!({"id": "new"}),
        ("put", "org") => json!({"org": null}),
        ("put", "{feature}") => json!({"limit": 5}),
        (_, "subscription" | "change-plan") => json!({"plan": "article_pro"}),
        ("put", "{plan}") => json!({"quantity": 2}),
        (_, "seats") => json!({"seats": 5}),
        (_, "status") => json!({"status": "past_due"}),
        (_, "credits") => json!({"id": "pack", "amount": 5}),
        (_, "boosts") => json!({"id": "sale", "feature": "articles_per_month", "amount": 5}),
        ("put", "top-up") => json!({"pack": "pack_sold", "below": 5, "most_per_month": 2}),
        ("put", "spend-cap") => json!({"amount": 5}),
        (_, "purchases") => {
            json!({"provider": "bank", "ref": "p", "amount": 5, "currency": "eur", "lines": []})
        }
        (_, "refunds") => json!({"provider": "bank", "payment": "p", "ref": "r", "amount": 5}),
        (_, "disputes") => {
            json!({"provider": "bank", "payment": "p", "ref": "d", "amount": 5, "status": "open"})
        }
        ("put", "{customer}") => json!({"account": "user:nobody"}),
        (_, "claim") => json!({"object": {"kind": "session", "id": "cs_nothing"}}),
        (_, "checkout") => json!({"account": "user:nobody", "pack": "pack_sold",
            "success_url": "https://app.example/", "cancel_url": "https://app.example/"}),
        (_, "portal") => json!({"account": "user:nobody", "return_url": "https://app.example/"}),
        (_, "forgive") => json!({"reason": "a mistake of ours"}),
        (_, "tokens") => json!({"id": "ci", "cap": 5}),
        ("put" | "patch", "{token}") => json!({"cap": 5}),
        (_, "check" | "consume" | "track") => one_article("nobody"),
        (_, "batch") => json!({"operations": [one_article("nobody")]}),
        (_, "reservations") => {
            json!({"user": "nobody", "feature": "llm_tokens", "amount": 1, "ttl_seconds": 60})
        }
        (_, "commit") => json!({"actual": 1}),
        (_, "extend") => json!({"ttl_seconds": 60}),
        ("post", "release") if path.contains("capacity") => {
            json!({"user": "nobody", "feature": "gallery_albums", "amount": 1})
        }
        (_, "codes") => {
            let gift = json!({"boost": {"feature": "nothing", "amount": 5}});
            json!({"name": "spring", "count": 1, "gift": gift})
        }
        (_, "redeem") => json!({"code": "MPJSA"}),
        (_, "keys") => json!({"name": "app", "scope": "read"}),
        _ => json!({}),
    }
}

/// Asks every operation in every wrong way, and in the right way about what does not exist.
pub(crate) async fn driven(record: &Arc<Record>) {
    let fake = connected::fake().await;
    let api = Api::with(record, ApiSettings::default(), true, Some(&fake)).await;
    let small = ApiSettings {
        body_bytes_max: BYTES_MAX,
        ..ApiSettings::default()
    };
    let small = Api::with(record, small, true, Some(&fake)).await;
    let full = ApiSettings {
        requests_max: 0,
        schema: Some(Arc::new(|| Box::pin(async { Ok(outdated()) }))),
        ..ApiSettings::default()
    };
    let full = Api::of(record, full, false).await;
    let jobless = Api::of(record, ApiSettings::default(), false).await;
    for (operation, _) in record.operations() {
        let right = right(&operation);
        keys(&api, &right).await;
        bodies(&api, &right).await;
        parameters(&api, &right, &operation).await;
        let large = "x".repeat(BYTES_MAX + 1);
        right.sent(&small, right.kind, &large).await;
        right.sent(&full, right.kind, &right.body).await;
        right.sent(&jobless, right.kind, &right.body).await;
    }
}

fn outdated() -> SchemaReport {
    SchemaReport {
        is_enough: false,
        words: "is old".to_owned(),
    }
}

impl Right {
    /// Sends a body as an administrator.
    async fn sent(&self, api: &Api, kind: (&str, &str), body: &str) {
        let sent = Sent {
            secret: Some(&api.admin),
            headers: vec![kind],
            body: body.into(),
        };
        api.send(&self.method, &self.path, sent).await;
    }
}

/// No key, an unknown one, and those of each scope.
async fn keys(api: &Api, right: &Right) {
    let secrets = [
        None,
        Some("quota_0"),
        Some(api.read.as_str()),
        Some(&api.write),
        Some(&api.admin),
    ];
    for secret in secrets {
        let sent = Sent {
            secret,
            headers: vec![right.kind],
            body: right.body.clone().into(),
        };
        api.send(&right.method, &right.path, sent).await;
    }
}

/// No body, one that is none, one that can never be right, and one of another kind.
async fn bodies(api: &Api, right: &Right) {
    let text = ("content-type", "text/plain");
    let bodies = [
        (JSON, ""),
        (JSON, "{"),
        (JSON, r#"{"nope":1}"#),
        (JSON, "[]"),
        (JSON, "5"),
        (TOML, "nope = 1"),
        (text, "nope"),
    ];
    for (kind, body) in bodies {
        right.sent(api, kind, body).await;
    }
}

/// Parts of the path, of the query and of the headers that can never be right.
async fn parameters(api: &Api, right: &Right, operation: &str) {
    let admin = Some(api.admin.as_str());
    let unkeyed = Sent {
        secret: admin,
        headers: vec![right.kind, ("idempotency-key", "")],
        body: right.body.clone().into(),
    };
    api.send(&right.method, &right.path, unkeyed).await;
    let sent = Sent {
        secret: admin,
        headers: vec![right.kind],
        body: right.body.clone().into(),
    };
    let query = format!("{}?nope=1", right.path);
    api.send(&right.method, &query, sent.clone()).await;
    for part in named_parts(&right.path, operation) {
        let unreadable = right.path.replace(&part, "/%ff");
        api.send(&right.method, &unreadable, sent.clone()).await;
    }
}

/// The parts of a path that its template names, each with its slash.
fn named_parts(path: &str, template: &str) -> Vec<String> {
    let parts = path.split('/').zip(template.split('/'));
    let named = parts.filter(|(_, name)| name.starts_with('{'));
    named.map(|(part, _)| format!("/{part}")).collect()
}
