//! The headers of answers in the OpenAPI document.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::{Header, RefOr, Response};

use super::kind::Kind;

/// The schemas whose answers say how much is left, and of those that a repeated key can give again.
const DECISION: &str = "DecisionBody";
const CHANGES: [&str; 5] = [
    "ChangeBody",
    "ChangeOrPreview",
    "PaymentBody",
    "MadeCodesBody",
    "RedemptionBody",
];

/// Declares the headers of every answer of an operation.
pub(crate) fn declare_headers(operation: &mut Operation, kind: &Kind) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let decides = has(response, DECISION);
        let changes = CHANGES.iter().any(|schema| has(response, schema));
        put(
            response,
            ("X-Request-Id", Type::String),
            "The id of this request, for the log",
        );
        if decides {
            put(
                response,
                ("RateLimit", Type::String),
                "What is left of the limit that binds first, when there is one: `\"<feature>\";r=<left>;t=<seconds until it resets>`",
            );
            put(
                response,
                ("RateLimit-Policy", Type::String),
                "That limit: `\"<feature>\";q=<limit>`",
            );
        }
        if kind.is_write() && (decides || changes) {
            put(
                response,
                ("Idempotent-Replayed", Type::String),
                "`true` when this repeats the answer to an earlier request with the same `Idempotency-Key`",
            );
        }
        match status.as_str() {
            "401" => put(
                response,
                ("WWW-Authenticate", Type::String),
                "How to send an API key",
            ),
            "429" => put(
                response,
                ("Retry-After", Type::Integer),
                "Seconds until the limit resets, when it does",
            ),
            "503" => put(
                response,
                ("Retry-After", Type::Integer),
                "Seconds to wait before trying again",
            ),
            _ => {}
        }
    }
}

/// Whether an answer may have this schema.
fn has(response: &Response, schema: &str) -> bool {
    let name = format!("#/components/schemas/{schema}");
    let content = serde_json::to_string(&response.content).unwrap_or_default();
    content.contains(&name)
}

fn put(response: &mut Response, (name, kind): (&str, Type), words: &str) {
    let header: Header = HeaderBuilder::new()
        .schema(Some(Object::with_type(kind)))
        .description(Some(words))
        .build();
    response.headers.insert(name.to_owned(), header.into());
}
