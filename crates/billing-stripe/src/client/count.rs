//! Whoever counts calls, as the metric `stripe_calls_total` does.

use std::time::Duration;

/// What became of one call; a call that is tried again is several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallResult {
    /// It was answered.
    Ok,
    /// It was refused for what it asks (400, 402, 404).
    Refused,
    /// The key is dead or may not (401, 403).
    Forbidden,
    /// Too many calls (429).
    Limited,
    /// Somebody is at it already (409).
    Busy,
    /// Stripe failed (5xx).
    Failed,
    /// No answer came.
    NoAnswer,
    /// What came cannot be read.
    Unreadable,
}

impl CallResult {
    /// The label of a metric.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Forbidden => "forbidden",
            Self::Limited => "limited",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::NoAnswer => "no_answer",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Told of every call that was made.
pub trait CallCount: Send + Sync {
    /// `kind` is the call's name, `list_subscriptions`.
    fn called(&self, kind: &'static str, result: CallResult, took: Duration);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uncounted;

impl CallCount for Uncounted {
    fn called(&self, _kind: &'static str, _result: CallResult, _took: Duration) {}
}
