//! What goes wrong by script.

use serde_json::json;

use super::reply::{Reply, Sent};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 429, too many calls; with `Retry-After` if seconds are given.
    Limited(Option<u64>),
    /// 429 of the kind `lock_timeout`.
    LockTimeout,
    /// 409: the key is in use.
    KeyInUse,
    /// A status with a body that is no JSON, as a proxy between us gives.
    Status(u16),
    /// 500 that is kept under its idempotency key, and given again.
    KeptFailure,
    /// The connection breaks.
    Broken,
    /// No answer comes, ever.
    Nothing,
    /// 401.
    KeyDead,
    /// 403, with the permission that is missing.
    Forbidden(String),
    /// 200 with any body.
    Body(String),
}

/// When it goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Nothing was done.
    #[default]
    Before,
    /// It was done, and nobody is told.
    After,
}

/// A fault that is scripted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The beginning of `POST /v1/customers`; empty is any call.
    pub on: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// When.
    pub when: When,
    /// How many calls it hits.
    pub times: u32,
}

impl Fault {
    /// A fault that hits one call.
    pub fn once(on: &str, kind: FaultKind, when: When) -> Self {
        Self {
            on: on.to_owned(),
            kind,
            when,
            times: 1,
        }
    }

    /// The first fault that a call meets; it has one time less.
    pub(super) fn take(faults: &mut Vec<Self>, line: &str) -> Option<Self> {
        let place = faults
            .iter()
            .position(|fault| line.starts_with(&fault.on))?;
        let fault = faults[place].clone();
        faults[place].times = faults[place].times.saturating_sub(1);
        if faults[place].times == 0 {
            faults.remove(place);
        }
        Some(fault)
    }
}

impl FaultKind {
    /// What the caller gets.
    pub(super) fn sent(&self) -> Sent {
        let reply = match self {
            Self::Limited(retry_after) => {
                let mut reply = Reply::error(
                    429,
                    "invalid_request_error",
                    "rate_limit",
                    "Request rate limit exceeded.",
                );
                let seconds = retry_after.map(|seconds| seconds.to_string());
                reply
                    .headers
                    .extend(seconds.map(|text| ("retry-after", text)));
                reply
            }
            Self::LockTimeout => Reply::error(
                429,
                "invalid_request_error",
                "lock_timeout",
                "This object cannot be accessed right now because another API request is currently accessing it.",
            ),
            Self::KeyInUse => Reply::error(
                409,
                "idempotency_error",
                "idempotency_key_in_use",
                "There is currently another in-progress request using this Idempotency Key.",
            ),
            Self::Status(status) => return Sent::Text(*status, "upstream error\n".to_owned()),
            Self::KeptFailure => Reply::error(500, "api_error", "", "An unknown error occurred"),
            Self::Broken => return Sent::Broken,
            Self::Nothing => return Sent::Nothing,
            Self::KeyDead => Reply {
                status: 401,
                body: json!({"error": {"type": "invalid_request_error", "message": "Invalid API Key provided: sk_test_***"}}),
                headers: Vec::new(),
            },
            Self::Forbidden(permission) => Reply::error(
                403,
                "invalid_request_error",
                "",
                &format!(
                    "The provided key does not have the required permissions for this endpoint. Having the '{permission}' permission would allow this request to continue."
                ),
            ),
            Self::Body(body) => return Sent::Text(200, body.clone()),
        };
        Sent::Reply(reply)
    }
}
