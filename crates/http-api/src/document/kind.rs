//! What decides how an operation can be refused and what its answers carry.

use quota_core::ports::KeyScope;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;

/// How paths begin that only administrators may take.
const ADMIN: [&str; 3] = ["/metrics", "/v1/keys", "/v1/catalog/"];

/// The tag of what is asked of a payment provider.
const BILLING: &str = "billing";

/// `user` or `org`, by whose part of the tree a path is in.
pub(super) fn owner(path: &str) -> Option<&'static str> {
    match path.split('/').nth(2) {
        Some("users") => Some("user"),
        Some("orgs") => Some("org"),
        _ => None,
    }
}

/// What body an operation reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenBody {
    /// None.
    Nothing,
    /// One of a content type.
    ByType,
    /// As it was signed, whatever its content type.
    AsSigned,
}

/// What decides how an operation can be refused, whatever it is about.
pub(super) struct Kind {
    /// The scope that its key needs; none when it is open to all.
    pub(super) needs: Option<KeyScope>,
    /// What body it reads.
    pub(super) body: TakenBody,
    /// Whether it is about what a provider keeps: such a write sets a state, and has no key.
    pub(super) is_of_provider: bool,
    /// Whether it reads a part of the path, the query, or a header that a write may have.
    pub(super) takes_parameters: bool,
    /// `user` or `org`, when the path names one that must exist.
    pub(super) names: Option<&'static str>,
}

impl Kind {
    pub(super) fn of(method: &str, path: &str, operation: &Operation) -> Self {
        let is_open = |needed: &SecurityRequirement| *needed == SecurityRequirement::default();
        let is_open = operation.security.iter().flatten().any(is_open);
        // PUT creates the account that its path names.
        let names_one = match path.split('/').nth(3) {
            Some("{id}") => method != "put" || path.split('/').count() > 4,
            _ => false,
        };
        let needs = (!is_open).then(|| needed(method, path));
        let may_change = needs > Some(KeyScope::Read) && path.starts_with("/v1/");
        Self {
            needs,
            body: match operation.request_body {
                None => TakenBody::Nothing,
                Some(_) if is_open => TakenBody::AsSigned,
                Some(_) => TakenBody::ByType,
            },
            is_of_provider: operation.tags.iter().flatten().any(|tag| tag == BILLING),
            takes_parameters: operation.parameters.is_some() || may_change,
            names: owner(path).filter(|_| names_one),
        }
    }

    /// Whether it takes a key for its write.
    pub(super) fn is_write(&self) -> bool {
        self.needs == Some(KeyScope::Write) && !self.is_of_provider
    }
}

/// The scope that a key needs; the handlers' extractors hold the same.
fn needed(method: &str, path: &str) -> KeyScope {
    let runs_a_job = path.ends_with("/run");
    if runs_a_job || ADMIN.iter().any(|start| path.starts_with(start)) {
        return KeyScope::Admin;
    }
    match (method, path) {
        // It books what the checkout came to.
        ("get", "/v1/checkout/{id}") => KeyScope::Write,
        ("get", _) | (_, "/v1/check") => KeyScope::Read,
        _ => KeyScope::Write,
    }
}
