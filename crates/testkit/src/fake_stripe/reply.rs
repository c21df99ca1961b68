//! A call as it came, and what is sent back.

use serde_json::{Value, json};

/// What the fake is told by a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: String,
    pub(super) bearer: Option<String>,
    pub(super) version: Option<String>,
    pub(super) key: Option<String>,
}

impl Call {
    /// What it does, as scripts of faults name it: `POST /v1/customers`.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(super) fn ok(body: Value) -> Self {
        let (status, headers) = (200, Vec::new());
        Self {
            status,
            body,
            headers,
        }
    }

    /// An error in Stripe's form.
    pub(super) fn error(status: u16, kind: &str, code: &str, message: &str) -> Self {
        let error = json!({"type": kind, "code": code, "message": message});
        Self {
            status,
            body: json!({"error": error}),
            headers: Vec::new(),
        }
    }

    /// A parameter is wrong.
    pub(super) fn refused(code: &str, message: &str) -> Self {
        Self::error(400, "invalid_request_error", code, message)
    }

    /// There is no such object.
    pub(super) fn missing(id: &str) -> Self {
        let message = format!("No such object: '{id}'");
        Self::error(404, "invalid_request_error", "resource_missing", &message)
    }
}

/// What a call comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sent {
    Reply(Reply),
    /// A body that is no JSON.
    Text(u16, String),
    /// The connection breaks.
    Broken,
    /// Nothing comes, ever.
    Nothing,
}
