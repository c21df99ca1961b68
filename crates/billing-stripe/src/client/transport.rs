//! What is sent and what comes back, without any meaning yet.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// How it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Write.
    Post,
    /// Remove.
    Delete,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How it is sent.
    pub method: Method,
    /// `/v1/…` with what is asked for.
    pub path: String,
    /// The form of a write.
    pub form: Option<String>,
    /// What makes a write happen once.
    pub idempotency_key: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The body, which may be no JSON at all.
    pub body: Vec<u8>,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// `Stripe-Should-Retry`.
    pub should_retry: Option<bool>,
    /// `Idempotent-Replayed`: this is what a call with the same key was answered before.
    pub is_replay: bool,
    /// `Request-Id`, by which Stripe's people find it.
    pub request_id: Option<String>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransportFault {
    /// It was not answered in time; whether it was carried out is not known.
    #[error("no answer in time")]
    TimedOut,
    /// No connection came about.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// The connection broke on the way; whether it was carried out is not known.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The body is longer than anything that was asked for.
    #[error("the answer is over {0} bytes")]
    TooLong(usize),
}

/// Sends one call, once.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends it.
    ///
    /// # Errors
    /// [`TransportFault`] when nothing came back. Any status is an answer.
    async fn send(&self, request: &Request) -> Result<Answer, TransportFault>;
}
