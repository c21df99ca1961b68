//! Why a call gave nothing, in words that tell an operator what to do.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use super::transport::{Answer, TransportFault};
use crate::shapes::PaymentIntent;

/// As much of a text of Stripe's as goes into an error.
const SAID_LENGTH_MAX: usize = 300;

/// Why a call was one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateKind {
    /// Too many calls in a second.
    Rate,
    /// Another call holds the object (`lock_timeout`).
    LockTimeout,
}

/// Why a call gave nothing. No message has the key in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StripeError {
    /// 401.
    #[error("Stripe does not take the key: it was revoked, has expired, or was never one ({said})")]
    KeyDead {
        /// What Stripe says.
        said: String,
    },
    /// 403.
    #[error("the key may not {call}: give it the permission {permission} ({said})")]
    NotPermitted {
        /// What was tried.
        call: &'static str,
        /// What is missing, in Stripe's words where it names it.
        permission: String,
        /// What Stripe says.
        said: String,
    },
    /// 404: it was removed, is of another account or mode, or never was.
    #[error("{path} is not there ({said})")]
    NotFound {
        /// What was asked for.
        path: String,
        /// What Stripe says.
        said: String,
    },
    /// 402: the bank says no, or asks for the customer.
    #[error("the payment was declined: {code} ({said})")]
    Declined {
        /// Why: `card_declined`, `authentication_required`.
        code: String,
        /// What the bank said.
        decline_code: Option<String>,
        /// The payment that was declined.
        intent: Option<Box<PaymentIntent>>,
        /// What Stripe says.
        said: String,
    },
    /// Another 4xx: the call is wrong, and will be wrong again.
    #[error("{call} was refused with {status}: {said}")]
    Refused {
        /// What was tried.
        call: &'static str,
        /// The status.
        status: u16,
        /// Why, in a word.
        code: Option<String>,
        /// Which parameter.
        parameter: Option<String>,
        /// What Stripe says.
        said: String,
    },
    /// The idempotency key was used with other parameters: a mistake of ours.
    #[error("{call} was sent with the idempotency key of another call: {said}")]
    KeyReused {
        /// What was tried.
        call: &'static str,
        /// What Stripe says.
        said: String,
    },
    /// 409: the same call is being carried out.
    #[error("{call} is still being carried out by an earlier call ({said})")]
    Busy {
        /// What was tried.
        call: &'static str,
        /// What Stripe says.
        said: String,
    },
    /// 429.
    #[error("{call} was one call too many: {kind:?} ({said})")]
    Limited {
        /// What was tried.
        call: &'static str,
        /// Of which kind.
        kind: RateKind,
        /// How long Stripe asks to wait.
        retry_after: Option<Duration>,
        /// What Stripe says.
        said: String,
    },
    /// 5xx.
    #[error("Stripe failed on {call} with {status} ({said})")]
    Failed {
        /// What was tried.
        call: &'static str,
        /// The status.
        status: u16,
        /// What Stripe says.
        said: String,
    },
    /// Nothing came back. A write may have been carried out.
    #[error("{call}: {fault}")]
    NoAnswer {
        /// What was tried.
        call: &'static str,
        /// Why.
        #[source]
        fault: TransportFault,
    },
    /// What came back is not what was asked for.
    #[error("what {call} was answered cannot be read at `{field}`: {why}")]
    Unreadable {
        /// What was tried.
        call: &'static str,
        /// Where in it.
        field: String,
        /// Why.
        why: String,
    },
    /// A list that leads back to where it was.
    #[error("{call} came to `{cursor}` twice")]
    RepeatingList {
        /// What was listed.
        call: &'static str,
        /// The last id of the page that came again.
        cursor: String,
    },
    /// A list without an end.
    #[error("{call} has more than {pages} pages")]
    EndlessList {
        /// What was listed.
        call: &'static str,
        /// How many were read.
        pages: u32,
    },
}

impl StripeError {
    /// Whether the same call may pass later. A write is repeated under its own key.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Limited { .. } | Self::Failed { .. } => true,
            Self::NoAnswer { fault, .. } => match fault {
                TransportFault::TimedOut
                | TransportFault::NoConnection(_)
                | TransportFault::Broken(_) => true,
                TransportFault::TooLong(_) => false,
            },
            Self::KeyDead { .. }
            | Self::NotPermitted { .. }
            | Self::NotFound { .. }
            | Self::Declined { .. }
            | Self::Refused { .. }
            | Self::KeyReused { .. }
            | Self::Unreadable { .. }
            | Self::RepeatingList { .. }
            | Self::EndlessList { .. } => false,
        }
    }

    /// How long Stripe asks to wait, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Limited { retry_after, .. } = self {
            return *retry_after;
        }
        None
    }

    /// Whether an operator has to give us another key or another permission.
    pub fn is_about_the_key(&self) -> bool {
        matches!(self, Self::KeyDead { .. } | Self::NotPermitted { .. })
    }

    /// What an answer that is no success means.
    pub(crate) fn of(call: &'static str, path: &str, answer: &Answer) -> Self {
        let said = Said::read(answer);
        let code = said.code.clone();
        let text = said.text(answer);
        match answer.status {
            401 => Self::KeyDead { said: text },
            402 => Self::Declined {
                code: code.unwrap_or_else(|| "declined".to_owned()),
                decline_code: said.decline_code,
                intent: said.payment_intent,
                said: text,
            },
            403 => Self::NotPermitted {
                call,
                permission: permission(&text).unwrap_or_else(|| permission_of(path)),
                said: text,
            },
            404 => Self::NotFound {
                path: path.split('?').next().unwrap_or_default().to_owned(),
                said: text,
            },
            409 => Self::Busy { call, said: text },
            429 => Self::Limited {
                call,
                kind: match code.as_deref() {
                    Some("lock_timeout") => RateKind::LockTimeout,
                    Some(_) | None => RateKind::Rate,
                },
                retry_after: answer.retry_after,
                said: text,
            },
            500.. => Self::Failed {
                call,
                status: answer.status,
                said: text,
            },
            _ if said.kind.as_deref() == Some("idempotency_error") => {
                Self::KeyReused { call, said: text }
            }
            status => Self::Refused {
                call,
                status,
                code,
                parameter: said.param,
                said: text,
            },
        }
    }
}

/// The body of an error, where it is JSON.
#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    param: Option<String>,
    #[serde(default)]
    payment_intent: Option<Box<PaymentIntent>>,
}

impl Said {
    fn read(answer: &Answer) -> Self {
        #[derive(Deserialize)]
        struct Body {
            error: Said,
        }
        let body: Option<Body> = serde_json::from_slice(&answer.body).ok();
        body.map(|body| body.error).unwrap_or_default()
    }

    /// What to show: Stripe's sentence, or the beginning of whatever came.
    fn text(&self, answer: &Answer) -> String {
        let whole = self
            .message
            .clone()
            .unwrap_or_else(|| String::from_utf8_lossy(&answer.body).into_owned());
        let start: String = whole.chars().take(SAID_LENGTH_MAX).collect();
        let mut text = start.replace(char::is_control, " ").trim().to_owned();
        if text.is_empty() {
            "no text".clone_into(&mut text);
        }
        if let Some(id) = &answer.request_id {
            text.push_str(", request ");
            text.push_str(id);
        }
        text
    }
}

/// `rak_subscription_read`, where the message names it.
fn permission(said: &str) -> Option<String> {
    let at = said.find("rak_")?;
    let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    Some(said[at..].chars().take_while(is_part).collect())
}

/// What the path is about, where the message names nothing.
fn permission_of(path: &str) -> String {
    let of = path.split('?').next().unwrap_or_default();
    let of = of.trim_start_matches("/v1/").split('/').next();
    format!("for {}", of.unwrap_or_default())
}
